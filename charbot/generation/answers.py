"""Retrieval of answers from conversations that were written for a persona, by the similarity of the last message.

Retrieved answers join the generated candidates and win only if they rank higher (compare Weston, Dinan and Miller 2018,
"Retrieve and Refine").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import exp, log, sqrt

from charbot.dialogue import Utterance
from charbot.text import words

_NEAR = 0.38
"""Minimum cosine similarity of the last message to a known one, whose answer then becomes a candidate."""

_ANSWERS = 5
"""Maximum number of retrieved candidates."""

_CAPITALISED = re.compile(r"\b[A-Z]\w+")

_RARE = 3
"""Messages that have a word, at most, for the word to be a name of somebody's."""

_PAIR = 0.7
"""Weight of a word bigram, relative to a single word."""


@dataclass(frozen=True)
class Answers:
    """Conversations in which a persona answers every message of somebody else, searchable by message."""

    conversations: tuple[tuple[Utterance, ...], ...]

    @cached_property
    def openings(self) -> list[str]:
        """The messages with which the conversations begin."""
        return [chat[0].text for chat in self.conversations]

    def near(self, turns: Sequence[Utterance], meaning: Sequence[float] | None = None) -> dict[str, float]:
        """Return the answers to the known messages most similar to the last turn, each with its similarity, from _NEAR to 1,
        best first.

        A message is as similar as the words it shares or, where `meaning` tells how similar in meaning each of `openings` is,
        as the mean of both. An answer from later in a conversation is considered only if the persona has just said what it
        said before it there, and one that takes up a name of somebody's there only if the name has come up.
        """
        if not turns:
            return {}
        asked, before = self._vector(turns[-1].text), turns[-2].text if len(turns) > 1 else None
        said = {word for turn in turns for word in words(turn.text)}
        found = []
        for said_before, opening, message, answer, taken in self._exchanges:
            if not taken <= said:
                continue
            if said_before is None:
                words_shared = _cosine(asked, message)
                found.append((words_shared if meaning is None else (words_shared + max(0.0, meaning[opening])) / 2, answer))
            elif said_before == before:
                found.append((_cosine(asked, message), answer))
        found.sort(key=lambda one: -one[0])
        near: dict[str, float] = {}
        for alike, answer in found[:_ANSWERS]:
            if alike >= _NEAR:
                near.setdefault(answer, alike)
        return near

    @cached_property
    def _exchanges(self) -> list[tuple[str | None, int, dict[str, float], str, frozenset[str]]]:
        """(persona's previous turn or None, number of the conversation, message vector, answer, names that it takes up) of
        each answer."""
        return [
            (
                chat[at - 2].text if at > 1 else None,
                number,
                self._vector(chat[at - 1].text),
                chat[at].text,
                self._taken_up(chat[at].text, [turn.text for turn in chat[:at:2]]),
            )
            for number, chat in enumerate(self.conversations)
            for at in range(1, len(chat), 2)
        ]

    def _taken_up(self, answer: str, messages: Sequence[str]) -> frozenset[str]:
        """Return the rare words with a capital in an answer that the messages before it have: they are somebody's names."""
        said = {word for message in messages for word in words(message)}
        capitals = {match.casefold() for match in _CAPITALISED.findall(answer)}
        return frozenset(word for word in capitals & said if self._messages_with(word) <= _RARE)

    def _messages_with(self, word: str) -> float:
        """Return the number of messages that have a word."""
        return (1 + len(self.conversations)) / exp(self._rarity[word]) if word in self._rarity else 0

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
