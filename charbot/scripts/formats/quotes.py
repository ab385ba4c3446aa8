"""One character's lines without context, one record each, in a file named after the character."""

import re
from collections.abc import Iterator

from charbot.scripts.formats.records import records
from charbot.scripts.source import Mark

_QUOTED = re.compile(r'"(?:[^"]|"")+"')


class Quotes:
    """A character's lines, one per record, quoted where they contain a comma or a quotation mark."""

    name = "one-character"

    def confidence(self, text: str) -> float:
        lines = [line for line in text.splitlines() if line.strip()]
        quoted = sum(_QUOTED.fullmatch(line.rstrip()) is not None for line in lines)
        # Quoted lines are the only sign of this format.
        return min(0.9, 3 * quoted / len(lines)) if quoted > 2 and len(lines) > 4 else 0.0

    def brackets(self, text: str) -> str:
        return "["

    def marks(self, text: str) -> Iterator[Mark]:
        lines = text.splitlines()
        for record in records(lines):
            own = lines[record.first - 1 : record.last]
            if record.error:
                yield Mark(record.first, "omission", own[0].strip(), "unreadable record")
                continue
            said = ",".join(record.fields)
            if said.strip():
                yield Mark(record.first, "scene", "")
                yield Mark(record.first, "name", "")
            for number, (line, part) in enumerate(zip(own, said.split("\n"), strict=False), record.first):
                if part.strip():
                    yield Mark(number, "speech", part)
                elif line.strip():
                    yield Mark(number, "aside", line, "nothing said")
