"""Chats as text: exports of WhatsApp, Discord and iMessage, IRC logs, and transcripts of meetings (Otter, Rev).

Each message begins with a line, or two, that says when it was sent and by whom; its text may run over lines.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.messages import Message, message_tags

_DATE = r"(?P<date>\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}[ -][A-Za-z]{3}[ -]\d{2,4}|[A-Z][a-z]{2} \d{1,2}, \d{4})"
_TIME = r"(?P<time>\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:[\s\u202f]?[AaPp]\.?[\s\u202f]?[Mm]\.?)?)"
_NAME = r'(?P<name>(?:[^:\n<>"„“”]|"[^":\n<>]*"|[„“][^:\n<>„“”]*[“”]){1,60}?)'
_BEGIN = r"[\u200e\u200f]?"
_FORMS = tuple(
    re.compile(form)
    for form in (
        # WhatsApp on Android, on an iPhone (and signal-export); Discord; iMessage; IRC; Otter; Rev.
        rf"{_BEGIN}{_DATE},?(?: at| à| um)? {_TIME} [-–] (?:{_NAME}:(?: |$))?(?P<text>.*)",
        rf"{_BEGIN}\[{_DATE},? {_TIME}\] (?:{_NAME}:(?: (?P<text>.*))?|(?P<event>\u200e.*))",
        rf"\[{_DATE},? {_TIME}\] (?P<name>[^\s:][^:\n]{{0,40}}?)(?:#\d{{4}})?(?: \(pinned\))?",
        rf"{_DATE},? +{_TIME}(?: \(.*\))?",
        rf"\[?(?:{_DATE}[ T])?{_TIME}\]? +(?:<[ @+%~&]?(?P<name>[^\s<>]{{1,40}})> (?P<text>.*)|(?P<event>(?:\*|-!-|--|=!=).*))",
        r"(?P<name>[^\W\d_][^\n:]{0,50}?) {2,}(?P<time>\d{1,2}:\d\d(?::\d\d)?)",
        r"(?P<name>[^\W\d_][^\n:()]{0,50}?) \((?P<time>\d{1,2}:\d\d(?::\d\d)?)\):(?: (?P<text>.*))?",
    )
)
_BELOW = _FORMS[3]
"""The form whose next line is the name."""
_RELATIVE = _FORMS[5:]
"""The forms whose times count from the beginning."""
_MAX_SEARCHED = 50_000
"""Number of characters in which the form is searched."""
_SAMPLE = 2_000
"""Number of messages from which the order of day, month and year is told."""
_CLOCK = re.compile(r"\d[:.]\d\d")
_NUMBERS = re.compile(r"\d+")
_ORDERS = ("%d %m %Y", "%m %d %Y", "%Y %m %d")
_WORDS = ("%b %d %Y", "%d %b %Y")
_FURNITURE = re.compile(r"[=\-_*]{5,}|Transcribed by https?://otter\.ai/?")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A message as it stands in the file."""

    date: str
    time: str
    name: str
    heads: tuple[tuple[int, str], ...]
    lines: tuple[tuple[int, str], ...]


class ChatLog:
    """Chats whose messages begin with a time and a name."""

    name = "chat"

    def confidence(self, text: str) -> float:
        form = _form_of(text)
        if form is None:
            return 0.0
        names = Counter(entry.name for entry in _entries(text[:_MAX_SEARCHED], form) if entry.name)
        recurring = sum(count for count in names.values() if count > 1)
        return 0.95 if recurring > 2 and len(names) > 1 else 0.0

    def brackets(self, text: str) -> str:
        # Whatever people type is speech.
        return ""

    def tags(self, text: str) -> Iterator[LineTag]:
        form = _form_of(text)
        if form is None:
            for number, line in enumerate(text.splitlines(), 1):
                if line.strip():
                    yield LineTag(number, "omission", line.strip(), "said by nobody")
            return
        above, *entries = _entries(text, form)
        yield from (LineTag(number, "omission", line, "title") for number, line in (*above.heads, *above.lines))
        yield from message_tags(_timed(entries))


def _form_of(text: str) -> re.Pattern[str] | None:
    """Return the form of most messages at the beginning of a file, or None if too few lines begin a message."""
    begin = text[:_MAX_SEARCHED]
    # Most files hold no times, and this is the quickest way to see it.
    if len(_CLOCK.findall(begin)) < 3:
        return None
    lines = [line.strip() for line in begin.splitlines() if line.strip()]
    counts = {form: sum(form.fullmatch(line) is not None for line in lines) for form in _FORMS}
    form = max(_FORMS, key=lambda form: counts[form])
    return form if counts[form] > max(2, 0.1 * len(lines)) else None


def _entries(text: str, form: re.Pattern[str]) -> Iterator[_Entry]:
    """Yield the lines above the messages, as an entry without a time, and then the messages of a file."""
    date = time = name = ""
    heads: list[tuple[int, str]] = []
    lines: list[tuple[int, str]] = []
    expected = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if head := form.fullmatch(line):
            yield _Entry(date, time, name, tuple(heads), tuple(lines))
            groups = head.groupdict(default="")
            date, time, name = groups.get("date", ""), groups["time"], groups.get("name", "").strip()
            if form in _RELATIVE and time.count(":") == 1:
                time = f"0:{time}"
            content = groups.get("text", "") or groups.get("event", "")
            heads, lines = ([], [(number, content)]) if content else ([(number, line)], [])
            expected = form is _BELOW
        elif line and (expected or _FURNITURE.fullmatch(line)):
            name, expected = (line, False) if expected else (name, expected)
            heads.append((number, line))
        elif line:
            lines.append((number, line))
    yield _Entry(date, time, name, tuple(heads), tuple(lines))


def _timed(entries: list[_Entry]) -> Iterator[Message]:
    """Yield messages with their times in seconds."""
    order = min(_ORDERS, key=lambda order: _setbacks(entries[:_SAMPLE], order))
    days, before = 0, 0.0
    for entry in entries:
        seconds = _seconds(entry, order)
        if seconds is not None and not entry.date:
            # Logs without dates: after midnight the clock starts again.
            days += seconds + days * 86_400 < before - 43_200
            seconds += days * 86_400
        before = seconds if seconds is not None else before
        yield Message(entry.lines, entry.name, seconds, entry.heads)


def _setbacks(entries: list[_Entry], order: str) -> int:
    """Return how often a date cannot be read in this order, or is before the one above it."""
    times = [_seconds(entry, order) for entry in entries if entry.date]
    unread = sum(time is None for time in times)
    read = [time for time in times if time is not None]
    return 2 * unread + sum(after < before for before, after in pairwise(read))


def _seconds(entry: _Entry, order: str) -> float | None:
    """Return the time of a message in seconds, or None if it cannot be read."""
    clock = [int(number) for number in _NUMBERS.findall(entry.time)]
    if len(clock) < 2:
        return None
    afternoon = "p" in entry.time.lower()
    hours = clock[0] % 12 + 12 * afternoon if afternoon or "a" in entry.time.lower() else clock[0]
    seconds = hours * 3600.0 + clock[1] * 60 + (clock[2] if len(clock) > 2 else 0)
    if not entry.date:
        return seconds
    parts = re.split(r"[^\w]+", entry.date)
    for form in _WORDS if any(part.isalpha() for part in parts) else (order, order.replace("%Y", "%y")):
        try:
            return datetime.strptime(" ".join(parts), form).timestamp() + seconds
        except (ValueError, OverflowError, OSError):
            continue
    return None
