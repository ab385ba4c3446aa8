import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.reflection import Frame, Kind, reflected


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("i painted my boat green", "You painted your boat green"),
        ("I'm selling my drum because we moved", "You're selling your drum because you moved"),
        ("i was so late that my aunt left me there", "You were so late that your aunt left you there"),
        ("Hey. I feed goats for a living.", "You feed goats for a living"),
        ("well, my goat ate a hat!", "Your goat ate a hat"),
        ("MY GOAT IS IN THE BATH", "Your goat is in the bath"),
        ("the ferry is late again", "The ferry is late again"),
    ],
)
def test_a_statement_is_said_back_in_the_second_person(message: str, sentence: str) -> None:
    found = reflected(message)
    assert found is not None
    assert (found.kind, found.text) == (Kind.STATEMENT, sentence)


@pytest.mark.parametrize(
    ("message", "kind", "sentence"),
    [
        ("have you ever eaten a thistle", Kind.ABOUT_PERSONA, "Have I ever eaten a thistle"),
        ("what would you do in my place?", Kind.ABOUT_PERSONA, "What would I do in your place"),
        ("are you scared of me?", Kind.ABOUT_PERSONA, "Am I scared of you"),
        ("were you sad when I was gone?", Kind.ABOUT_PERSONA, "Was I sad when you were gone"),
        ("what's the best hat you ever wore", Kind.ABOUT_PERSONA, "What's the best hat I ever wore"),
        ("can you lend me your boat?", Kind.ABOUT_PERSONA, "Can I lend you my boat"),
        ("who told you that", Kind.ABOUT_PERSONA, "Who told me that"),
        ("I fell off a boat. how cold is the sea?", Kind.QUESTION, "How cold is the sea"),
        ("and when does the ferry leave", Kind.QUESTION, "When does the ferry leave"),
    ],
)
def test_a_question_is_said_back_by_whom_it_asks(message: str, kind: Kind, sentence: str) -> None:
    found = reflected(message)
    assert found is not None
    assert (found.kind, found.text) == (kind, sentence)


@pytest.mark.parametrize(
    "message",
    ["", "?!", "no", "i do", "You are a goat, you know", "should we feed the goat?", "feed the goat now", "i like you a lot"],
)
def test_what_one_cannot_say_back_is_left(message: str) -> None:
    assert reflected(message) is None


def test_a_frame_takes_any_sentence() -> None:
    frame = Frame.of("Hm, you painted your boat green? Tell me why.", "You painted your boat green")
    assert frame is not None
    assert frame.filled("Your goat ate a hat") == "Hm, your goat ate a hat? Tell me why."
    assert frame.filled("I eat hats") == "Hm, I eat hats? Tell me why."
    first = Frame.of("So what? Have I ever eaten a thistle? Ask my goat.", "Have I ever eaten a thistle")
    assert first is not None
    assert first.filled("Would I live on a boat") == "So what? Would I live on a boat? Ask my goat."
    assert Frame.of("Tell me why.", "You painted your boat green") is None


@given(st.text())
def test_any_message_may_be_said_back(text: str) -> None:
    found = reflected(text)
    assert found is None or found.text[:1] == found.text[:1].upper() != ""
