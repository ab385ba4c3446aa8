"""Chats of Signal as sigtop exports them to text: each message below lines that say from whom it is and when it was sent."""

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.messages import Message, message_tags

_BEGIN = re.compile(r"(?m)^From: .+\r?\n(?:Type: (?:incoming|outgoing)|Sent: )")
_NUMBER = re.compile(r" \(\+?[\d ()-]+\)$")
"""The phone number after a name."""


class SignalText:
    """Texts that sigtop wrote."""

    name = "signal-text"

    def confidence(self, text: str) -> float:
        # Most files hold no such line, and this is the quickest way to see it.
        return 1.0 if "\nSent: " in text and len(_BEGIN.findall(text)) > 2 else 0.0

    def brackets(self, text: str) -> str:
        # Whatever people type is speech.
        return ""

    def tags(self, text: str) -> Iterator[LineTag]:
        lines = [line.strip() for line in text.splitlines()]
        begins = [i for i in range(len(lines) - 1) if _BEGIN.match("\n".join(lines[i : i + 2]))]
        for number, line in enumerate(lines[: begins[0] if begins else None], 1):
            if line:
                yield LineTag(number, "omission", line, "title")
        ends = [*begins[1:], len(lines)]
        yield from message_tags(_message(lines, begin, end) for begin, end in zip(begins, ends, strict=False))


def _message(lines: list[str], begin: int, end: int) -> Message:
    """Return the message in lines of a file: its head, an empty line, its text."""
    empty = next((i for i in range(begin, end) if not lines[i]), end)
    heads = tuple((i + 1, lines[i]) for i in range(begin, empty))
    fields = dict(line.partition(": ")[::2] for _, line in heads)
    words = tuple((i + 1, lines[i]) for i in range(empty, end) if lines[i])
    return Message(words, _NUMBER.sub("", fields["From"]), _seconds(fields.get("Sent", "")), heads)


def _seconds(time: str) -> float | None:
    """Return a time as e-mails have it, in seconds; None if it is none."""
    try:
        return parsedate_to_datetime(time).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
