"""JSON and JSON lines: objects with a speaker and a text, nested to any depth in lists, scenes and episodes.

Among them are Emory's character-mining files, ConvoKit's utterances, and plain lists of objects.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from charbot.scripts.assembly import LineTag
from charbot.scripts.directions import APART, apart
from charbot.scripts.formats.columns import brackets_of, episode_name, kind_of, matched, numbered, plain

_APART = re.compile(r'"directions"\s*:\s*\[')
_PLACE = re.compile(r"s(\d+)_e(\d+)", re.I)


def _documents(text: str) -> list[tuple[int, Any]]:
    """Return (line, value) of each JSON document in the text, which is one document or has one per line.

    The value of an invalid document is None.
    """
    try:
        return [(1, json.loads(text))]
    except (ValueError, RecursionError):
        pass
    documents: list[tuple[int, Any]] = []
    number = 1
    # Not splitlines, which also splits at rarer line ends that JSON strings may hold.
    for line in re.split(r"\r\n?|\n", text):
        if line.strip():
            try:
                documents.append((number, json.loads(line)))
            except (ValueError, RecursionError):
                documents.append((number, None))
        number += len(f"{line}\n".splitlines())
    return documents


def _spoken(record: dict[str, Any]) -> tuple[str, str] | None:
    """Return the speaker and the speech if the record is a line of dialogue, else None."""
    keys = matched(key for key, value in record.items() if isinstance(value, str | list | dict))
    who, what = record.get(keys.get("speaker", "")), record.get(keys.get("text", ""))
    if isinstance(who, dict):
        who = next((who[key] for key in ("name", "id") if isinstance(who.get(key), str)), None)
    if isinstance(who, list):
        who = " and ".join(name for name in who if isinstance(name, str))
    return (who, what) if isinstance(who, str) and isinstance(what, str) else None


def _beside(record: dict[str, Any]) -> str:
    """Return the stage directions that a record stores outside its text, in the brackets of `apart`."""
    directions = record.get("directions")
    if not isinstance(directions, list):
        return ""
    return "".join(f" {apart(direction)}" for direction in directions if isinstance(direction, str))


class JsonRecords:
    """Dialogue as programs store it."""

    name = "json"

    def confidence(self, text: str) -> float:
        if text.lstrip()[:1] not in ("{", "["):
            return 0.0
        names = 0
        for tag in self.tags(text):
            names += tag.kind == "name"
            if names > 1:
                return 0.95
        return 0.5 * names

    def brackets(self, text: str) -> str:
        # charbot's own exports store directions outside the text, so that all brackets left in it are speech.
        return APART if _APART.search(text) else brackets_of(text)

    def tags(self, text: str) -> Iterator[LineTag]:
        part = 0
        # charbot's own exports contain no leftover HTML.
        cleaned = str if _APART.search(text) else plain
        season = episode = place = scene = ""
        for line, document in _documents(text):
            if not isinstance(document, dict | list):
                yield LineTag(line, "omission", repr(document), "unreadable record")
                continue
            first = part
            # An explicit stack of (key, value), because files nest deeper than Python recurses.
            stack: list[tuple[str, Any]] = [("", document)]
            while stack:
                key, node = stack.pop()
                field = numbered(key)
                if field == "scene" or key == "scenes[]":
                    yield LineTag(line, "scene", "", part=part)
                season, episode = (key if field == "season" else season), (key if field == "episode" else episode)
                if isinstance(node, list):
                    stack += [(f"{key}[]", value) for value in reversed(node)]
                if not isinstance(node, dict):
                    continue
                keys = matched(node)
                values = {field: str(node[key]) for field, key in keys.items() if isinstance(node[key], str | int)}
                season, episode = values.get("season", season), values.get("episode", episode)
                numbered_id = _PLACE.search(str(node.get("id", "")))
                name = episode_name(numbered_id[1], numbered_id[2]) if numbered_id else episode_name(season, episode)
                if name and name != place:
                    yield LineTag(line, "episode", name, part=part)
                    place = name
                if "scene" in values and values["scene"] != scene:
                    yield LineTag(line, "scene", "", part=part)
                    scene = values["scene"]
                spoken = _spoken(node)
                inside = [(name, value) for name, value in node.items() if isinstance(value, dict | list)]
                if spoken is None and inside:
                    stack += reversed(inside)
                    continue
                if spoken is None and node.get(keys.get("speaker", ""), "") is None:
                    spoken = "", values.get("text", "")
                if spoken is None:
                    continue
                kind = kind_of(spoken[0])
                if kind == "name":
                    yield LineTag(line, "name", spoken[0], part=part)
                    yield LineTag(line, "speech", cleaned(spoken[1]) + _beside(node), part=part)
                else:
                    yield LineTag(line, kind, spoken[1] or repr(node), "" if kind == "scene" else "said by nobody", part)
                part += 1
            if part == first:
                yield LineTag(line, "omission", repr(document), "no dialogue", part)
                part += 1
