import math

import pytest

from charbot.evaluation.judge import Judge
from tests.conftest import SAYINGS

JUDGE = Judge({name: list(texts) * 10 for name, texts in SAYINGS.items()})


def test_who_always_says_the_same_is_recognised() -> None:
    assert JUDGE.recognised(SAYINGS, 1) == 1
    assert JUDGE.recognised({"Ann": SAYINGS["Bob"]}, 1) == 0


def test_lines_together_are_surer_than_one() -> None:
    mixed = {"Ann": ["More tea?", "The kettle is on!", "Where is my mug?"] * 4}
    assert JUDGE.recognised(mixed, 1) == pytest.approx(2 / 3)
    assert JUDGE.recognised(mixed, 3) == 1


def test_evidence_is_of_probabilities() -> None:
    (evidence,) = JUDGE.evidence(["More tea?"])
    counts = [len(SAYINGS[name]) for name in JUDGE.speakers]
    assert sum(math.exp(one) * count / sum(counts) for one, count in zip(evidence, counts, strict=True)) == pytest.approx(1)


def test_too_few_lines_make_no_group() -> None:
    assert math.isnan(JUDGE.recognised(SAYINGS, 20))
