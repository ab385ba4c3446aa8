"""The values that reading scripts produces: a Turn as a format finds it, a Line as the corpus stores it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a speaker, as it stands in one file."""

    scene: int
    """From 0 within the episode."""
    speaker: str
    """The name as the script writes it; empty if the file is named after the speaker."""
    text: str
    """Without stage directions."""
    directions: tuple[str, ...] = ()
    """The stage directions of the turn, in order."""
    source: int = 1
    """The source line where the turn begins, from 1."""
    episode: str | None = None
    """None if the file is a single episode."""


@dataclass(frozen=True, slots=True)
class Line:
    """A Turn with its place in the show and its speaker's canonical name."""

    show: str
    episode: str
    scene: int
    position: int
    """The number of the line within the episode, from 0."""
    speaker: str
    text: str
    directions: tuple[str, ...] = ()
