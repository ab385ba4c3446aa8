"""Plain prose: stories, letters, anything. For a language model without personas: nobody speaks it."""

from collections.abc import Iterator

from charbot.scripts.source import Mark

NARRATOR = "Narrator"


class Prose:
    """Text with no speakers. Nothing tells it from any other text, so it must be asked for."""

    name = "prose"

    def confidence(self, text: str) -> float:
        return 0.0

    def brackets(self, text: str) -> str:
        return ""

    def marks(self, text: str) -> Iterator[Mark]:
        apart = True
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.strip()
            if line and apart:
                yield Mark(number, "name", NARRATOR)
            if line:
                yield Mark(number, "speech", line)
            apart = not line
