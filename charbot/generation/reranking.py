"""Reranking: which of the candidates to say, or which of given lines.

The score of a candidate adds up how likely it is, how well it answers what was said and what it has in common with it, and
how like the last message is the one that it was written for. It loses for its length, for repetitions, and for addressing
somebody who is absent. Given lines are scored by how much likelier they are here than after small talk (maximum mutual
information, Li et al. 2016, "A Diversity-Promoting Objective Function").
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from math import exp, log
from types import MappingProxyType
from typing import Any

from charbot.dialogue import Utterance
from charbot.generation.lexicon import Lexicon
from charbot.text import words

_SAME = 0.9
"""Similarity from which on a known message means the same: more counts no more, or one answer would win every time."""

_CLEAR = 0.05
"""Difference in similarity at which the answer to the known message that is more like the last one is clearly better."""

_ALIKE = 0.69
"""Similarity from which on every answer has its turn: the commonest messages have several."""

_TEMPERATURE = 1.0
"""Of the choice between candidates, in points of the score."""

_RUN = 4
"""Length, in words, of the n-grams that a reply must not repeat."""


@dataclass(frozen=True)
class ScoreWeights:
    """What each feature of a candidate counts."""

    log_prob: float
    """Added, per nat per character: log p here."""
    unconditional: float
    """Share of log p after small talk that is subtracted from log p here."""
    half_length: float
    """Characters at which log p counts half: in a short line it says little."""
    length: float
    """Subtracted, per natural logarithm of the length in characters: long generated replies often go astray."""
    topic: float
    """Added: what it has in common with what was said."""
    repetition: float
    """Subtracted: the share of it that repeats something."""
    relevance: float
    """Added, per nat: how well it answers what was said, by the response selector."""
    absent: float
    """Subtracted where it addresses somebody who is absent."""
    familiarity: float
    """Added to what was written for a message, times how like it the last message is."""


GENERATION_WEIGHTS = ScoreWeights(
    log_prob=2.3, unconditional=0.0, half_length=0.0, length=0.8, topic=1.0, repetition=2.5, relevance=0.16, absent=1.0,
    familiarity=12.8,
)  # fmt: skip
"""For generated and retrieved replies: by a regression on blind ratings (EXPERIMENTS.md)."""

SELECTION_WEIGHTS = ScoreWeights(
    log_prob=1.0, unconditional=1.0, half_length=30.0, length=0.0, topic=0.9, repetition=0.0, relevance=0.05, absent=0.0,
    familiarity=0.0,
)  # fmt: skip
"""For lines that somebody else wrote: by how often the true reply comes first. Unlike generated replies they are seldom
likely, and what tells the right one is what it owes to what was said."""

_OLD_NAMES = {
    "here": "log_prob",
    "anywhere": "unconditional_log_prob",
    "follows": "relevance",
    "absent": "addresses_absent",
}
"""Feature names in saved conversations of older versions."""


_DROPPED = {"anybody", "anonymous_log_prob"}
"""Features that candidates in saved conversations may have, and that are not used any more."""


@dataclass(frozen=True)
class Candidate:
    """A possible reply, with its score and the features behind it.

    Log-probabilities are in nats per character; those that the weights ignore are 0.
    """

    text: str
    score: float
    log_prob: float
    """Said by the persona in this conversation."""
    unconditional_log_prob: float
    """Said by the persona after small talk."""
    topic: float
    """Topic similarity to the preceding turns, from 0."""
    repetition: float
    """Share of the text that repeats itself or the conversation, from 0 to 1."""
    relevance: float = 0.0
    """How well it answers the conversation, in nats; 0 without a response selector."""
    addresses_absent: float = 0.0
    """1 if it addresses somebody who is absent, else 0."""
    familiarity: float = 0.0
    """Similarity of the last message to the one that the text was written for, from 0 to 1; 0 for generated texts."""

    @classmethod
    def of_text(cls, text: str) -> "Candidate":
        """Return the only candidate there is: its features do not matter."""
        return cls(text, 0.0, 0.0, 0.0, 0.0, 0.0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Candidate":
        """Return the candidate that `to_json` saved, in this version or an older one. Raises TypeError if `data` is malformed."""
        candidate = cls(**{_OLD_NAMES.get(name, name): value for name, value in data.items() if name not in _DROPPED})
        figures = (value for name, value in asdict(candidate).items() if name != "text")
        if not isinstance(candidate.text, str) or not all(isinstance(figure, float | int) for figure in figures):
            raise TypeError("a candidate is a text and figures")
        return candidate


def rerank(
    texts: Mapping[str, float],
    unconditional: Sequence[float],
    relevance: Sequence[float],
    turns: Sequence[Utterance],
    persona: str,
    lexicon: Lexicon,
    weights: ScoreWeights,
    familiarity: Mapping[str, float] = MappingProxyType({}),
) -> tuple[Candidate, ...]:
    """Return candidates, best first.

    `texts` have their log p here, `unconditional` is that after small talk (nats per character), `relevance` how well they
    answer the last `turns`, oldest first. `familiarity` has those that were written for a message like the last one.
    """
    said = [turn.text for turn in turns]
    said_words = [words(text) for text in said]
    # Words of the persona's earlier turns count as repetition, unless they are in the last turn.
    told = {word for turn, spoken in zip(turns, said_words, strict=True) if turn.speaker == persona for word in spoken}
    told.difference_update(*said_words[-1:])
    candidates = []
    for (text, log_prob), after_small_talk, answers in zip(texts.items(), unconditional, relevance, strict=True):
        repeated = max(repetition(words(text), said_words), lexicon.overlap(text, told))
        topic = lexicon.topic_similarity(text, said)
        characters = len(text) + 1  # its end is one
        absent = float(addresses_absent_person(text, turns, persona, lexicon))
        familiar = familiarity.get(text, 0.0)
        likely = log_prob - weights.unconditional * after_small_talk
        score = weights.log_prob * likely * characters / (characters + weights.half_length)
        score += weights.relevance * answers + weights.familiarity * min(familiar, _SAME)
        score -= weights.length * log(characters) + weights.absent * absent
        # What only repeats is about nothing.
        score += weights.topic * topic * (1 - repeated) - weights.repetition * repeated
        candidates.append(Candidate(text, score, log_prob, after_small_talk, topic, repeated, answers, absent, familiar))
    return tuple(sorted(candidates, key=lambda candidate: -candidate.score))


def without_repeats(candidates: tuple[Candidate, ...], earlier: Collection[str]) -> tuple[Candidate, ...]:
    """Return the candidates that were not said before; all of them if there are no others."""
    return tuple(candidate for candidate in candidates if candidate.text not in earlier) or candidates


def sample_best(candidates: tuple[Candidate, ...], uniform: float) -> tuple[Candidate, ...]:
    """Return the candidates, best first, with one that is sampled from softmax(score / _TEMPERATURE) moved to the front.

    `uniform` is a random number from [0, 1). Of candidates that are about equally good, each has its turn; one that was written
    for a message that is clearly less like the last one than that of another has none.
    """
    best = max(candidate.familiarity for candidate in candidates)
    enough = min(min(best, _SAME) - _CLEAR, _ALIKE)
    masses = [
        exp((candidate.score - candidates[0].score) / _TEMPERATURE) if candidate.familiarity >= enough else 0.0
        for candidate in candidates
    ]
    sums = list(accumulate(masses))
    place = min(bisect_right(sums, uniform * sums[-1]), len(candidates) - 1)
    return candidates[place], *candidates[:place], *candidates[place + 1 :]


def repetition(reply: list[str], turns: Sequence[list[str]]) -> float:
    """Return the share of a reply's word bigrams that occur before, in it or in earlier turns, from 0 to 1.

    It is 1 if an earlier turn has the same words.
    """
    if reply in turns:
        return 1.0
    pairs = list(pairwise(reply))
    before = {pair for turn in turns for pair in pairwise(turn)}
    repeated = sum(pair in before or pair in pairs[:i] for i, pair in enumerate(pairs))
    return repeated / max(1, len(pairs))


def has_repeated_ngram(text: str) -> bool:
    """Return whether a reply contains the same _RUN words in a row twice."""
    said = words(text)
    runs = list(zip(*(said[start:] for start in range(_RUN)), strict=False))
    return len(set(runs)) < len(runs)


def addresses_absent_person(text: str, turns: Sequence[Utterance], persona: str, lexicon: Lexicon) -> bool:
    """Return whether a persona's reply addresses somebody by a name that nobody mentioned, or by the persona's own name.

    A reply that consists of names is an answer, not an address, if the last turn asks something.
    """
    called = lexicon.vocatives(text)
    if not called or (turns and "?" in turns[-1].text and lexicon.names.issuperset(words(text))):
        return False
    mentioned = " ".join(f"{turn.speaker or ''} {turn.text}" for turn in turns)
    there = {word.partition("'")[0] for word in words(mentioned)} - set(words(persona))
    return not there.issuperset(called)
