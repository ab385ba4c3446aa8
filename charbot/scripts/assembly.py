"""Assemble the tags that a format gives to source lines into turns, accounting for every line."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from charbot.scripts.directions import split_directions
from charbot.scripts.line import Turn

Kind = Literal["name", "speech", "scene", "episode", "aside", "omission"]

_EXCERPT = 80


class LineTag(NamedTuple):
    """The role that a format gives to one source line, or to a part of it.

    The kinds are:

    - "name": `text` is the speaker from here on; if it is empty, the file is named after the speaker
    - "speech": `text` is speech, with its directions
    - "scene": a scene begins
    - "episode": an episode begins, called `text`
    - "aside": left out for `reason`; the speaker continues after it
    - "omission": left out for `reason`; nobody speaks after it
    """

    line: int
    """The source line, from 1."""
    kind: Kind
    text: str
    reason: str = ""
    part: int = 0
    """Distinguishes parts of the same source line, such as the paragraphs of a page without line ends."""

    @property
    def place(self) -> tuple[int, int]:
        return self.line, self.part


@dataclass(frozen=True, slots=True)
class Omission:
    """A source line without speech."""

    line: int
    reason: str
    """The content that it has instead, such as "credits"."""
    excerpt: str
    """The beginning of the line."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The turns of one file, and its source lines that are in none."""

    turns: tuple[Turn, ...]
    kept: int
    """The number of source lines, or parts of them, that are in `turns`; each of the others is an omission."""
    omissions: tuple[Omission, ...]


class _Assembly:
    """The turns so far, and the source lines kept and omitted."""

    def __init__(self, brackets: str) -> None:
        self.brackets = brackets
        self.turns: list[Turn] = []
        self.kept: set[tuple[int, int]] = set()
        self.omitted: dict[tuple[int, int], Omission] = {}
        self.scene = 0
        self.episode: str | None = None
        self.name: LineTag | None = None
        self.parts: list[LineTag] = []
        self._scene_spoken = False

    def omit(self, tag: LineTag, reason: str) -> None:
        self.omitted.setdefault(tag.place, Omission(tag.line, reason, " ".join(tag.text.split())[:_EXCERPT]))

    def begin(self, tag: LineTag) -> None:
        self.finish()
        self.name, self.parts = tag, []

    def finish(self) -> None:
        """End the current turn, if any."""
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


def assemble(tags: Iterable[LineTag], brackets: str) -> Transcript:
    """Assemble `tags`, in order, into turns; `brackets` open the directions in their speech."""
    assembly = _Assembly(brackets)
    for tag in tags:
        if tag.kind == "name":
            assembly.begin(tag)
        elif tag.kind == "speech" and assembly.name is not None:
            assembly.parts.append(tag)
        elif tag.kind == "speech":
            assembly.omit(tag, "said by nobody")
        elif tag.kind == "aside":
            assembly.omit(tag, tag.reason)
        else:
            assembly.finish()
            # A tag with text is a source line without speech, except that the text of an episode is its name.
            if tag.text and tag.kind != "episode":
                assembly.omit(tag, tag.reason or "scene heading")
            if tag.kind != "omission":
                assembly.next_scene()
            if tag.kind == "episode":
                assembly.episode, assembly.scene = tag.text, 0
    assembly.finish()
    omissions = tuple(omission for place, omission in sorted(assembly.omitted.items()) if place not in assembly.kept)
    return Transcript(tuple(assembly.turns), len(assembly.kept), omissions)
