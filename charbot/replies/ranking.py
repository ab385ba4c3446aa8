"""Which of the replies that were drawn to say, or of the lines that were given.

Candidates are scored by how likely they are here, plus how much more likely the persona is to say them than anybody, plus
how well they follow what was said and what they have in common with it, plus asking something, minus what they repeat,
minus calling somebody who is not there, and minus being so likely that they would be said to the next message too. Given
lines lose what they are likely after anything instead (maximum mutual information, Li et al. 2016, "A
Diversity-Promoting Objective Function").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from charbot.corpus.conversation import Utterance
from charbot.replies.lexicon import Lexicon
from charbot.text import words

_CIRCLE = 4
"""Words in a row that say: this was here before."""

_STOCK = -11.5
"""log p of a whole line, in nats, beyond which it is one that the persona has in stock."""


@dataclass(frozen=True)
class Weights:
    """What counts in a score, against log p here in nats a character: less log p after small talk, how much likelier the
    persona is than anybody, and the most that it is taken to be, or a fragment with a word of the persona's beats every
    answer; what is in common with what was said, less what it repeats; how many characters make half of what likelihood
    can bring, which in a short line says little; less each nat by which a whole line is likelier than _STOCK: "Yeah." fits
    nearly everywhere, and is no conversation; how well it follows what was said, by the model's selector; what it is worth
    to ask something; less what calling somebody costs who is not there; and what it is worth to have been written for such a
    message."""

    anywhere: float
    persona: float
    most_persona: float
    topic: float
    repetition: float
    half_length: float
    stock: float
    follows: float
    asks: float
    absent: float
    known: float


DRAWN = Weights(
    anywhere=0.0, persona=24.0, most_persona=0.05, topic=1.0, repetition=1.3, half_length=0.0, stock=0.2, follows=0.25,
    asks=0.2, absent=1.0, known=1.5,
)  # fmt: skip
"""For replies that the model drew: by how good readers find them, how like the persona's lines they are, how seldom one is
said twice, and how often one asks (EXPERIMENTS.md). What the model draws is likely, and readers hold nothing against what is
likely anywhere."""

GIVEN = Weights(
    anywhere=1.0, persona=0.0, most_persona=0.0, topic=0.9, repetition=0.0, half_length=30.0, stock=0.0, follows=0.05,
    asks=0.0, absent=0.0, known=0.0,
)  # fmt: skip
"""For lines that somebody else wrote: by how often the true reply comes first. Unlike what a model draws, they are seldom
likely, and what tells the right one is what it owes to what was said."""


@dataclass(frozen=True)
class Candidate:
    """A reply that was drawn, and what its score is made of: log p here, after small talk and by anybody, each in nats a
    character (0 where it counts nothing), how much it is about what was said, the share of it that repeats something, how
    well it follows what was said, in nats (0 where no selector tells), 1 where it calls somebody who is not there, and how
    like what was said the message is that it was written for, from 0 to 1 (0 where it was written for none)."""

    text: str
    score: float
    here: float
    anywhere: float
    anybody: float
    topic: float
    repetition: float
    follows: float = 0.0
    absent: float = 0.0
    known: float = 0.0


def ranked(
    texts: Mapping[str, float],
    anywhere: Sequence[float],
    anybody: Sequence[float],
    follows: Sequence[float],
    turns: Sequence[Utterance],
    persona: str,
    lexicon: Lexicon,
    weights: Weights,
    known: Mapping[str, float] = MappingProxyType({}),
) -> tuple[Candidate, ...]:
    """Candidates, the best first: texts with their log p here, after small talk and by anybody, and how well they follow
    the last `turns`, oldest first; `known` says of those that were written for a message how like the last turn it is."""
    said = [turn.text for turn in turns]
    said_words = [words(text) for text in said]
    # What the persona has told is told again, unless somebody has just brought it up.
    told = {word for turn, spoken in zip(turns, said_words, strict=True) if turn.speaker == persona for word in spoken}
    told.difference_update(*said_words[-1:])
    found = []
    for (text, here), after_anything, by_anybody, after_this in zip(texts.items(), anywhere, anybody, follows, strict=True):
        repeated = max(repetition(words(text), said_words), lexicon.part_of(text, told))
        about = lexicon.shared(text, said)
        own = max(-weights.most_persona, min(weights.most_persona, here - by_anybody))
        fit = here - weights.anywhere * after_anything + weights.persona * own
        characters = len(text) + 1  # its end is one
        score = fit * characters / (characters + weights.half_length) + weights.follows * after_this
        score += weights.asks * ("?" in text) - weights.stock * max(0.0, here * characters - _STOCK)
        absent = float(calls_somebody_absent(text, turns, persona, lexicon))
        # What is only said again is about nothing.
        score += weights.known * known.get(text, 0.0)
        score += weights.topic * about * (1 - repeated) - weights.repetition * repeated - weights.absent * absent
        found.append(
            Candidate(text, score, here, after_anything, by_anybody, about, repeated, after_this, absent, known.get(text, 0.0))
        )
    return tuple(sorted(found, key=lambda candidate: -candidate.score))


def repetition(reply: list[str], said: Sequence[list[str]]) -> float:
    """From 0 to 1: how much of a reply repeats itself or what was said, counted in pairs of words."""
    if reply in said:
        return 1.0
    pairs = list(pairwise(reply))
    before = {pair for turn in said for pair in pairwise(turn)}
    repeated = sum(pair in before or pair in pairs[:i] for i, pair in enumerate(pairs))
    return repeated / max(1, len(pairs))


def goes_in_circles(text: str) -> bool:
    """Whether a reply says _CIRCLE words in a row twice."""
    said = words(text)
    runs = list(zip(*(said[start:] for start in range(_CIRCLE)), strict=False))
    return len(set(runs)) < len(runs)


def calls_somebody_absent(text: str, turns: Sequence[Utterance], persona: str, lexicon: Lexicon) -> bool:
    """Whether a persona's reply calls somebody by a name that has not come up, or by the persona's own: who talks to it is
    seldom Ross. Where something was asked, names alone are an answer."""
    called = lexicon.called(text)
    if not called or (turns and "?" in turns[-1].text and lexicon.names.issuperset(words(text))):
        return False
    heard = " ".join(f"{turn.speaker or ''} {turn.text}" for turn in turns)
    there = {word.partition("'")[0] for word in words(heard)} - set(words(persona))
    return not there.issuperset(called)
