"""charbot's own format: a conversation as `/save` writes it, one turn per line, read back verbatim."""

from collections.abc import Iterator, Sequence

from charbot.dialogue import Utterance
from charbot.scripts.assembly import LineTag

_TITLE = "Written down by charbot: "


def write_charbot_text(turns: Sequence[Utterance], title: str) -> str:
    """Return a conversation as a script; every turn must have a speaker and a text of one line."""
    return f"{_TITLE}{title}\n\n" + "".join(f"{turn.speaker}: {turn.text}\n" for turn in turns)


class CharbotText:
    """Conversations that charbot saved. No bracket opens a direction: whatever people typed is speech."""

    name = "charbot"

    def confidence(self, text: str) -> float:
        return 1.0 if text.startswith(_TITLE) else 0.0

    def brackets(self, text: str) -> str:
        return ""

    def tags(self, text: str) -> Iterator[LineTag]:
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.strip()
            name, colon, speech = line.partition(": ")
            if line.startswith(_TITLE):
                yield LineTag(number, "omission", line, "title")
            elif colon and name:
                yield LineTag(number, "name", name)
                yield LineTag(number, "speech", speech)
            elif line:
                # Part of a turn that somebody wrapped by hand.
                yield LineTag(number, "speech", line)
