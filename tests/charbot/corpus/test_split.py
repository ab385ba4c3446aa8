from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from charbot.corpus.split import MIN_UNITS, split_of, splits_of

NAMES = st.text(st.characters(codec=None), max_size=20)  # a file's name may hold surrogates
SHARES = st.floats(0, 0.4)


def test_splits_stay_where_they_were() -> None:
    # Bundles carry scores of the test split: were it to move, they would be of no use.
    episodes = [f"S01E{i:02}" for i in range(1, 31)]
    splits = {episode: split_of("Demo", episode, 0.1, 0.1, 10) for episode in episodes}
    assert {episode for episode, split in splits.items() if split == "test"} == {"S01E01", "S01E12", "S01E21"}
    assert {episode for episode, split in splits.items() if split == "valid"} == {"S01E03", "S01E05", "S01E09", "S01E10"}


@example("Demo", "caf\udce9", 0.1, 0.1, 10)
@given(NAMES, NAMES, SHARES, SHARES, st.integers(0, 2**31))
def test_any_name_has_one_split(show: str, episode: str, valid: float, test: float, seed: int) -> None:
    split = split_of(show, episode, valid, test, seed)
    assert split in ("train", "valid", "test")
    assert split_of(show, episode, valid, test, seed) == split
    assert split_of(show, episode, 0, 0, seed) == "train"
    # A larger share takes episodes in and lets none out.
    if split == "test":
        assert split_of(show, episode, valid, 1, seed) == "test"
    if split != "train":
        assert split_of(show, episode, 1, test, seed) == split


@given(st.sets(NAMES, max_size=40), SHARES, SHARES, st.integers(0, 2**31))
def test_no_split_that_has_a_share_stays_empty(units: set[str], valid: float, test: float, seed: int) -> None:
    splits = splits_of("Demo", units, valid, test, seed)
    assert splits.keys() == units
    counts = Counter(splits.values())
    if len(units) < MIN_UNITS:
        assert counts["train"] == len(units)
        return
    assert (counts["valid"] > 0, counts["test"] > 0, counts["train"] > 0) == (valid > 0, test > 0, True)
    # A unit moves only towards an empty split.
    alone = Counter(split_of("Demo", unit, valid, test, seed) for unit in units)
    if alone["train"] and (alone["valid"] or not valid) and (alone["test"] or not test):
        assert splits == {unit: split_of("Demo", unit, valid, test, seed) for unit in units}


@pytest.mark.parametrize("seed", [0, 10])
def test_shares_come_out_as_asked(seed: int) -> None:
    counts = Counter(split_of("Demo", str(i), 0.2, 0.3, seed) for i in range(4_000))
    assert counts["test"] == pytest.approx(1_200, abs=100)
    assert counts["valid"] == pytest.approx(800, abs=100)


def test_seed_and_show_matter() -> None:
    def tests(show: str, seed: int) -> set[int]:
        return {i for i in range(200) if split_of(show, str(i), 0.0, 0.4, seed) == "test"}

    assert tests("Demo", 1) != tests("Demo", 2)
    assert tests("Demo", 1) != tests("Other", 1)
