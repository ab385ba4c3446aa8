"""Conversations: turns in order, and which of them a model is to predict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from charbot.text import message


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody says in a conversation. `speaker` is None for somebody who is nobody in the show."""

    speaker: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns that are read in one go, and for each whether it is to be predicted."""

    turns: tuple[Utterance, ...]
    scored: tuple[bool, ...]
    weight: float = 1.0
    """How often an epoch of a fit reads it: of those that weigh 0.3, three in ten."""


def turns_of(data: Any) -> tuple[Utterance, ...]:
    """Turns from pairs of a speaker, or None, and a text. Raises ValueError or TypeError where `data` holds anything else."""
    turns = tuple(Utterance(speaker, text) for speaker, text in data)
    if not all(isinstance(turn.speaker, str | None) and isinstance(turn.text, str) for turn in turns):
        raise TypeError("a turn is a speaker, or nobody, and a text")
    return turns


def heard(turns: Sequence[Utterance], count: int | None = None) -> tuple[Utterance, ...]:
    """What a model reads of a conversation so far: its last `count` turns (all where it is None)
    that say anything, normalised as scripts are."""
    spoken = [Utterance(turn.speaker, text) for turn in turns if (text := message(turn.text))]
    return tuple(spoken if count is None else spoken[max(0, len(spoken) - count) :])


def whole(turns: Sequence[Utterance], weight: float = 1.0) -> Conversation:
    """A conversation with every turn to be predicted: what a base is fitted to."""
    return Conversation(tuple(turns), (True,) * len(turns), weight)


def exchange(context: Sequence[Utterance], reply: Utterance) -> Conversation:
    """An exchange: the turns before, and one reply, alone to be predicted."""
    return Conversation((*context, reply), (False,) * len(context) + (True,))


def exchanges(scene: Sequence[Utterance], context: int, character: str | None = None) -> Iterator[Conversation]:
    """Each line of a character (of everybody, if it is None) in a scene as an exchange with up to `context` turns before it."""
    for i, utterance in enumerate(scene):
        if character in (None, utterance.speaker):
            yield exchange(scene[max(0, i - context) : i], utterance)


def stretches(scene: Sequence[Utterance], character: str, context: int) -> Iterator[Conversation]:
    """A character's exchanges with those that overlap joined, so that a turn is read once however
    many replies follow it: what a persona is fitted to."""
    wanted = [utterance.speaker == character for utterance in scene]
    kept = [any(wanted[i : i + context + 1]) for i in range(len(scene))]
    start = 0
    while start < len(scene):
        end = start
        while end < len(scene) and kept[end]:
            end += 1
        if end > start:
            yield Conversation(tuple(scene[start:end]), tuple(wanted[start:end]))
        start = end + 1
