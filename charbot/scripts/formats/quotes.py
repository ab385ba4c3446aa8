"""One character's lines without context, one record each, in a file named after the character."""

import re
from collections.abc import Iterator

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.csv_records import records

_QUOTED = re.compile(r'"(?:[^"]|"")+"')


class Quotes:
    """A character's lines, one per record, quoted where they contain a comma or a quotation mark."""

    name = "one-character"

    def confidence(self, text: str) -> float:
        lines = [line for line in text.splitlines() if line.strip()]
        quoted = sum(_QUOTED.fullmatch(line.rstrip()) is not None for line in lines if line[0] == '"')
        # Quoted lines are the only sign of this format.
        return min(0.9, 3 * quoted / len(lines)) if quoted > 2 and len(lines) > 4 else 0.0

    def brackets(self, text: str) -> str:
        return "["

    def tags(self, text: str) -> Iterator[LineTag]:
        lines = text.splitlines()
        for record in records(lines):
            source = lines[record.first - 1 : record.last]
            if record.error:
                yield LineTag(record.first, "omission", source[0].strip(), "unreadable record")
                continue
            speech = ",".join(record.fields)
            if speech.strip():
                yield LineTag(record.first, "scene", "")
                yield LineTag(record.first, "name", "")
            for number, (line, part) in enumerate(zip(source, speech.split("\n"), strict=False), record.first):
                if part.strip():
                    yield LineTag(number, "speech", part)
                elif line.strip():
                    yield LineTag(number, "aside", line, "nothing said")
