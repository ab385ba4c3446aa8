import json
from typing import Any

import pytest

from bots.session import Session
from charbot.dialogue import Utterance
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply
from charbot.generation.reranking import Candidate


def _answered(session: Session, text: str) -> Session:
    return session.add_reply(Reply(text, (), session.conversation.add(text, "Ann"), 0.1))


def test_what_was_said_can_be_taken_back() -> None:
    start = Session()
    one = _answered(start.add_message("Hi"), "Hello.")
    two = _answered(one.add_message("Tea?", "Bob"), "Yes!")
    assert two.turns == (
        Utterance(None, "Hi"), Utterance("Ann", "Hello."), Utterance("Bob", "Tea?"), Utterance("Ann", "Yes!"),
    )  # fmt: skip
    assert two.undo() == one
    assert two.undo().undo() == start
    assert start.undo() is start
    assert start.add_message(" \t") is start


def test_little_is_kept_to_go_back_to() -> None:
    session = Session()
    for number in range(120):
        session = _answered(session.add_message(str(number)), "Yes.")
    assert len(session.history) == 50
    assert len(session.turns) == 240


def test_another_reply_can_take_the_last_ones_place() -> None:
    session = _answered(Session().add_message("Hi"), "Hello.").replace_last("Bye.")
    assert session.turns == session.conversation.turns == (Utterance(None, "Hi"), Utterance("Ann", "Bye."))


def test_what_is_kept_of_a_long_session_is_bounded() -> None:
    session = Session()
    for number in range(30):
        session = session.add_message(f"Message {number}.")
    kept = session.truncated(4)
    assert [turn.text for turn in kept.turns] == [f"Message {number}." for number in range(26, 30)]
    assert kept.conversation == session.conversation
    assert session.truncated(99).turns == session.turns


def test_a_reply_may_come_unasked_and_be_redone_alone() -> None:
    before = _answered(Session().add_message("Hi"), "Hello.")
    after = _answered(before.begin_step(), "Still there?")
    assert after.undo() == before
    asked = after.drop_last_reply()
    assert asked.turns == asked.conversation.turns == before.turns
    assert _answered(asked, "Well?").undo() == before


def test_whoever_comes_after_who_replied_last_is_next() -> None:
    session, cast = Session(), ("Ann", "Bob", "Cy")
    assert session.next_speaker(cast) == "Ann"
    session = _answered(session.add_message("Hi", "Cy"), "Hello.")
    assert session.next_speaker(cast) == session.add_message("Bob?", "Bob").next_speaker(cast) == "Bob"
    assert session.next_speaker(("Cy", "Bob", "Ann")) == "Cy"
    assert session.next_speaker(("Bob", "Cy")) == "Bob"


def test_replies_are_counted_also_those_taken_back() -> None:
    session = _answered(_answered(Session().add_message("Hi"), "Hello.").add_message("Tea?"), "Yes.")
    assert session.undo().undo().reply_count == session.replace_last("No.").reply_count == session.reply_count == 2


def test_a_session_survives_json() -> None:
    candidate = Candidate("Hello.", 0.5, -1.0, -2.0, 0.25, 0.0)
    session = (
        Session().add_message("Hi").add_reply(Reply("Hello.", (candidate,), Conversation().add("Hi").add("Hello.", "Ann"), 0.1))
    )
    session = _answered(_answered(session.begin_step(), "Still there?").add_message("Yes", "Bob"), "Good.")
    again = Session.from_json(json.loads(json.dumps(session.to_json())))
    assert again == session
    assert again.reply_count == 3
    assert again.undo().undo().candidates == (candidate,)


def test_the_moment_before_a_message() -> None:
    first = _answered(Session().add_message("One."), "Yes.")
    second = _answered(_answered(first.add_message("Two."), "No.").begin_step(), "Never.")
    assert second.before_message(1) == first
    assert second.before_message(2) == Session()
    assert second.before_message(1).reply_count == 3
    assert second.before_message(3) is second


def test_a_long_session_goes_as_far_back_as_its_turns_do() -> None:
    session = Session()
    for number in range(60):
        session = _answered(session.add_message(f"Message {number}."), "Yes.")
    kept = Session.from_json(json.loads(json.dumps(session.truncated(20).to_json())))
    assert len(kept.history) == 10
    for _ in range(10):
        kept = kept.undo()
    assert kept.turns == ()


def test_sessions_that_were_kept_before_steps_were_still_load() -> None:
    turns = [[None, "Hi"], ["Ann", "Hello."]]
    session = Session.from_json({"turns": turns, "memory": {"turns": turns, "readings": {}}})
    assert session.from_user == (True, False)
    assert session.next_speaker(["Ann", "Bob"]) == "Bob"


@pytest.mark.parametrize(
    "damage",
    [
        {"turns": 5}, {"turns": [[1, "Hi"]]}, {"turns": [["Ann", None]]}, {"turns": ["Hello"]}, {"mine": [True]},
        {"mine": [1, 0]}, {"given": "2"}, {"given": -1}, {"candidates": ["Hello."]}, {"candidates": [{"text": 3}]},
        {"seconds": None}, {"past": [{"turns": 99, "remembered": 0, "candidates": [], "seconds": 0}]}, {"past": [1]},
        {"past": 3}, {"memory": []}, {"memory": {"turns": [[None, 3]], "readings": {}}},
        {"memory": {"turns": [], "readings": {"x": {"turns": 0, "state": [[[1, 2, 1], "AAAAAAAAAAA="]] * 7}}}},
    ],
)  # fmt: skip
def test_what_is_no_session_is_refused(damage: dict[str, Any]) -> None:
    session = _answered(Session().add_message("Hi"), "Hello.")
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        Session.from_json({**json.loads(json.dumps(session.to_json())), **damage})
