"""Assigns the episodes of shows, or smaller units of shows with few episodes, to the train, validation and test splits."""

import hashlib
from collections.abc import Iterable
from typing import Literal, get_args

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
MIN_UNITS = 5
"""Minimum number of units (episodes, scenes or blocks of lines) of a show that splits can be made of."""


def split_of(show: str, unit: str, valid: float, test: float, seed: int) -> Split:
    """Return the split of a unit of a show, such as an episode.

    It depends on the names and the seed alone, so that adding scripts moves no unit. `valid` and `test` are the expected
    shares of units, from 0 to 1.
    """
    point = _point(show, unit, seed)
    if point < test:
        return "test"
    return "valid" if point < test + valid else "train"


def splits_of(show: str, units: Iterable[str], valid: float, test: float, seed: int) -> dict[str, Split]:
    """Return the split of each unit of a show: as `split_of`, but with units in every split that has a share above 0.

    The unit whose point is nearest to an empty split is moved there. Fewer units than MIN_UNITS are all in the train split.
    """
    points = sorted((_point(show, unit, seed), unit) for unit in set(units))
    if len(points) < MIN_UNITS:
        return {unit: "train" for _, unit in points}
    tests = max(sum(point < test for point, _ in points), test > 0)
    held_out = max(sum(point < test + valid for point, _ in points), tests + (valid > 0))
    held_out = min(held_out, len(points) - 1)
    tests = min(tests, held_out - (valid > 0))
    splits: dict[str, Split] = {}
    for i, (_, unit) in enumerate(points):
        splits[unit] = "test" if i < tests else "valid" if i < held_out else "train"
    return splits


def _point(show: str, unit: str, seed: int) -> float:
    """Return a number from 0 to 1 that depends on nothing but its arguments."""
    # File names that are not valid Unicode contain surrogates.
    digest = hashlib.sha256(f"{seed}/{show}/{unit}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
