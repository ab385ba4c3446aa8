"""The values that reading scripts produces: a Turn as a format finds it, a Line as the corpus keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says once, as it stands in one file.

    `scene` counts from 0 within the episode; `source` is the source line where the turn begins,
    from 1. `speaker` is the name as the script writes it. `text` has the stage directions taken
    out; they are in `directions`, in order. `episode` is None where the file itself is one.
    """

    scene: int
    speaker: str
    text: str
    directions: tuple[str, ...] = ()
    source: int = 1
    episode: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A Turn with its place in the show and its speaker's canonical name.

    `position` counts the lines of the episode from 0.
    """

    show: str
    episode: str
    scene: int
    position: int
    speaker: str
    text: str
    directions: tuple[str, ...] = ()
