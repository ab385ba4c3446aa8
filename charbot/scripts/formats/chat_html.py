"""Chats as Telegram exports them to HTML."""

from collections.abc import Iterator
from datetime import datetime

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.messages import Message, message_tags
from charbot.scripts.markup import PageReader, attributes_of

_VOID = frozenset(("br", "img", "meta", "link", "hr", "input"))


class _Page(PageReader):
    """A reader that collects the messages of a page."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._open: list[str] = []
        """The classes of the open elements."""
        self._time: float | None = None
        self._speaker = ""
        self._name: list[str] = []
        self._lines: list[tuple[int, str]] = []
        self._service = False

    def start(self, tag: str, attributes: str) -> None:
        values = attributes_of(attributes)
        classes = values.get("class", "")
        if tag == "br":
            self._lines.append((self.line, ""))
        if tag in _VOID:
            return
        self._open.append(classes)
        if classes.startswith("message "):
            self.end_message()
            self._service = "service" in classes.split()
        elif "date" in classes.split() and "forwarded" not in " ".join(self._open):
            self._time = _seconds(values.get("title", ""))

    def end(self, tag: str) -> None:
        if tag in _VOID or not self._open:
            return
        if self._open.pop() == "from_name" and not self._inside("forwarded"):
            self._speaker = " ".join("".join(self._name).split())

    def text(self, text: str) -> None:
        if not text.strip() or not self._open:
            return
        if self._open[-1] == "from_name":
            self._name.append(text)
        elif self._inside("text") or self._service:
            # Forwarded words are somebody else's.
            mark = "> " if self._inside("forwarded") else ""
            begun = self._lines[-1][1] if self._lines else ""
            line = self._lines.pop()[0] if self._lines else self.line + len(text) - len(text.lstrip("\n"))
            self._lines.append((line, f"{begun or mark}{' '.join(text.split())} "))

    def _inside(self, kind: str) -> bool:
        return any(kind in classes.split() for classes in self._open)

    def end_message(self) -> None:
        """Add the message that was read last, if it has a text."""
        lines = tuple((number, text.strip()) for number, text in self._lines if text.strip())
        if lines:
            speaker = "" if self._service else self._speaker
            self.messages.append(Message(lines, speaker, self._time, part=len(self.messages)))
        self._lines, self._name = [], []


class ChatHtml:
    """Pages of chats, as Telegram Desktop exports them."""

    name = "chat-html"

    def confidence(self, text: str) -> float:
        return 0.97 if 'class="from_name"' in text and 'class="message ' in text else 0.0

    def brackets(self, text: str) -> str:
        # Whatever people type is speech.
        return ""

    def tags(self, text: str) -> Iterator[LineTag]:
        page = _Page()
        page.read(text)
        page.end_message()
        yield from message_tags(page.messages)


def _seconds(title: str) -> float | None:
    """Return the time in the title of a date ("01.02.2024 18:00:00 UTC+01:00"), in seconds."""
    try:
        return datetime.strptime(title[:19], "%d.%m.%Y %H:%M:%S").timestamp()
    except (ValueError, OverflowError, OSError):
        return None
