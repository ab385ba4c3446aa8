"""Written messages with their answers, and what of an answer depends on what was said."""

import re
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from charbot.dialogue import Utterance
from charbot.generation.facts import name_given
from charbot.generation.sentences import asks
from charbot.generation.sentiment import Sentiment, sentiment
from charbot.generation.spelling import respelled
from charbot.text import words

_RARE = 3
"""Maximum number of messages with a word that counts as a name."""

_FIRST = frozenset({"i", "im", "my", "me", "mine"})
_SECOND = frozenset({"you", "your", "u", "ur", "youre", "yours"})

_SHOUTED = 3
"""Maximum length of names that are kept in capitals, as initials are."""

_CAPITALISED = re.compile(r"\b[A-Z]\w+")

_NUMBER = re.compile(r"\d+")

_NONE: frozenset[str] = frozenset()
"""The one empty set of all exchanges: most are empty, and thousands of them would take megabytes."""

_NAME = "somename"
"""Stands for a name in texts that are compared."""


class Heard(NamedTuple):
    """What an answer to a message must not contradict."""

    numbers: Set[str]
    words: Set[str]
    person: Set[str]
    """Whom it asks about: {"i"} for its writer, {"you"} for the persona, nothing if for neither or both."""
    feeling: Sentiment

    @classmethod
    def of(cls, message: str, part: str) -> "Heard":
        """Return that of a `part` of a message."""
        return cls(_numbers(message), set(words(message)), _person(part), sentiment(part))


class Exchange(NamedTuple):
    """A message and its answer."""

    message: str
    answer: str
    borrowed: frozenset[str]
    """Names in the answer that come from the messages before it."""
    numbers: frozenset[str]
    """Numbers in the message: the answer is wrong for others."""
    names: frozenset[str]
    """Names of others in the message, likewise."""
    person: frozenset[str]
    """Whom it asks about: see Heard."""

    @classmethod
    def of(cls, chat: Sequence[Utterance], place: int, names: frozenset[str], counts: Mapping[str, int]) -> "Exchange":
        """Return the exchange that ends at a place in a conversation; `counts` tell how many messages have each word.

        Names in a question, among `names`, must be in the message that is answered; what is told of somebody may be told of
        anybody.
        """
        message, answer = chat[place - 1].text, chat[place].text
        others = names.intersection(words(message)) if asks(message) else _NONE
        borrowed = _borrowed(answer, [turn.text for turn in chat[:place:2]], counts)
        return cls(message, answer, borrowed or _NONE, _numbers(message), others or _NONE, _person(message))

    def may_answer(self, heard: Heard) -> bool:
        """Return whether the answer contradicts nothing of a message."""
        fits = self.numbers <= heard.numbers and self.names <= heard.words and len(self.person | heard.person) < 2
        return fits and {heard.feeling, sentiment(self.message)} != {Sentiment.GOOD, Sentiment.BAD}

    def answer_for(self, name: str | None, mentioned: Set[str]) -> str | None:
        """Return the answer, with the user's `name` for the one that the message gives; None if it has a name that nobody
        mentioned."""
        missing = self.borrowed - mentioned
        if not missing:
            return self.answer
        known = without_name(self.message)[1]
        if name is None or known is None or missing != {known.casefold()}:
            return None
        return replaced(self.answer, known, name)


def mentioned_words(turns: Sequence[Utterance]) -> set[str]:
    """Return the words of some turns."""
    return {word for turn in turns for word in words(respelled(turn.text))}


def without_name(text: str) -> tuple[str, str | None]:
    """Return a text with the same word for every name that it may give, and the name; or the text and None."""
    name = name_given(text)
    return (replaced(text, name, _NAME), name) if name else (text, None)


def replaced(text: str, word: str, replacement: str, *, proper: bool = True) -> str:
    """Return a text with another word for one, with a capital where that has one: at the start of sentences alone if the word
    is not a `proper` noun."""

    if len(replacement) > _SHOUTED and replacement.isupper():
        replacement = replacement.capitalize()

    def spelled(match: re.Match[str]) -> str:
        begins = not match.string[: match.start()].strip() or match.string[: match.start()].rstrip().endswith((".", "!", "?"))
        capital = match[0][0].isupper() and (proper or begins)
        if not capital:
            return replacement
        first, *rest = replacement.split(" ")
        return " ".join([first[:1].upper() + first[1:], *(word[:1].upper() + word[1:] if proper else word for word in rest)])

    return re.sub(rf"(?i)\b{re.escape(word)}\b", spelled, text)


def filled(answer: str, text: str) -> str:
    """Return an answer with a text in its gap: {X}, or {x} inside a sentence."""
    inside = text if text.startswith(("I ", "I'")) else text[:1].lower() + text[1:]
    return answer.replace("{X}", text).replace("{x}", inside)


def _numbers(message: str) -> frozenset[str]:
    return frozenset(_NUMBER.findall(message)) or _NONE


def _person(message: str) -> frozenset[str]:
    spoken = [word.partition("'")[0] for word in words(message)]
    first, second = not _FIRST.isdisjoint(spoken), not _SECOND.isdisjoint(spoken)
    return frozenset({"i" if first else "you"}) if asks(message) and first != second else _NONE


def _borrowed(answer: str, messages: Sequence[str], counts: Mapping[str, int]) -> frozenset[str]:
    """Return the rare words with a capital in an answer that the messages before it have: they are somebody's names."""
    mentioned = {word for message in messages for word in words(message)}
    capitals = {match.casefold() for match in _CAPITALISED.findall(answer)}
    return frozenset(word for word in capitals & mentioned if counts.get(word, 0) <= _RARE)
