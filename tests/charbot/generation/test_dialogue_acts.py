import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.dialogue_acts import DialogueAct, Mark, dialogue_act, is_reaction, marked, refers_back, restated

TEA = "I drink tea with my goat, and she wears a hat."
ASKED = "Do you have a goat?"


@pytest.mark.parametrize(
    ("message", "before", "act"),
    [
        ("tea or soup?", None, DialogueAct.CHOICE),
        ("do you like tea?", None, DialogueAct.LIKES),
        ("have you ever met a goat", None, DialogueAct.EVER),
        ("can you swim?", None, DialogueAct.ABLE),
        ("i sold my boat. are you tired?", None, DialogueAct.WHETHER),
        ("your aunt sells hats, right?", None, DialogueAct.WHETHER),
        ("is she nice?", TEA, DialogueAct.WHETHER),
        ("why do you stay there", None, DialogueAct.WHY),
        ("what do you do all day?", None, DialogueAct.ABOUT),
        ("hows your aunt", None, DialogueAct.ABOUT),
        ("what did she say", TEA, DialogueAct.ABOUT),
        ("with what money?", TEA, DialogueAct.ABOUT),
        ("is it too old?", None, DialogueAct.OPINION),
        ("do you think he likes me", None, DialogueAct.OPINION),
        ("do you think you'd ever leave", None, DialogueAct.WHETHER),
        ("should i call him?", None, DialogueAct.SHOULD),
        ("what should i wear", None, DialogueAct.ADVICE),
        ("any tips?", None, DialogueAct.ADVICE),
        ("how deep is the sea", None, DialogueAct.FACT),
        ("what do you mean", TEA, DialogueAct.CLARIFY),
        ("a hat?", TEA, DialogueAct.CLARIFY),
        ("a hat?", None, DialogueAct.WHETHER),
        ("yes!! tell me", TEA, DialogueAct.CLARIFY),
        ("that's not what i asked", TEA, DialogueAct.CORRECTS),
        ("you are not listening. what do you do?", TEA, DialogueAct.ABOUT),
        ("exactly!", None, DialogueAct.AGREES),
        ("nah", None, DialogueAct.DISAGREES),
        ("yes", ASKED, DialogueAct.YES),
        ("he doesn't", ASKED, DialogueAct.NO),
        ("two, and a duck", ASKED, DialogueAct.REPLIED),
        ("my feet hurt and i'm sad", None, DialogueAct.BAD),
        ("she hired me, i love it", None, DialogueAct.GOOD),
        ("i have a green hat", None, DialogueAct.TELLS),
        ("i'm going to paint my boat", None, DialogueAct.PLANS),
        ("you are wonderful and clever", None, DialogueAct.PRAISES),
        ("you are horrible and stupid", None, DialogueAct.TEASES),
        ("you sound like my aunt", None, DialogueAct.ADDRESSED),
        ("tell me about the party", None, DialogueAct.REQUESTS),
        ("hahaha lol", None, DialogueAct.LAUGHS),
        ("wow", None, DialogueAct.WONDERS),
        ("zebra", None, None),
        ("?!", None, None),
    ],
)
def test_a_message_has_the_act_that_its_wording_tells(message: str, before: str | None, act: DialogueAct | None) -> None:
    assert dialogue_act(message, before) is act


def test_address_does_not_change_an_act() -> None:
    assert dialogue_act("Hey Ann, tea or soup?", None, {"ann"}) is DialogueAct.CHOICE


@given(st.text(), st.none() | st.text())
def test_any_message_may_have_an_act(message: str, before: str | None) -> None:
    dialogue_act(message, before)


def test_acts_are_marked_by_their_name_in_square_brackets() -> None:
    assert all(marked(f"[{act.value}]") == Mark(act, None) for act in DialogueAct)
    assert marked("[bad food]") == Mark(DialogueAct.BAD, "food")
    assert marked("choice") is marked("[hat]") is None


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("no, i said my goat is ill", "my goat is ill"),
        ("no i said that i said my goat is ill today", "my goat is ill today"),
        ("I asked about tea", "I asked about tea"),
        ("i said that", "i said that"),
        ("my goat is ill", "my goat is ill"),
    ],
)
def test_a_correction_says_again_what_counts(message: str, said: str) -> None:
    assert restated(message) == said


@given(
    st.lists(
        st.sampled_from(["no", "i", "said", "i", "asked", "that", "my", "goat", "is", "ill", ".", "?", "you", "it", "about"]),
        max_size=20,
    ).map(" ".join)
)
def test_what_is_said_again_is_said_once(message: str) -> None:
    assert restated(restated(message)) == restated(message)


def test_agreements_are_reactions_and_news_are_none() -> None:
    assert is_reaction("ok, good point")
    assert not is_reaction("my goat is ill")


@pytest.mark.parametrize(
    ("question", "back"),
    [("what does she do?", True), ("what kind of goat?", True), ("what do you sell?", False), ("i see", False)],
)
def test_a_question_refers_back_by_a_pronoun_or_a_word(question: str, back: bool) -> None:
    assert refers_back(question, TEA) == back
