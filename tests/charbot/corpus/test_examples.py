import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.corpus.examples import Example, character_spans, full_example, response_example, response_examples
from charbot.dialogue import Utterance

A, B, C = Utterance("Ann", "Tea?"), Utterance("Bob", "No."), Utterance(None, "Hello.")
WHO = st.lists(st.sampled_from(["Ann", "Bob", None]), max_size=25)
CONTEXT = st.integers(0, 6)


def scene_of(who: list[str | None]) -> tuple[Utterance, ...]:
    return tuple(Utterance(name, str(i)) for i, name in enumerate(who))


def test_a_full_example_predicts_every_turn() -> None:
    assert full_example([A, B, C]) == Example((A, B, C), (True, True, True))
    assert full_example([]) == Example((), ())


def test_a_response_example_predicts_the_reply_alone() -> None:
    assert response_example([A, B], A) == Example((A, B, A), (False, False, True))
    assert response_example([], A) == Example((A,), (True,))


@pytest.mark.parametrize(
    ("who", "context", "found"),
    [
        ("BBA", 1, ["12"]),
        ("BBA", 2, ["012"]),
        ("BBA", 9, ["012"]),
        ("BBA", 0, ["2"]),
        ("ABABBBA", 1, ["012", "56"]),  # overlapping exchanges are joined
        ("ABBABB", 1, ["0", "23"]),
        ("ABBA", 2, ["0123"]),  # touching ones too
        ("BBB", 2, []),
        ("", 2, []),
    ],
)
def test_character_spans(who: str, context: int, found: list[str]) -> None:
    scene = scene_of(["Ann" if letter == "A" else "Bob" for letter in who])
    joined = ["".join(turn.text for turn in stretch.turns) for stretch in character_spans(scene, "Ann", context)]
    assert joined == found


@given(WHO, CONTEXT)
def test_responses_hold_each_reply_and_what_came_before(who: list[str | None], context: int) -> None:
    scene = scene_of(who)
    found = list(response_examples(scene, context, "Ann"))
    assert [one.turns[-1] for one in found] == [turn for turn in scene if turn.speaker == "Ann"]
    for one in found:
        end = scene.index(one.turns[-1]) + 1
        assert one.turns == scene[max(0, end - 1 - context) : end]
        assert one.loss_mask == (False,) * (len(one.turns) - 1) + (True,)
    assert tuple(one.turns[-1] for one in response_examples(scene, context)) == scene


@given(WHO, CONTEXT)
def test_spans_predict_each_reply_once_and_nothing_else(who: list[str | None], context: int) -> None:
    scene = scene_of(who)
    found = list(character_spans(scene, "Ann", context))
    loss_mask = [turn for one in found for turn, wanted in zip(one.turns, one.loss_mask, strict=True) if wanted]
    assert loss_mask == [turn for turn in scene if turn.speaker == "Ann"]
    # No turn is read twice, and their order stays.
    numbers = [int(turn.text) for one in found for turn in one.turns]
    assert numbers == sorted(set(numbers))


@given(WHO, CONTEXT)
def test_spans_read_only_the_turns_that_responses_need(who: list[str | None], context: int) -> None:
    scene = scene_of(who)
    joined = list(character_spans(scene, "Ann", context))
    assert {t for one in joined for t in one.turns} == {t for one in response_examples(scene, context, "Ann") for t in one.turns}
    for one in joined:
        start = scene.index(one.turns[0])
        assert one.turns == scene[start : start + len(one.turns)]
        # The turn before a stretch is in none: otherwise the two would be one.
        assert start == 0 or scene[start - 1] not in {t for other in joined for t in other.turns}
