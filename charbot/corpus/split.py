"""Assigns whole episodes to the train, validation and test splits."""

import hashlib
from typing import Literal

Split = Literal["train", "valid", "test"]


def split_of(show: str, episode: str, valid: float, test: float, seed: int) -> Split:
    """Return the split of an episode.

    It depends on the names and the seed alone, so that adding scripts moves no episode. `valid` and `test` are the expected
    shares of episodes, from 0 to 1.
    """
    # File names that are not valid Unicode contain surrogates.
    digest = hashlib.sha256(f"{seed}/{show}/{episode}".encode("utf-8", "surrogatepass")).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64
    if point < test:
        return "test"
    return "valid" if point < test + valid else "train"
