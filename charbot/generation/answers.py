"""Retrieval of answers from conversations that were written for a persona, by the similarity of the last message.

Retrieved answers join the generated candidates and win only if they rank higher (compare Weston, Dinan and Miller 2018,
"Retrieve and Refine"). An answer that repeats what its message told, as a name, is given with what the user told instead.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from charbot.dialogue import Utterance
from charbot.generation.facts import PROPER, fact_asked, facts_told
from charbot.generation.paraphrases import paraphrases, wording
from charbot.generation.tfidf import Rarity, TfidfIndex, Vector
from charbot.text import words

_NEAR = 0.38
"""Minimum similarity of the last message to a known one, whose answer then becomes a candidate."""

_ANSWERS = 8
"""Maximum number of retrieved candidates."""

_RECALLED = 0.9
"""Similarity of a question for something that the user told to a known one: the kind of fact is the same."""

_RARE = 3
"""Maximum number of messages with a word that counts as a name."""

_CAPITALISED = re.compile(r"\b[A-Z]\w+")

_GIVEN_NAME = re.compile(r"(?i:\b(?:named|called|name is|name's|names|name was)) (\w+)|\b(?i:i'm|im|i am|this is) ([A-Z]\w+)")

_NAME = "somename"
"""Stands for a name in texts that are compared."""


class _Exchange(NamedTuple):
    """A message and its answer."""

    chat: int
    """Number of the conversation."""
    previous: str | None
    """The persona's turn before the message; None at the beginning of a conversation."""
    message: str
    answer: str
    borrowed: frozenset[str]
    """Names in the answer that come from messages before it."""


class _Recall(NamedTuple):
    """An answer that repeats what the user told before."""

    value: str
    """What was told."""
    answer: str


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
        said before it there, or if it recalls what the user told earlier.
        """
        if not turns:
            return {}
        query, name = _without_name(turns[-1].text)
        similar = self._similar(self._rarity.vector(query))
        previous = turns[-2].text if len(turns) > 1 else None
        mentioned = {word for turn in turns for word in words(turn.text)}
        ranked: list[tuple[float, str]] = list(self._recalled(turns))
        for number, exchange in enumerate(self._exchanges):
            similarity = similar.get(number, 0.0)
            if exchange.previous is None:
                if meaning is not None:
                    similarity = (similarity + max(0.0, meaning[exchange.chat])) / 2
            elif exchange.previous != previous:
                continue
            if similarity >= _NEAR and (answer := _addressed(exchange, name, mentioned)):
                ranked.append((similarity, answer))
        near: dict[str, float] = {}
        for similarity, answer in sorted(ranked, key=lambda pair: -pair[0]):
            near.setdefault(answer, similarity)
        return dict(list(near.items())[:_ANSWERS])

    def _recalled(self, turns: Sequence[Utterance]) -> Iterator[tuple[float, str]]:
        """Yield answers to the last turn if it asks for what the user told before."""
        asked = fact_asked(turns[-1].text)
        if asked is None:
            return
        told = [fact for turn in turns[:-1] if turn.speaker == turns[-1].speaker for fact in facts_told(turn.text)]
        value = next((fact.value for fact in reversed(told) if fact.kind == asked), None)
        if value is not None:
            for recall in self._recalls.get(asked) or self._recalls_like(asked):
                yield _RECALLED, _replaced(recall.answer, recall.value, value, proper=asked.startswith(PROPER))

    def _recalls_like(self, asked: str) -> list[_Recall]:
        """Return answers with something of the same class, as the name of a cat for that of a dog, that do not say what it is."""
        kinds = asked.partition(" ")[0] + " "
        return [
            recall
            for kind, recalls in self._recalls.items()
            if kind.startswith(kinds)
            for recall in recalls
            if kind.rpartition(" ")[2] not in words(recall.answer)
        ]

    @cached_property
    def _exchanges(self) -> list[_Exchange]:
        return [
            _Exchange(
                number,
                chat[place - 2].text if place > 1 else None,
                chat[place - 1].text,
                chat[place].text,
                self._borrowed(chat[place].text, [turn.text for turn in chat[:place:2]]),
            )
            for number, chat in enumerate(self.conversations)
            for place in range(1, len(chat), 2)
        ]

    def _similar(self, query: Vector) -> Mapping[int, float]:
        """Return the similarity of the messages of exchanges, by their numbers, or of what means the same as these."""
        index, owners = self._index
        similar: dict[int, float] = {}
        for number, similarity in index.search(query).items():
            similar[owners[number]] = max(similarity, similar.get(owners[number], 0.0))
        return similar

    @cached_property
    def _index(self) -> tuple[TfidfIndex, list[int]]:
        """An index of the messages and of their paraphrases, and the number of the exchange of each."""
        texts, owners = [], []
        for number, exchange in enumerate(self._exchanges):
            meant = () if exchange.previous else paraphrases().get(wording(exchange.message), ())
            for text in {_without_name(exchange.message)[0], *meant}:
                texts.append(text)
                owners.append(number)
        return TfidfIndex(self._rarity, texts), owners

    @cached_property
    def _rarity(self) -> Rarity:
        return Rarity.of([turn.text for chat in self.conversations for turn in chat[::2]])

    @cached_property
    def _recalls(self) -> dict[str, list[_Recall]]:
        """The answers to questions that ask for what the message before told, by the kind of fact."""
        recalls: dict[str, list[_Recall]] = {}
        for chat in self.conversations:
            if len(chat) != 4:
                continue
            told, _, question, answer = (turn.text for turn in chat)
            kind = fact_asked(question)
            for fact in facts_told(told):
                if fact.kind == kind and fact.value.casefold() in words(answer):
                    recalls.setdefault(kind, []).append(_Recall(fact.value, answer))
        return recalls

    def _borrowed(self, answer: str, messages: Sequence[str]) -> frozenset[str]:
        """Return the rare words with a capital in an answer that the messages before it have: they are somebody's names."""
        mentioned = {word for message in messages for word in words(message)}
        capitals = {match.casefold() for match in _CAPITALISED.findall(answer)}
        return frozenset(word for word in capitals & mentioned if self._rarity.counts.get(word, 0) <= _RARE)


def _addressed(exchange: _Exchange, name: str | None, mentioned: set[str]) -> str | None:
    """Return an exchange's answer, with the user's `name` for the one that its message gives; None if it has a name that nobody
    mentioned."""
    missing = exchange.borrowed - mentioned
    if not missing:
        return exchange.answer
    known = _without_name(exchange.message)[1]
    if name is None or known is None or missing != {known.casefold()}:
        return None
    return _replaced(exchange.answer, known, name)


def _without_name(text: str) -> tuple[str, str | None]:
    """Return a text with _NAME for the name that it gives, and the name; or the text and None."""
    match = _GIVEN_NAME.search(text)
    name = match and (match[1] or match[2])
    return (_replaced(text, name, _NAME), name) if name else (text, None)


def _replaced(text: str, word: str, replacement: str, *, proper: bool = True) -> str:
    """Return a text with another word for one, with a capital where that has one: at the start of sentences alone if the word
    is not a `proper` noun."""

    def spelled(match: re.Match[str]) -> str:
        begins = not match.string[: match.start()].strip() or match.string[: match.start()].rstrip().endswith((".", "!", "?"))
        capital = match[0][0].isupper() and (proper or begins)
        return replacement[:1].upper() + replacement[1:] if capital else replacement

    return re.sub(rf"(?i)\b{re.escape(word)}\b", spelled, text)
