"""Chats as CSV: tables with a column of times, such as DiscordChatExporter's."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.columns import kind_of
from charbot.scripts.formats.csv_records import Record, records, table_lines
from charbot.scripts.formats.messages import Message, message_tags, oldest_first
from charbot.scripts.formats.table_header import Header, find_header, first_lines

_TIMES = ("date", "time", "timestamp", "datetime", "sent at", "created at", "date time")
_SAMPLE = 50
"""Number of records whose times must be readable."""


class ChatTable:
    """Tables of messages with the times at which they were sent."""

    name = "chat-csv"

    def confidence(self, text: str) -> float:
        return 0.96 if _time_column(text) else 0.0

    def brackets(self, text: str) -> str:
        # Whatever people type is speech.
        return ""

    def tags(self, text: str) -> Iterator[LineTag]:
        table = _time_column(text)
        lines = table_lines(text)
        if table is None:
            return
        header, column = table
        messages = []
        for record in records(lines, header.delimiter):
            if record.error or len(record.fields) <= max(column, *header.fields.values()):
                if any(record.fields) or record.error:
                    yield LineTag(record.first, "omission", lines[record.first - 1], "unreadable record")
            elif record.fields == header.columns:
                yield LineTag(record.first, "omission", header.delimiter.join(record.fields), "title")
            elif any(map(str.strip, record.fields)):
                messages.append(_message(record, header, column))
        yield from message_tags(oldest_first(messages))


def _time_column(text: str) -> tuple[Header, int] | None:
    """Return the header of a table of messages and the index of its column of times; None for any other text."""
    # Most files have no such column, and this is the quickest way to see it. The header may be below "sep=;".
    begin = " ".join(text[:1_000].lstrip("\r\n").lower().split("\n")[:2])
    header = find_header(text) if any(name.split()[0] in begin for name in _TIMES) else None
    if header is None or not header.columns:
        return None
    names = [" ".join(column.lower().replace("_", " ").split()) for column in header.columns]
    column = next((names.index(name) for name in _TIMES if name in names), None)
    if column is None:
        return None
    rows = islice(records(first_lines(text)[1:-1], header.delimiter), _SAMPLE)
    times = [record.fields[column] for record in rows if len(record.fields) == len(names)]
    return (header, column) if times and all(_seconds(time) is not None for time in times) else None


def _message(record: Record, header: Header, column: int) -> Message:
    """Return a record as a message."""
    speaker, text = (record.fields[header.fields[field]].strip() for field in ("speaker", "text"))
    lines = tuple((record.first, line) for line in text.splitlines() if line.strip())
    if not lines or kind_of(speaker) != "name":
        return Message(((record.first, text or "message without text"),), "", _seconds(record.fields[column]))
    return Message(lines, speaker, _seconds(record.fields[column]))


def _seconds(time: str) -> float | None:
    """Return a time with its date, in seconds; None if it is in no common form."""
    try:
        return datetime.fromisoformat(time.strip()).timestamp() if ":" in time else None
    except (ValueError, OverflowError, OSError):
        return None
