"""From what a format makes of each source line to turns, every line accounted for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from charbot.scripts.directions import split_directions
from charbot.scripts.line import Turn

Kind = Literal["name", "speech", "scene", "episode", "aside", "omission"]

_EXCERPT = 80


@dataclass(frozen=True, slots=True)
class Mark:
    """What a format makes of one source line, or of a part of it.

    - "name": `text` is who speaks from here on; an empty one is whom the file is named after
    - "speech": `text` is what the speaker says, directions still in it
    - "scene": a scene begins
    - "episode": an episode begins, called `text`
    - "aside": left out for `reason`; the speaker goes on after it
    - "omission": left out for `reason`; nobody speaks after it

    `line` is the source line, from 1; `part` tells apart what stands on the same line (the
    paragraphs of a page without line ends).
    """

    line: int
    kind: Kind
    text: str
    reason: str = ""
    part: int = 0

    @property
    def place(self) -> tuple[int, int]:
        return self.line, self.part


@dataclass(frozen=True, slots=True)
class Omission:
    """A source line that holds nothing that anybody says, how it begins, and what it is instead."""

    line: int
    reason: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Source:
    """What came of the lines of one file: `kept` of them are in `turns`, each of the others is an omission."""

    turns: tuple[Turn, ...]
    kept: int
    omissions: tuple[Omission, ...]


class _Assembly:
    """The turns so far, and what is known of each source line."""

    def __init__(self, brackets: str) -> None:
        self.brackets = brackets
        self.turns: list[Turn] = []
        self.kept: set[tuple[int, int]] = set()
        self.omitted: dict[tuple[int, int], Omission] = {}
        self.scene = 0
        self.episode: str | None = None
        self.name: Mark | None = None
        self.parts: list[Mark] = []
        self._scene_spoken = False

    def omit(self, mark: Mark, reason: str) -> None:
        self.omitted.setdefault(mark.place, Omission(mark.line, reason, " ".join(mark.text.split())[:_EXCERPT]))

    def begin(self, mark: Mark) -> None:
        self.finish()
        self.name, self.parts = mark, []

    def finish(self) -> None:
        """Ends the turn at hand, if any."""
        if self.name is None:
            return
        speech = split_directions([part.text for part in self.parts], self.brackets)
        if speech.text:
            self.turns.append(Turn(self.scene, self.name.text, speech.text, speech.directions, self.name.line, self.episode))
            self.kept.add(self.name.place)
            self._scene_spoken = True
        else:
            self.omit(self.name, "stage direction" if speech.directions else "nothing said")
        for part, spoken in zip(self.parts, speech.spoken, strict=True):
            if speech.text and spoken:
                self.kept.add(part.place)
            else:
                self.omit(part, "stage direction" if part.text.strip() else "nothing said")
        self.name = None

    def next_scene(self) -> None:
        self.finish()
        self.scene += self._scene_spoken
        self._scene_spoken = False


def assemble(marks: Iterable[Mark], brackets: str) -> Source:
    """The turns that `marks`, in order, make up; `brackets` open the directions inside of them."""
    found = _Assembly(brackets)
    for mark in marks:
        if mark.kind == "name":
            found.begin(mark)
        elif mark.kind == "speech" and found.name is not None:
            found.parts.append(mark)
        elif mark.kind == "speech":
            found.omit(mark, "said by nobody")
        elif mark.kind == "aside":
            found.omit(mark, mark.reason)
        else:
            found.finish()
            # Where a scene or an episode begins with a line of its own, that line says nothing itself.
            if mark.text and mark.kind != "episode":
                found.omit(mark, mark.reason or "scene heading")
            if mark.kind != "omission":
                found.next_scene()
            if mark.kind == "episode":
                found.episode, found.scene = mark.text, 0
    found.finish()
    omissions = tuple(omission for place, omission in sorted(found.omitted.items()) if place not in found.kept)
    return Source(tuple(found.turns), len(found.kept), omissions)
