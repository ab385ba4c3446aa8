"""Chats as JSON: exports of Telegram, Discord (DiscordChatExporter), Messenger, Instagram, Signal, Slack and Google Chat."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.messages import Message, message_tags, oldest_first
from charbot.scripts.formats.signal_export import signal_conversations
from charbot.scripts.markup import unescape

_TIMES = (
    "date_unixtime", "timestamp_ms", "timestamp", "ts", "date", "created_date", "created_at", "createdAt", "sent_at", "dateSent",
)  # fmt: skip
_SPEAKERS = ("from", "sender_name", "author", "user_profile", "creator", "sender", "fromName", "username", "user", "actor")
_TEXTS = ("content", "text", "body", "message")
_NAMES = ("nickname", "display_name", "real_name", "name", "username", "id")
_ORDINARY = frozenset(("message", "default", "reply", "generic", "text", "regular", "19", ""))
"""Types of messages that people wrote; 19 is the number that Discord gives to replies."""
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|([^>]*))?>")
_LABELLED = re.compile(r"<(?:https?|mailto):[^|>]*(?:\|[^>]*)?>")
_MILLISECONDS = 10**11
"""Unix times above this count milliseconds."""


class ChatExport:
    """Chats as programs export them to JSON."""

    name = "chat-json"

    def confidence(self, text: str) -> float:
        if text.lstrip()[:1] not in ("{", "[") or not any(f'"{key}"' in text for key in _TIMES):
            return 0.0
        return 0.97 if _conversations(text) else 0.0

    def brackets(self, text: str) -> str:
        # Whatever people type is speech.
        return ""

    def tags(self, text: str) -> Iterator[LineTag]:
        conversations = _conversations(text)
        part = 0
        for title, records in conversations:
            if len(conversations) > 1:
                yield LineTag(1, "episode", title, part=part)
            names = _names(records)
            messages = [_message(record, names, part + i) for i, record in enumerate(records)]
            part += len(records)
            yield from message_tags(oldest_first(messages))


def _conversations(text: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the title and the messages of each conversation in an export."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return signal_conversations(text)
    conversations: list[tuple[str, list[dict[str, Any]]]] = []
    # An explicit stack, because files nest deeper than Python recurses.
    stack: list[tuple[str, Any]] = [("", document)]
    while stack:
        title, node = stack.pop()
        if isinstance(node, list):
            records = [item for item in node if isinstance(item, dict)]
            if records and sum(map(_is_message, records)) > len(node) / 2:
                conversations.append((title or f"chat {len(conversations) + 1}", records))
            else:
                stack += [(title, item) for item in reversed(node) if isinstance(item, dict | list)]
        elif isinstance(node, dict):
            name = node.get("name") or node.get("title")
            title = name if isinstance(name, str) else title
            stack += [(title, value) for value in reversed(list(node.values())) if isinstance(value, dict | list)]
    return conversations


def _is_message(record: Mapping[str, Any]) -> bool:
    return time_of(record) is not None and any(key in record for key in _SPEAKERS) and any(key in record for key in _TEXTS)


def _names(records: list[dict[str, Any]]) -> dict[str, str]:
    """Return the names of users by id, where messages tell them."""
    names: dict[str, str] = {}
    for record in records:
        user, profile = record.get("user"), record.get("user_profile")
        if isinstance(user, str) and isinstance(profile, dict):
            names[user] = _name(profile) or user
    return names


def _name(value: Any) -> str:
    """Return the name in a field that holds it, or an object with it."""
    if isinstance(value, str):
        return _repaired(value)
    if isinstance(value, dict):
        return next((_repaired(value[key]) for key in _NAMES if isinstance(value.get(key), str) and value[key]), "")
    return ""


def _message(record: Mapping[str, Any], names: Mapping[str, str], part: int) -> Message:
    """Return a record as a message; one that nobody wrote, or that is somebody else's, has no speaker."""
    key = next((key for key in _SPEAKERS if record.get(key)), "")
    speaker = _name(record.get(key))
    kind = str(record.get("type") or "").lower()
    if kind not in _ORDINARY or record.get("subtype") or record.get("forwarded_from"):
        speaker = ""
    text = next((words for key in _TEXTS if (words := _text(record.get(key)))), "")
    text = _LABELLED.sub("[link]", _MENTION.sub(lambda match: "@" + (match[2] or names.get(match[1], match[1])), text))
    lines = tuple((1, line) for line in unescape(text).splitlines() if line.strip())
    if not lines:
        return Message(((1, f"{kind or 'message'} without text"),), "", time_of(record), part=part)
    return Message(lines, names.get(speaker, speaker), time_of(record), part=part)


def _text(value: Any) -> str:
    """Return the text in a field: a string, or a list of pieces of which some have a style."""
    if isinstance(value, str):
        return _repaired(value)
    if isinstance(value, list):
        pieces = (piece.get("text", "") if isinstance(piece, dict) else piece for piece in value)
        return "".join(piece for piece in pieces if isinstance(piece, str))
    return ""


def _repaired(text: str) -> str:
    """Return a text that Messenger wrote as UTF-8 bytes in Latin-1, as it was typed."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def time_of(record: Mapping[str, Any]) -> float | None:
    """Return the time of a message in seconds, or None if it has none."""
    for key in _TIMES:
        value = record.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            continue
        try:
            seconds = float(value)
        except (ValueError, OverflowError):
            try:
                return datetime.fromisoformat(str(value)).timestamp()
            except (ValueError, OverflowError, OSError):
                continue
        return seconds / 1_000 if seconds > _MILLISECONDS else seconds
    return None
