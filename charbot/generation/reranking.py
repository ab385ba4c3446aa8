"""Reranking: which of the candidates to say, or which of given lines.

A candidate's score is how likely it is here, how much likelier the persona is to say it than anybody, how well it answers
what was said and what it has in common with it, less what it repeats, less what it costs to address somebody who is not
there, and less how likely it is as a whole: what is that likely would be said to the next message too. Given lines lose
what they are likely after small talk instead (maximum mutual information, Li et al. 2016, "A Diversity-Promoting
Objective Function").
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from charbot.dialogue import Utterance
from charbot.generation.lexicon import Lexicon
from charbot.text import words

_RUN = 4
"""Words in a row that a reply does not say twice."""

_STOCK = -11.5
"""log p of a whole line, in nats, beyond which it is one that the persona has in stock."""


@dataclass(frozen=True)
class ScoreWeights:
    """What each feature of a candidate counts, against its log p in nats per character."""

    unconditional: float
    """Taken off, per nat: log p after small talk."""
    persona: float
    """Added, per nat: how much likelier the persona is to say it than anybody."""
    max_persona: float
    """The most that this is taken to be, or a fragment with a word of the persona's would beat every answer."""
    topic: float
    """Added: what it has in common with what was said."""
    repetition: float
    """Taken off: what it repeats."""
    half_length: float
    """Characters that make half of what likelihood can bring: in a short line it says little."""
    stock: float
    """Taken off, per nat by which log p of all of it is above _STOCK: "Yeah." fits nearly everywhere."""
    relevance: float
    """Added, per nat: how well it answers what was said, by the model's selector."""
    question: float
    """Added where it asks something."""
    absent: float
    """Taken off where it addresses somebody who is not there."""
    familiarity: float
    """Added, times how like the last message is the one that it was written for."""


GENERATION_WEIGHTS = ScoreWeights(
    unconditional=0.0, persona=24.0, max_persona=0.05, topic=1.0, repetition=1.3, half_length=0.0, stock=0.2, relevance=0.25,
    question=0.2, absent=1.0, familiarity=1.5,
)  # fmt: skip
"""For replies that the model made up: by how good readers find them (EXPERIMENTS.md)."""

SELECTION_WEIGHTS = ScoreWeights(
    unconditional=1.0, persona=0.0, max_persona=0.0, topic=0.9, repetition=0.0, half_length=30.0, stock=0.0, relevance=0.05,
    question=0.0, absent=0.0, familiarity=0.0,
)  # fmt: skip
"""For lines that somebody else wrote: by how often the true reply comes first. Unlike what a model makes up, they are
seldom likely, and what tells the right one is what it owes to what was said."""

_OLD_NAMES = {
    "here": "log_prob",
    "anywhere": "unconditional_log_prob",
    "anybody": "anonymous_log_prob",
    "follows": "relevance",
    "absent": "addresses_absent",
}
"""What features were called in conversations that were saved before."""


@dataclass(frozen=True)
class Candidate:
    """A reply to choose from, and the features that its score is made of. Log-probabilities are in nats per character, and
    0 where they count nothing."""

    text: str
    score: float
    log_prob: float
    """By the persona, here."""
    unconditional_log_prob: float
    """By the persona, after small talk."""
    anonymous_log_prob: float
    """By nobody in particular, here."""
    topic: float
    """How much it is about what was said, from 0."""
    repetition: float
    """The share of it that repeats something."""
    relevance: float = 0.0
    """How well it answers what was said, in nats; 0 where no selector tells."""
    addresses_absent: float = 0.0
    """1 where it addresses somebody who is not there."""
    familiarity: float = 0.0
    """How like the last message is the one that it was written for, from 0 to 1; 0 where it was written for none."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Candidate":
        """Return the candidate of which `to_json` made this, under whatever names its features had. Raise TypeError where
        `data` is something else."""
        candidate = cls(**{_OLD_NAMES.get(name, name): value for name, value in data.items()})
        figures = (value for name, value in asdict(candidate).items() if name != "text")
        if not isinstance(candidate.text, str) or not all(isinstance(figure, float | int) for figure in figures):
            raise TypeError("a candidate is a text and figures")
        return candidate


def rerank(
    texts: Mapping[str, float],
    unconditional: Sequence[float],
    anonymous: Sequence[float],
    relevance: Sequence[float],
    turns: Sequence[Utterance],
    persona: str,
    lexicon: Lexicon,
    weights: ScoreWeights,
    familiarity: Mapping[str, float] = MappingProxyType({}),
) -> tuple[Candidate, ...]:
    """Return candidates, the best first: texts with their log p here, that after small talk and that by anybody, and how
    well they answer the last `turns`, oldest first. `familiarity` is that of texts that were written for a message."""
    said = [turn.text for turn in turns]
    said_words = [words(text) for text in said]
    # What the persona has told is told again, unless somebody has just brought it up.
    told = {word for turn, spoken in zip(turns, said_words, strict=True) if turn.speaker == persona for word in spoken}
    told.difference_update(*said_words[-1:])
    candidates = []
    for (text, log_prob), after_small_talk, by_anybody, answers in zip(
        texts.items(), unconditional, anonymous, relevance, strict=True
    ):
        repeated = max(repetition(words(text), said_words), lexicon.overlap(text, told))
        topic = lexicon.topic_similarity(text, said)
        own = max(-weights.max_persona, min(weights.max_persona, log_prob - by_anybody))
        characters = len(text) + 1  # its end is one
        likely = log_prob - weights.unconditional * after_small_talk + weights.persona * own
        absent = float(addresses_absent_person(text, turns, persona, lexicon))
        familiar = familiarity.get(text, 0.0)
        score = likely * characters / (characters + weights.half_length)
        score += weights.relevance * answers + weights.familiarity * familiar + weights.question * ("?" in text)
        score -= weights.stock * max(0.0, log_prob * characters - _STOCK) + weights.absent * absent
        # What is only said again is about nothing.
        score += weights.topic * topic * (1 - repeated) - weights.repetition * repeated
        candidates.append(
            Candidate(text, score, log_prob, after_small_talk, by_anybody, topic, repeated, answers, absent, familiar)
        )
    return tuple(sorted(candidates, key=lambda candidate: -candidate.score))


def repetition(reply: list[str], said: Sequence[list[str]]) -> float:
    """Return how much of a reply repeats itself or what was said, counted in pairs of words: from 0 to 1."""
    if reply in said:
        return 1.0
    pairs = list(pairwise(reply))
    before = {pair for turn in said for pair in pairwise(turn)}
    repeated = sum(pair in before or pair in pairs[:i] for i, pair in enumerate(pairs))
    return repeated / max(1, len(pairs))


def has_repeated_ngram(text: str) -> bool:
    """Return whether a reply says _RUN words in a row twice."""
    said = words(text)
    runs = list(zip(*(said[start:] for start in range(_RUN)), strict=False))
    return len(set(runs)) < len(runs)


def addresses_absent_person(text: str, turns: Sequence[Utterance], persona: str, lexicon: Lexicon) -> bool:
    """Return whether a persona's reply addresses somebody by a name that has not come up, or by the persona's own: who
    talks to it is seldom Ross. Where something was asked, names alone are an answer."""
    called = lexicon.vocatives(text)
    if not called or (turns and "?" in turns[-1].text and lexicon.names.issuperset(words(text))):
        return False
    mentioned = " ".join(f"{turn.speaker or ''} {turn.text}" for turn in turns)
    there = {word.partition("'")[0] for word in words(mentioned)} - set(words(persona))
    return not there.issuperset(called)
