import math

import pytest

from charbot.evaluation.diversity import distinct, mean_words, questions, repeats, said_again


def test_distinct_counts_different_runs_of_words() -> None:
    texts = ["More tea? More tea!", "Tea."]
    assert distinct(texts, 1, 100) == pytest.approx(2 / 5)
    assert distinct(texts, 2, 100) == pytest.approx(2 / 3)
    assert distinct(texts, 1, 2) == 1
    assert math.isnan(distinct([], 1, 10))


def test_repeats_overlook_case_and_punctuation() -> None:
    assert repeats(["Yes!", "yes", "No.", "Maybe"]) == pytest.approx(1 / 4)


def test_what_was_said_in_the_same_conversation_is_said_again() -> None:
    assert said_again([["More tea?", "No.", "More tea"], ["Is the kettle on?"]]) == pytest.approx(1 / 2)
    assert said_again([["Is the kettle on?", "The kettle is off."]]) == pytest.approx(1 / 3)
    assert math.isnan(said_again([]))


def test_length_and_questions() -> None:
    assert mean_words(["Yes.", "No, I don't."]) == 2
    assert questions(["Yes?", "No."]) == 0.5
