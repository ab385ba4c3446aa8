import json

from bots.session import Session
from charbot.corpus.conversation import Utterance
from charbot.replies.engine import Reply


def _answered(session: Session, text: str) -> Session:
    return session.answered(Reply(text, (), session.memory.said(text, "Ann"), 0.1))


def test_what_was_said_can_be_taken_back() -> None:
    start = Session()
    one = _answered(start.said("Hi"), "Hello.")
    two = _answered(one.said("Tea?", "Bob"), "Yes!")
    assert two.turns == (
        Utterance(None, "Hi"), Utterance("Ann", "Hello."), Utterance("Bob", "Tea?"), Utterance("Ann", "Yes!"),
    )  # fmt: skip
    assert two.undone() == one
    assert two.undone().undone() == start
    assert start.undone() is start
    assert start.said(" \t") is start


def test_little_is_kept_to_go_back_to() -> None:
    session = Session()
    for number in range(120):
        session = _answered(session.said(str(number)), "Yes.")
    assert len(session.past) == 50
    assert len(session.turns) == 240


def test_another_reply_can_take_the_last_ones_place() -> None:
    session = _answered(Session().said("Hi"), "Hello.").with_last("Bye.")
    assert session.turns == session.memory.turns == (Utterance(None, "Hi"), Utterance("Ann", "Bye."))


def test_what_is_kept_of_a_long_session_is_bounded() -> None:
    session = Session()
    for number in range(30):
        session = session.said(f"Message {number}.")
    kept = session.cut(4)
    assert [turn.text for turn in kept.turns] == [f"Message {number}." for number in range(26, 30)]
    assert kept.memory == session.memory
    assert session.cut(99).turns == session.turns


def test_a_session_survives_json() -> None:
    session = _answered(Session().said("Hi"), "Hello.")
    again = Session.from_json(json.loads(json.dumps(session.to_json())))
    assert (again.turns, again.memory, again.past) == (session.turns, session.memory, ())
