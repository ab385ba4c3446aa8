"""Chats that Signal itself exports as JSON lines, and those of the program signal-export."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Conversation = tuple[str, list[dict[str, Any]]]
"""A title, and messages with the keys that signal-export writes: sender, date, body."""

_GIVEN, _FAMILY = ("systemGivenName", "profileGivenName", "givenName"), ("systemFamilyName", "profileFamilyName", "familyName")


def signal_conversations(text: str) -> list[Conversation]:
    """Return the conversations in JSON lines that Signal or signal-export wrote, or nothing for any other text."""
    try:
        records = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return []
    if not records or not all(isinstance(record, dict) for record in records):
        return []
    if all({"sender", "date", "body"} <= record.keys() for record in records):
        return [("", records)]
    return _conversations(records)


def _conversations(records: Sequence[Mapping[str, Any]]) -> list[Conversation]:
    """Return the conversations in Signal's own export, whose messages name people and chats by their ids."""
    owner = _name(*_of_kind(records, "account")[:1])
    names = {_id(one): _name(one.get("contact"), one.get("group")) for one in _of_kind(records, "recipient") if "self" not in one}
    names |= {_id(one): owner for one in _of_kind(records, "recipient") if "self" in one}
    titles = {_id(chat): names.get(_id(chat, "recipientId"), "") for chat in _of_kind(records, "chat")}
    conversations: dict[str, list[dict[str, Any]]] = {}
    for item in _of_kind(records, "chatItem"):
        message = item.get("standardMessage")
        words = message.get("text") if isinstance(message, dict) else None
        author = _id(item, "authorId")
        record = {
            "sender": names.get(author) or (f"Person {author}" if item.get("authorId") else ""),
            "date": item.get("dateSent"),
            "body": words.get("body") if isinstance(words, dict) else "",
            "type": "message" if isinstance(message, dict) else "system",
        }
        conversations.setdefault(_id(item, "chatId"), []).append(record)
    return [(titles.get(chat, ""), messages) for chat, messages in conversations.items()]


def _of_kind(records: Sequence[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [record[kind] for record in records if isinstance(record.get(kind), dict)]


def _id(record: Mapping[str, Any], key: str = "id") -> str:
    return str(record.get(key))


def _name(*profiles: Any) -> str:
    """Return the name in the first of some profiles that has one: a person's, else a group's title, else a number."""
    for profile in profiles:
        if not isinstance(profile, dict):
            continue
        parts = [next((str(profile[key]) for key in keys if profile.get(key)), "") for keys in (_GIVEN, _FAMILY)]
        if name := " ".join(filter(None, parts)):
            return name
        snapshot = profile.get("snapshot")
        title = snapshot.get("title") if isinstance(snapshot, dict) else None
        if isinstance(title, dict) and title.get("title"):
            return str(title["title"])
        if profile.get("e164"):
            return f"+{profile['e164']}"
    return ""
