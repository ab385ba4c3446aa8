"""The lines of Cornell's movie dialogues: fields between " +++$+++ ", one line of dialogue per record, newest first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.columns import kind_of, plain

_MARK = "+++$+++"
_FIELDS = re.compile(rf"\s*{re.escape(_MARK)} ?")
_ID = re.compile(r"L(\d{1,9})")


@dataclass(frozen=True, slots=True)
class _Record:
    """A line of dialogue."""

    number: int
    """The source line."""
    place: int
    """The number in its id: lines of one conversation have consecutive ones."""
    movie: str
    speaker: str
    text: str


def _record(number: int, line: str) -> _Record | None:
    fields = _FIELDS.split(line, maxsplit=4)
    place = _ID.fullmatch(fields[0].strip())
    return _Record(number, int(place[1]), fields[2], fields[3].strip(), fields[4]) if place and len(fields) == 5 else None


class Cornell:
    """Cornell's movie_lines.txt, and tables of its form."""

    name = "cornell"

    def confidence(self, text: str) -> float:
        begin = text[:20_000]
        lines = [line for line in begin.splitlines()[:50] if line.strip()] if _MARK in begin else []
        records = sum(_record(1, line) is not None for line in lines)
        return 0.95 if records > 0.8 * len(lines) > 1 else 0.0

    def brackets(self, text: str) -> str:
        return "(["

    def tags(self, text: str) -> Iterator[LineTag]:
        movies: dict[str, list[_Record]] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if record := _record(number, line):
                movies.setdefault(record.movie, []).append(record)
            elif line.strip():
                yield LineTag(number, "omission", line, "unreadable record")
        for movie, records in movies.items():
            yield LineTag(records[-1].number, "episode", movie)
            place = records[-1].place
            for record in reversed(records):
                if abs(record.place - place) > 1:
                    yield LineTag(record.number, "scene", "")
                place = record.place
                yield from _turn(record)


def _turn(record: _Record) -> Iterator[LineTag]:
    if kind_of(record.speaker) == "name":
        yield LineTag(record.number, "name", record.speaker)
        yield LineTag(record.number, "speech", plain(record.text))
    else:
        yield LineTag(record.number, "omission", record.text or record.speaker, "said by nobody")
