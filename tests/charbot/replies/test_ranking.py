import pytest

from charbot.corpus.conversation import Utterance
from charbot.replies.lexicon import Lexicon
from charbot.replies.ranking import DRAWN, GIVEN, Weights, calls_somebody_absent, goes_in_circles, ranked, repetition
from charbot.text import words

LEXICON = Lexicon.of(("the", "is", "more", "tea", "for", "all", "on", "kettle"))


def test_repetition() -> None:
    assert repetition(words("Where is my mug?"), [words("where is my mug")]) == 1
    assert repetition(words("so so so so"), []) == pytest.approx(2 / 3)
    assert repetition(words("I like tea"), [words("No, I like coffee")]) == pytest.approx(1 / 2)
    assert repetition(words("Something new"), [words("No.")]) == 0
    assert repetition(words("!"), [words("No.")]) == 0


def _best(
    here: tuple[float, float],
    anywhere: tuple[float, float],
    anybody: tuple[float, float],
    said: str = "",
    weights: Weights = DRAWN,
    follows: tuple[float, float] = (0.0, 0.0),
) -> str:
    texts = dict(zip(("The kettle is on!", "More tea for all!"), here, strict=True))
    return ranked(texts, anywhere, anybody, follows, [Utterance(None, said)], "Ann", LEXICON, weights)[0].text[:4]


def test_what_fits_here_and_the_persona_more_than_anybody_comes_first() -> None:
    even = (-1.0, -1.0)
    assert _best((-1.0, -1.2), even, even) == "The "
    assert _best((-1.2, -1.0), even, even) == "More"
    assert _best(even, even, (-1.2, -1.0)) == "The "
    uneven = (-1.0, -1.01)
    assert _best(uneven, even, uneven) == "The "
    assert _best(uneven, even, uneven, "The kettle is on?") == "More", "it only repeats"
    assert _best(uneven, even, uneven, "All that tea!") == "More", "it is about tea"
    likely = (-0.2, -1.0)
    assert _best(likely, even, likely, "The kettle is on!") == "More", "what was said is likely, and is not said again"


def test_what_only_the_persona_says_does_not_beat_what_fits_far_better() -> None:
    assert _best((-1.0, -1.5), (-1.0, -1.0), (-1.0, -2.0)) == "More", "it is the persona's"
    assert _best((-1.0, -4.0), (-1.0, -1.0), (-1.0, -9.0)) == "The ", "however much it is"


def test_a_line_that_is_likely_as_a_whole_would_be_said_again() -> None:
    even = (-0.5, -0.5)
    assert _best((-0.8, -1.2), even, even) == "The ", "neither is"
    assert _best((-0.2, -0.3), even, even) == "More", "the first is in stock"
    assert _best((-0.2, -0.3), even, even, weights=GIVEN) == "The "


def test_a_question_keeps_a_conversation_going() -> None:
    asking, telling = ranked(
        {"Oh. Kettle.": -1.2, "Oh. Kettle?": -1.25}, [0, 0], [-1.2, -1.25], [0, 0], [], "Ann", LEXICON, DRAWN
    )
    assert (asking.text, telling.text) == ("Oh. Kettle?", "Oh. Kettle.")


def test_a_line_that_was_given_need_not_be_likely_but_likelier_here_than_elsewhere() -> None:
    here, anywhere = (-1.0, -1.5), (-1.2, -2.3)
    assert _best(here, anywhere, here) == "The "
    assert _best(here, anywhere, here, weights=GIVEN) == "More"
    assert _best((-1.0, -1.0), (-1.0, -1.2), (-1.0, -1.0), weights=GIVEN) == "More"


@pytest.mark.parametrize("weights", [DRAWN, GIVEN])
def test_of_what_is_equally_likely_what_follows_better_comes_first(weights: Weights) -> None:
    even = (-1.0, -1.0)
    assert _best(even, even, even, weights=weights, follows=(3.0, -3.0)) == "The "
    assert _best(even, even, even, weights=weights, follows=(-3.0, 3.0)) == "More"


def test_what_a_score_is_made_of_is_told() -> None:
    (only,) = ranked({"Tea?": -1.5}, [-1.25], [-2.0], [2.5], [Utterance(None, "Any tea?")], "Ann", LEXICON, DRAWN)
    assert (only.here, only.anywhere, only.anybody, only.repetition) == (-1.5, -1.25, -2.0, 0)
    assert (only.follows, only.absent) == (2.5, 0)
    assert 0 < only.topic < 1


@pytest.mark.parametrize(("speaker", "last", "share"), [("Ann", "Oh.", 1.0), (None, "Oh.", 0.0), ("Ann", "What kettle?", 0.0)])
def test_what_the_persona_has_told_is_repetition_unless_somebody_asks(speaker: str | None, last: str, share: float) -> None:
    turns = [Utterance(speaker, "A kettle."), Utterance(None, last)]
    (only,) = ranked({"Kettle kettle?": -1.0}, [-1.0], [-1.0], [0.0], turns, "Ann", LEXICON, DRAWN)
    assert only.repetition == pytest.approx(share)


def test_circles() -> None:
    assert not goes_in_circles("I like tea now, and I like tea then.")
    assert goes_in_circles("Is it tea? I don't know if it is, I don't know IF it was.")
    assert goes_in_circles("no no no no no")
    assert not goes_in_circles("No, no, no, no!")
    assert not goes_in_circles("")


def test_who_is_not_there_is_not_called() -> None:
    lexicon = Lexicon.of((" Ann", " Bob", " Zoe", " tea", " no"))
    turns = [Utterance("Bob", "Where is Zoe?"), Utterance(None, "More tea?")]

    def absent(text: str, asked: str = "More tea?") -> bool:
        return calls_somebody_absent(text, [*turns[:1], Utterance(None, asked)], "Ann", lexicon)

    assert not absent("Bob, no."), "he has said something"
    assert not absent("No, Zoe."), "she has come up"
    assert not absent("No, Zoe.", "Zoe's tea?")
    assert absent("Ann, no."), "nobody calls herself"
    assert not absent("Ann.", "What is your name?"), "but they have names"
    assert absent("Ann.", "Tell me your name.")
    assert calls_somebody_absent("Zoe!", [], "Ann", lexicon)
    even = [-1.0, -1.0]
    best, worst = ranked({"No, Bob.": -1.0, "No, tea.": -1.0}, even, even, [0.0, 0.0], turns[1:], "Ann", lexicon, DRAWN)
    assert (best.text, best.absent, worst.absent) == ("No, tea.", 0, 1)
