import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    sample_best,
    without_repeats,
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
    log_probs: tuple[float, float],
    unconditional: tuple[float, float] = (-1.0, -1.0),
    said: str = "",
    weights: ScoreWeights = GENERATION_WEIGHTS,
    relevance: tuple[float, float] = (0.0, 0.0),
) -> str:
    texts = dict(zip(("The kettle is on!", "More tea for all!"), log_probs, strict=True))
    return rerank(texts, unconditional, relevance, [Utterance(None, said)], "Ann", LEXICON, weights)[0].text[:4]


def test_what_is_likely_here_and_about_what_was_said_comes_first() -> None:
    assert _best((-1.0, -1.2)) == "The "
    assert _best((-1.2, -1.0)) == "More"
    even = (-1.0, -1.01)
    assert _best(even) == "The "
    assert _best(even, said="The kettle is on?") == "More", "the other only repeats"
    assert _best(even, said="All that tea!") == "More", "it is about tea"
    assert _best((-0.5, -1.0), said="The kettle is on!") == "More", "what was said is likely, and is not said again"


def test_of_what_is_equally_likely_the_shorter_comes_first() -> None:
    texts = {"More tea is for all on more tea for the kettle.": -1.0, "More tea.": -1.0}
    assert rerank(texts, [0, 0], [0, 0], [], "Ann", LEXICON, GENERATION_WEIGHTS)[0].text == "More tea."


def test_a_line_that_was_given_need_not_be_likely_but_likelier_here_than_elsewhere() -> None:
    assert _best((-1.0, -1.5), (-1.2, -2.3)) == "The "
    assert _best((-1.0, -1.5), (-1.2, -2.3), weights=SELECTION_WEIGHTS) == "More"
    assert _best((-1.0, -1.0), (-1.0, -1.2), weights=SELECTION_WEIGHTS) == "More"


@pytest.mark.parametrize("weights", [GENERATION_WEIGHTS, SELECTION_WEIGHTS])
def test_of_what_is_equally_likely_what_answers_better_comes_first(weights: ScoreWeights) -> None:
    even = (-1.0, -1.0)
    assert _best(even, weights=weights, relevance=(3.0, -3.0)) == "The "
    assert _best(even, weights=weights, relevance=(-3.0, 3.0)) == "More"


def test_the_features_of_a_score_are_told() -> None:
    (only,) = rerank({"Tea?": -1.5}, [-1.25], [2.5], [Utterance(None, "Any tea?")], "Ann", LEXICON, GENERATION_WEIGHTS)
    assert (only.log_prob, only.unconditional_log_prob, only.repetition) == (-1.5, -1.25, 0)
    assert (only.relevance, only.addresses_absent) == (2.5, 0)
    assert 0 < only.topic < 1


@pytest.mark.parametrize(("speaker", "last", "share"), [("Ann", "Oh.", 1.0), (None, "Oh.", 0.0), ("Ann", "What kettle?", 0.0)])
def test_what_the_persona_has_told_is_repetition_unless_somebody_asks(speaker: str | None, last: str, share: float) -> None:
    turns = [Utterance(speaker, "A kettle."), Utterance(None, last)]
    (only,) = rerank({"Kettle kettle?": -1.0}, [-1.0], [0.0], turns, "Ann", LEXICON, GENERATION_WEIGHTS)
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
    best, worst = rerank({"No, Bob.": -1.0, "No, tea.": -1.0}, even, [0.0, 0.0], turns[1:], "Ann", lexicon, GENERATION_WEIGHTS)
    assert (best.text, best.addresses_absent, worst.addresses_absent) == ("No, tea.", 0, 1)


def test_what_is_familiar_comes_first_where_it_fits_as_well() -> None:
    even = [-1.0, -1.0]
    texts = {"The kettle is on!": -1.0, "More tea for all!": -1.0}
    turns = [Utterance(None, "Well?")]
    for familiar in texts:
        best, _ = rerank(texts, even, [0.0, 0.0], turns, "Ann", LEXICON, GENERATION_WEIGHTS, {familiar: 0.8})
        assert (best.text, best.familiarity) == (familiar, 0.8)


def test_candidates_that_were_saved_under_old_names_are_read() -> None:
    texts = {"The kettle is on!": -1.5, "Tea.": -9.0}
    (candidate, _) = rerank(texts, [-1.25, 0], [2.5, 0], [], "Ann", LEXICON, GENERATION_WEIGHTS)
    saved = candidate.to_json()
    assert Candidate.from_json(saved) == candidate
    old = ("here", "anywhere", "follows", "absent")
    new = ("log_prob", "unconditional_log_prob", "relevance", "addresses_absent")
    before = {name: saved.pop(now) for name, now in zip(old, new, strict=True)} | {"anybody": -2.0}
    assert Candidate.from_json(saved | before) == candidate
    for damage in ({"text": 3}, {"score": "high"}, {"colour": 1.0}):
        with pytest.raises(TypeError):
            Candidate.from_json(candidate.to_json() | damage)


def _candidates(*scores: float) -> tuple[Candidate, ...]:
    return tuple(Candidate(f"{number}", score, 0, 0, 0, 0) for number, score in enumerate(scores))


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=9), st.floats(0, 1, exclude_max=True))
def test_one_is_sampled_and_the_others_keep_their_order(scores: list[float], uniform: float) -> None:
    candidates = _candidates(*sorted(scores, reverse=True))
    first, *rest = sample_best(candidates, uniform)
    assert rest == [candidate for candidate in candidates if candidate is not first]


def test_what_is_about_as_good_has_its_turn_and_what_is_bad_has_none() -> None:
    candidates = _candidates(3.0, 3.0, -9.0)
    chosen = [sample_best(candidates, step / 100)[0].text for step in range(100)]
    assert chosen == ["0"] * 50 + ["1"] * 50


def test_what_was_said_is_left_out_unless_there_is_nothing_else() -> None:
    candidates = _candidates(2.0, 1.0)
    assert without_repeats(candidates, ["0"]) == candidates[1:]
    assert without_repeats(candidates, ["0", "1"]) == candidates
