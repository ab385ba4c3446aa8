"""Retrieval of answers from conversations that were written for a persona, by the similarity of the last message.

Retrieved answers join the generated candidates and win only if they rank higher (compare Weston, Dinan and Miller 2018,
"Retrieve and Refine").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import log, sqrt

from charbot.dialogue import Utterance
from charbot.text import words

_NEAR = 0.35
"""Minimum cosine similarity of the last message to a known one, whose answer then becomes a candidate."""

_ANSWERS = 4
"""Maximum number of retrieved candidates."""

_PAIR = 0.7
"""Weight of a word bigram, relative to a single word."""


@dataclass(frozen=True)
class Answers:
    """Conversations in which a persona answers every message of somebody else, searchable by message."""

    conversations: tuple[tuple[Utterance, ...], ...]

    def near(self, turns: Sequence[Utterance]) -> dict[str, float]:
        """Return the answers to the known messages most similar to the last turn, each with its similarity, from _NEAR to 1,
        best first.

        An answer from later in a conversation is considered only if the persona has just said what it said before it there.
        """
        if not turns:
            return {}
        asked, before = self._vector(turns[-1].text), turns[-2].text if len(turns) > 1 else None
        found = [
            (_cosine(asked, message), answer)
            for said_before, message, answer in self._exchanges
            if said_before is None or said_before == before
        ]
        found.sort(key=lambda one: -one[0])
        near: dict[str, float] = {}
        for alike, answer in found[:_ANSWERS]:
            if alike >= _NEAR:
                near.setdefault(answer, alike)
        return near

    @cached_property
    def _exchanges(self) -> list[tuple[str | None, dict[str, float], str]]:
        """(persona's previous turn or None, message vector, answer) of each answer in the conversations."""
        return [
            (chat[at - 2].text if at > 1 else None, self._vector(chat[at - 1].text), chat[at].text)
            for chat in self.conversations
            for at in range(1, len(chat), 2)
        ]

    @cached_property
    def _rarity(self) -> dict[str, float]:
        """Inverse document frequency of each feature: -log of the share of messages that have it, smoothed."""
        messages = [set(_features(turn.text)) for chat in self.conversations for turn in chat[::2]]
        counts: dict[str, int] = {}
        for message in messages:
            for feature in message:
                counts[feature] = counts.get(feature, 0) + 1
        return {feature: log((1 + len(messages)) / count) for feature, count in counts.items()}

    def _vector(self, text: str) -> dict[str, float]:
        """Return the features of a text, weighted by rarity and scaled to unit length."""
        unknown = log(1 + len(self.conversations))
        weights = {
            feature: self._rarity.get(feature, unknown) * (_PAIR if " " in feature else 1.0) for feature in _features(text)
        }
        length = sqrt(sum(weight * weight for weight in weights.values()))
        return {feature: weight / length for feature, weight in weights.items()} if length else {}


def _features(text: str) -> list[str]:
    # Without apostrophes, because many people leave them out.
    said = [word.replace("'", "") for word in words(text)] or list(text)
    return [*said, *(f"{one} {other}" for one, other in pairwise(said))]


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    return sum(weight * other.get(feature, 0.0) for feature, weight in one.items())
