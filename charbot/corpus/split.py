"""Which split an episode belongs to. An episode is never parted."""

import hashlib
from typing import Literal

Split = Literal["train", "valid", "test"]


def split_of(show: str, episode: str, valid: float, test: float, seed: int) -> Split:
    """The split of an episode: a function of its name and the seed alone, so that adding scripts moves none.

    `valid` and `test` are the expected shares of episodes, from 0 to 1.
    """
    # A file's name need not be Unicode; Python spells such names with surrogates.
    digest = hashlib.sha256(f"{seed}/{show}/{episode}".encode("utf-8", "surrogatepass")).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64
    if point < test:
        return "test"
    return "valid" if point < test + valid else "train"
