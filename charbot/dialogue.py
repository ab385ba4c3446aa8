"""Utterances, the turns of a conversation, which all other parts of charbot work with."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from charbot.text import prepare_message


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn of a conversation."""

    speaker: str | None
    """None for somebody who is not in the show."""
    text: str


def parse_turns(data: Any) -> tuple[Utterance, ...]:
    """Return the turns in a list of [speaker or None, text] pairs. Raises ValueError or TypeError if `data` is anything else."""
    turns = tuple(Utterance(speaker, text) for speaker, text in data)
    if not all(isinstance(turn.speaker, str | None) and isinstance(turn.text, str) for turn in turns):
        raise TypeError("a turn is a speaker, or nobody, and a text")
    return turns


def prepare_turns(turns: Sequence[Utterance], count: int | None = None) -> tuple[Utterance, ...]:
    """Return the last `count` turns that are not empty (all if it is None), normalised as scripts are."""
    # From the end: a chat program sends thousands of turns, of which few count.
    spoken = (Utterance(turn.speaker, text) for turn in reversed(turns) if (text := prepare_message(turn.text)))
    return tuple(islice(spoken, count))[::-1]
