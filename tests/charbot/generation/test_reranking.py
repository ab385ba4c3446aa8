import pytest

from charbot.dialogue import Utterance
from charbot.generation.lexicon import Lexicon
from charbot.generation.reranking import (
    GENERATION_WEIGHTS,
    SELECTION_WEIGHTS,
    Candidate,
    ScoreWeights,
    addresses_absent_person,
    has_repeated_ngram,
    repetition,
    rerank,
)
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
    weights: ScoreWeights = GENERATION_WEIGHTS,
    follows: tuple[float, float] = (0.0, 0.0),
) -> str:
    texts = dict(zip(("The kettle is on!", "More tea for all!"), here, strict=True))
    return rerank(texts, anywhere, anybody, follows, [Utterance(None, said)], "Ann", LEXICON, weights)[0].text[:4]


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
    assert _best((-0.2, -0.3), even, even, weights=SELECTION_WEIGHTS) == "The "


def test_a_question_keeps_a_conversation_going() -> None:
    asking, telling = rerank(
        {"Oh. Kettle.": -1.2, "Oh. Kettle?": -1.25}, [0, 0], [-1.2, -1.25], [0, 0], [], "Ann", LEXICON, GENERATION_WEIGHTS
    )
    assert (asking.text, telling.text) == ("Oh. Kettle?", "Oh. Kettle.")


def test_a_line_that_was_given_need_not_be_likely_but_likelier_here_than_elsewhere() -> None:
    here, anywhere = (-1.0, -1.5), (-1.2, -2.3)
    assert _best(here, anywhere, here) == "The "
    assert _best(here, anywhere, here, weights=SELECTION_WEIGHTS) == "More"
    assert _best((-1.0, -1.0), (-1.0, -1.2), (-1.0, -1.0), weights=SELECTION_WEIGHTS) == "More"


@pytest.mark.parametrize("weights", [GENERATION_WEIGHTS, SELECTION_WEIGHTS])
def test_of_what_is_equally_likely_what_follows_better_comes_first(weights: ScoreWeights) -> None:
    even = (-1.0, -1.0)
    assert _best(even, even, even, weights=weights, follows=(3.0, -3.0)) == "The "
    assert _best(even, even, even, weights=weights, follows=(-3.0, 3.0)) == "More"


def test_what_a_score_is_made_of_is_told() -> None:
    (only,) = rerank({"Tea?": -1.5}, [-1.25], [-2.0], [2.5], [Utterance(None, "Any tea?")], "Ann", LEXICON, GENERATION_WEIGHTS)
    assert (only.log_prob, only.unconditional_log_prob, only.anonymous_log_prob, only.repetition) == (-1.5, -1.25, -2.0, 0)
    assert (only.relevance, only.addresses_absent) == (2.5, 0)
    assert 0 < only.topic < 1


@pytest.mark.parametrize(("speaker", "last", "share"), [("Ann", "Oh.", 1.0), (None, "Oh.", 0.0), ("Ann", "What kettle?", 0.0)])
def test_what_the_persona_has_told_is_repetition_unless_somebody_asks(speaker: str | None, last: str, share: float) -> None:
    turns = [Utterance(speaker, "A kettle."), Utterance(None, last)]
    (only,) = rerank({"Kettle kettle?": -1.0}, [-1.0], [-1.0], [0.0], turns, "Ann", LEXICON, GENERATION_WEIGHTS)
    assert only.repetition == pytest.approx(share)


def test_circles() -> None:
    assert not has_repeated_ngram("I like tea now, and I like tea then.")
    assert has_repeated_ngram("Is it tea? I don't know if it is, I don't know IF it was.")
    assert has_repeated_ngram("no no no no no")
    assert not has_repeated_ngram("No, no, no, no!")
    assert not has_repeated_ngram("")


def test_who_is_not_there_is_not_called() -> None:
    lexicon = Lexicon.of((" Ann", " Bob", " Zoe", " tea", " no"))
    turns = [Utterance("Bob", "Where is Zoe?"), Utterance(None, "More tea?")]

    def absent(text: str, asked: str = "More tea?") -> bool:
        return addresses_absent_person(text, [*turns[:1], Utterance(None, asked)], "Ann", lexicon)

    assert not absent("Bob, no."), "he has said something"
    assert not absent("No, Zoe."), "she has come up"
    assert not absent("No, Zoe.", "Zoe's tea?")
    assert absent("Ann, no."), "nobody calls herself"
    assert not absent("Ann.", "What is your name?"), "but they have names"
    assert absent("Ann.", "Tell me your name.")
    assert addresses_absent_person("Zoe!", [], "Ann", lexicon)
    even = [-1.0, -1.0]
    best, worst = rerank(
        {"No, Bob.": -1.0, "No, tea.": -1.0}, even, even, [0.0, 0.0], turns[1:], "Ann", lexicon, GENERATION_WEIGHTS
    )
    assert (best.text, best.addresses_absent, worst.addresses_absent) == ("No, tea.", 0, 1)


def test_what_is_familiar_comes_first_where_it_fits_as_well() -> None:
    even = [-1.0, -1.0]
    texts = {"The kettle is on!": -1.0, "More tea for all!": -1.0}
    turns = [Utterance(None, "Well?")]
    for familiar in texts:
        best, _ = rerank(texts, even, even, [0.0, 0.0], turns, "Ann", LEXICON, GENERATION_WEIGHTS, {familiar: 0.8})
        assert (best.text, best.familiarity) == (familiar, 0.8)


def test_candidates_that_were_saved_under_old_names_are_read() -> None:
    texts = {"The kettle is on!": -1.5, "Tea.": -9.0}
    (candidate, _) = rerank(texts, [-1.25, 0], [-2.0, 0], [2.5, 0], [], "Ann", LEXICON, GENERATION_WEIGHTS)
    saved = candidate.to_json()
    assert Candidate.from_json(saved) == candidate
    old = ("here", "anywhere", "anybody", "follows", "absent")
    new = ("log_prob", "unconditional_log_prob", "anonymous_log_prob", "relevance", "addresses_absent")
    before = {name: saved.pop(now) for name, now in zip(old, new, strict=True)}
    assert Candidate.from_json(saved | before) == candidate
    for damage in ({"text": 3}, {"score": "high"}, {"colour": 1.0}):
        with pytest.raises(TypeError):
            Candidate.from_json(candidate.to_json() | damage)
