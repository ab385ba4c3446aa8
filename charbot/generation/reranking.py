"""Reranking of generated candidates, or of given lines, as replies.

The score of a generated candidate adds up its log-probability, how much likelier the persona is to say it than an anonymous
speaker, its relevance and its topic similarity to what was said. It is lowered for repetition, for addressing somebody
absent, and for stock phrases: lines so likely as a whole that they fit any message. Given lines are instead penalised by their
log-probability after small talk (maximum mutual information, Li et al. 2016, "A Diversity-Promoting Objective Function").
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
"""Length, in words, of the n-grams that a reply must not repeat."""

_STOCK = -11.5
"""log p of a whole line, in nats, above which it counts as a stock phrase."""


@dataclass(frozen=True)
class ScoreWeights:
    """Weights of a candidate's features in its score, relative to its log p in nats per character."""

    unconditional: float
    """Subtracted, per nat of log p after small talk (MMI)."""
    persona: float
    """Added, per nat by which log p is higher for the persona than for an anonymous speaker."""
    max_persona: float
    """Bound of that difference, in nats: otherwise a fragment with a typical word of the persona would beat every answer."""
    topic: float
    """Added, times topic similarity to the preceding turns."""
    repetition: float
    """Subtracted, times the share that is repetition."""
    half_length: float
    """Length in characters at which likelihood counts half: that of short lines says little."""
    stock: float
    """Subtracted, per nat by which log p of the whole line exceeds _STOCK: "Yeah." fits nearly everywhere."""
    relevance: float
    """Added, per nat of relevance by the response selector."""
    question: float
    """Added if it asks something."""
    absent: float
    """Subtracted if it addresses somebody who is absent."""
    familiarity: float
    """Added, times the similarity of the last message to the one that the text was written for."""


GENERATION_WEIGHTS = ScoreWeights(
    unconditional=0.0, persona=24.0, max_persona=0.05, topic=1.0, repetition=1.3, half_length=0.0, stock=0.2, relevance=0.25,
    question=0.2, absent=1.0, familiarity=1.5,
)  # fmt: skip
"""Weights for generated replies, tuned to readers' judgements (EXPERIMENTS.md)."""

SELECTION_WEIGHTS = ScoreWeights(
    unconditional=1.0, persona=0.0, max_persona=0.0, topic=0.9, repetition=0.0, half_length=30.0, stock=0.0, relevance=0.05,
    question=0.0, absent=0.0, familiarity=0.0,
)  # fmt: skip
"""Weights for given lines, tuned to how often the true reply comes first. Human lines are seldom likely, so that what
matters is how much the context raises their probability."""

_OLD_NAMES = {
    "here": "log_prob",
    "anywhere": "unconditional_log_prob",
    "anybody": "anonymous_log_prob",
    "follows": "relevance",
    "absent": "addresses_absent",
}
"""Feature names in saved conversations of older versions."""


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
    anonymous_log_prob: float
    """Said by an anonymous speaker in this conversation."""
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

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Candidate":
        """Return the candidate that `to_json` saved, in this version or an older one. Raises TypeError if `data` is malformed."""
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
    """Return texts as scored candidates, best first.

    `texts` maps each text to its log p in the conversation. `unconditional`, `anonymous` and `relevance` hold its further
    features, in the same order. `turns` is the conversation, oldest first. `familiarity` is given for retrieved texts only.
    """
    said = [turn.text for turn in turns]
    said_words = [words(text) for text in said]
    # Words of the persona's earlier turns count as repetition, unless they are in the last turn.
    told = {word for turn, spoken in zip(turns, said_words, strict=True) if turn.speaker == persona for word in spoken}
    told.difference_update(*said_words[-1:])
    candidates = []
    for (text, log_prob), after_small_talk, by_anybody, answers in zip(
        texts.items(), unconditional, anonymous, relevance, strict=True
    ):
        repeated = max(repetition(words(text), said_words), lexicon.overlap(text, told))
        topic = lexicon.topic_similarity(text, said)
        own = max(-weights.max_persona, min(weights.max_persona, log_prob - by_anybody))
        characters = len(text) + 1  # the end counts as one
        likely = log_prob - weights.unconditional * after_small_talk + weights.persona * own
        absent = float(addresses_absent_person(text, turns, persona, lexicon))
        familiar = familiarity.get(text, 0.0)
        score = likely * characters / (characters + weights.half_length)
        score += weights.relevance * answers + weights.familiarity * familiar + weights.question * ("?" in text)
        score -= weights.stock * max(0.0, log_prob * characters - _STOCK) + weights.absent * absent
        # Topic similarity that is due to repetition does not count.
        score += weights.topic * topic * (1 - repeated) - weights.repetition * repeated
        candidates.append(
            Candidate(text, score, log_prob, after_small_talk, by_anybody, topic, repeated, answers, absent, familiar)
        )
    return tuple(sorted(candidates, key=lambda candidate: -candidate.score))


def repetition(reply: list[str], said: Sequence[list[str]]) -> float:
    """Return the share of a reply's word bigrams that occur before, in it or in earlier turns, from 0 to 1.

    It is 1 if an earlier turn has the same words.
    """
    if reply in said:
        return 1.0
    pairs = list(pairwise(reply))
    before = {pair for turn in said for pair in pairwise(turn)}
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
