"""Plain prose such as stories and letters, for language models without personas."""

from collections.abc import Iterator

from charbot.scripts.assembly import LineTag

NARRATOR = "Narrator"


class Prose:
    """Text without speakers. It cannot be told from other text, so it must be requested with `--format`."""

    name = "prose"

    def confidence(self, text: str) -> float:
        return 0.0

    def brackets(self, text: str) -> str:
        return ""

    def tags(self, text: str) -> Iterator[LineTag]:
        apart = True
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.strip()
            if line and apart:
                yield LineTag(number, "name", NARRATOR)
            if line:
                yield LineTag(number, "speech", line)
            apart = not line
