"""SubStation Alpha subtitles (.ass, .ssa): a table of events, whose column Name says who speaks."""

import re
from collections.abc import Iterator

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.subtitles import CueTagger, SpeakerNames

_FORMAT, _EVENT = re.compile(r"Format\s*:(.*)", re.I), re.compile(r"Dialogue\s*:(.*)", re.I)
_DEFAULT = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}")
_BREAK = re.compile(r"\\[Nnh]")


class SubStation:
    """SubStation Alpha files that name their speakers, in the column Name or in the text."""

    name = "ass"

    def confidence(self, text: str) -> float:
        # Other files may quote such events.
        if "[Script Info]" not in text[:2_000] and "[Events]" not in text:
            return 0.0
        events = sum(_EVENT.match(line) is not None for line in text.splitlines())
        named = sum(tag.kind == "name" for tag in self.tags(text)) if events else 0
        return min(1.0, 3 * named / events) if named > 1 else 0.0

    def brackets(self, text: str) -> str:
        return "(["

    def tags(self, text: str) -> Iterator[LineTag]:
        lines = text.splitlines()
        events = dict(_events(lines))
        tagger = CueTagger(SpeakerNames.of(speech for name, speech in events.values() if not name))
        # Where some events name their speaker in the column, the others are nobody's.
        column = any(name for name, _ in events.values())
        for number, raw in enumerate(lines, 1):
            line = raw.strip()
            if number not in events:
                if line:
                    yield LineTag(number, "aside", line, "page furniture")
                continue
            name, speech = events[number]
            tagger.begin_cue(silence=column)
            if not speech:
                yield LineTag(number, "aside", line, "nothing said")
            elif name:
                yield from tagger.turn(number, name, speech)
            else:
                yield from tagger.tags(number, speech)


def _events(lines: list[str]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield the source line, and the name and text without markup, of each event."""
    columns: tuple[str, ...] = _DEFAULT
    for number, line in enumerate(lines, 1):
        if columns_line := _FORMAT.match(line.strip()):
            names = tuple(name.strip().lower() for name in columns_line[1].split(","))
            columns = names if names[-1] == "text" else columns
        elif event := _EVENT.match(line.strip()):
            values = event[1].split(",", len(columns) - 1)
            fields = dict(zip(columns, values, strict=False))
            text = "" if _DRAWING.search(fields.get("text", "")) else fields.get("text", "")
            name = fields.get("name", fields.get("actor", "")).strip()
            yield number, (name, _OVERRIDE.sub("", _BREAK.sub(" ", text)).strip())
