"""One character's lines without context, a record each; the file is named after who says them."""

import csv
import re
from collections.abc import Iterator

from charbot.scripts.source import Mark

_QUOTED = re.compile(r'"(?:[^"]|"")+"')


class Quotes:
    """A character's lines, one a record, quoted where they hold a comma or a quote."""

    name = "one-character"

    def confidence(self, text: str) -> float:
        lines = [line for line in text.splitlines() if line.strip()]
        quoted = sum(_QUOTED.fullmatch(line.rstrip()) is not None for line in lines)
        # Nothing but quotes says that a file is of this kind.
        return min(0.9, 3 * quoted / len(lines)) if quoted > 2 and len(lines) > 4 else 0.0

    def brackets(self, text: str) -> str:
        return "["

    def marks(self, text: str) -> Iterator[Mark]:
        lines = text.splitlines()
        reader = csv.reader(line + "\n" for line in lines)
        begin = 1
        while True:
            try:
                row = next(reader, None)
            except csv.Error:
                for number in range(begin, reader.line_num + 1):
                    yield Mark(number, "omission", lines[number - 1].strip(), "unreadable record")
                begin = reader.line_num + 1
                continue
            if row is None:
                return
            start, begin = begin, reader.line_num + 1
            said = ",".join(row)
            if said.strip():
                yield Mark(start, "scene", "")
                yield Mark(start, "name", "")
            spread = zip(lines[start - 1 : reader.line_num], said.split("\n"), strict=False)
            for number, (line, part) in enumerate(spread, start):
                if part.strip():
                    yield Mark(number, "speech", part)
                elif line.strip():
                    yield Mark(number, "aside", line, "nothing said")
