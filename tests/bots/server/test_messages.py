"""Messages as conversations."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.server.messages import characters_named, read_messages
from bots.server.protocol import ContentPart, Message
from charbot.dialogue import prepare_turns

SPEAKERS = ("Ann", "Bob", "Mr. Cole", "Frank", "Frank Jr.")


def _turns(*messages: tuple[str, Any] | tuple[str, Any, str], turns: int = 12) -> list[tuple[str | None, str]]:
    read = read_messages(
        [Message(**dict(zip(("role", "content", "name"), one, strict=False))) for one in messages], "Ann", SPEAKERS, turns
    )
    return [(turn.speaker, turn.text) for turn in read.conversation.turns]


def test_assistants_are_the_persona_and_users_are_nobody() -> None:
    assert _turns(("user", "Hello"), ("assistant", "Tea?"), ("user", "Yes\u2026")) == [
        (None, "Hello"),
        ("Ann", "Tea?"),
        (None, "Yes..."),
    ]


def test_a_name_says_who_speaks() -> None:
    assert _turns(("user", "Hello", "bob"), ("user", "Hi", "mr-cole"), ("assistant", "Tea?", "Bob"), ("user", "x", "zoe")) == [
        ("Bob", "Hello"), ("Mr. Cole", "Hi"), ("Bob", "Tea?"), (None, "x"),
    ]  # fmt: skip


def test_a_system_message_says_who_the_user_is_from_then_on() -> None:
    assert _turns(("user", "a"), ("system", "Bob"), ("user", "b"), ("developer", "Ann, meet Mr. Cole."), ("user", "c")) == [
        (None, "a"), ("Bob", "b"), ("Mr. Cole", "c"),
    ]  # fmt: skip


def test_nobody_is_whom_an_example_names() -> None:
    examples = (("system", "where is Bob?", "example_user"), ("system", "Mr. Cole left.", "example_assistant"))
    assert _turns(*examples, ("user", "a")) == [(None, "a")]
    assert _turns(("system", "Frank"), *examples, ("user", "a")) == [("Frank", "a")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("BOB", {"Bob"}), (" mr cole ", {"Mr. Cole"}), ("talk to Bob", {"Bob"}), ("talk to bob", set()), ("Bobby", set()),
        ("Frank Jr. is here", {"Frank Jr."}), ("Frank is here", {"Frank"}), ("Bob's friend Frank", {"Bob", "Frank"}), ("", set()),
    ],
)  # fmt: skip
def test_characters_are_known_by_their_names(text: str, names: set[str]) -> None:
    assert characters_named(text, SPEAKERS) == names


def test_parts_of_text_are_read_together() -> None:
    parts = [ContentPart(type="text", text="Hello"), ContentPart(type="image_url"), ContentPart(type="text", text="there")]
    assert _turns(("user", parts)) == [(None, "Hello there")]
    assert _turns(("user", None), ("assistant", ""), ("user", " \n")) == []


def test_long_conversations_are_read_from_their_end() -> None:
    said = [("user", letter * 1500) for letter in "abcd"]
    assert [text[0] for _, text in _turns(*said)] == ["c", "d"]
    assert [text[0] for _, text in _turns(*said, ("user", "e" * 9000))] == ["d", "e"]
    assert _turns() == []


@given(
    messages=st.lists(
        st.builds(
            Message, role=st.sampled_from(["system", "user", "assistant", "tool"]), content=st.text(), name=st.none() | st.text()
        )
    ),
    turns=st.integers(1, 5),
)
def test_only_the_last_turns_are_read_and_each_is_normalised(messages: list[Message], turns: int) -> None:
    whole, last = (read_messages(messages, "Ann", SPEAKERS, count).conversation.turns for count in (len(messages) + 1, turns))
    assert last == whole[-turns:]
    assert prepare_turns(whole) == whole
