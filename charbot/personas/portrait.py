"""The portrait of a persona: what it says of itself and likes to talk about, by its voice (the conversations written for it)."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass

from charbot.dialogue import Utterance
from charbot.errors import BundleError
from charbot.personas.bundle import read_voice
from charbot.personas.library import Library

Voice = Sequence[Sequence[Utterance]]
"""The conversations that were written for a persona."""

_INTRODUCTION_REQUESTS = (
    "who are you",
    "introduce yourself",
    "tell me about yourself",
    "who am i talking to",
    "tell me a bit about yourself",
)
"""Messages that ask who somebody is, the best first."""

_WORD = re.compile(r"\b[^\W\d_]{4,}\b(?!')")
"""Shorter words, and those with an apostrophe, are seldom topics."""

_MIN_CHATS = 4
"""Minimum conversations of a voice in which the persona says a topic."""

_MIN_SHARE = 0.3
"""Minimum share of the persona's conversations among those of all voices in which a topic occurs."""


@dataclass(frozen=True)
class Portrait:
    """Who a persona is, in its own words."""

    introduction: str | None
    topics: Sequence[str]
    """What it likes to talk about."""


def portrait(library: Library, name: str) -> Portrait:
    """Return the portrait of a usable persona, by its name on the card. Raises BundleError if its voice is damaged."""
    voices: dict[str, Voice] = {}
    for folder, card in library.cards():
        # A damaged voice of another persona is no obstacle.
        with nullcontext() if card.name == name else suppress(BundleError):
            voices[card.name] = read_voice(folder, card)
    return Portrait(introduction(voices[name]), topics(name, voices[name], list(voices.values())))


def introduction(voice: Voice) -> str | None:
    """Return how the persona introduces itself in one or two sentences, or None if it was never asked who it is."""
    answers = {_plain(chat[0].text): chat[1].text for chat in reversed(voice) if len(chat) > 1}
    return next((answers[question] for question in _INTRODUCTION_REQUESTS if question in answers), None)


def topics(name: str, voice: Voice, voices: Sequence[Voice], count: int = 5) -> list[str]:
    """Return the words that set a persona apart and that users say to it too, the most frequent first.

    The persona says them often, the others in `voices` seldom. Words that users never say are mannerisms.
    """
    replies = [[turn.text for turn in chat if turn.speaker == name] for chat in voice]
    spoken = _chats_with(replies)
    heard = _chats_with([turn.text for turn in chat if turn.speaker != name] for chat in voice)
    everywhere = _chats_with([turn.text for turn in chat] for other in voices for chat in other)
    special = [
        word for word, times in spoken.items() if times >= _MIN_CHATS and heard[word] and times >= _MIN_SHARE * everywhere[word]
    ]
    spellings = Counter(_WORD.findall(" ".join(text for texts in replies for text in texts)))
    forms = {form.lower(): form for form, _ in reversed(spellings.most_common())}
    chosen: list[str] = []
    for word in sorted(special, key=lambda word: (-spoken[word], word)):
        # Not the plural of a word beside it.
        if not any(word.startswith(other) or other.startswith(word) for other in chosen):
            chosen.append(word)
    return [forms[word] for word in chosen[:count]]


def _chats_with(chats: Iterable[Sequence[str]]) -> Counter[str]:
    """Return in how many of the chats, given as texts, each word occurs, in lower case."""
    counts = Counter[str]()
    for texts in chats:
        counts.update({word for text in texts for word in _WORD.findall(text.lower())})
    return counts


def _plain(message: str) -> str:
    """Return a message in lower case, without punctuation."""
    return " ".join(re.findall(r"\w+", message.lower()))
