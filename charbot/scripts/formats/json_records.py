"""JSON and JSON lines: objects that say who speaks and what, in lists, scenes and episodes however deep.

Emory's character-mining files, ConvoKit's utterances, and plain lists of objects.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from charbot.scripts.directions import APART, apart
from charbot.scripts.formats.fields import episode_name, matched
from charbot.scripts.source import Mark

_APART = re.compile(r'"directions"\s*:\s*\[')
_PLACE = re.compile(r"s(\d+)_e(\d+)", re.I)


def _documents(text: str) -> list[tuple[int, Any]]:
    """(line, value) of each JSON document in the text: one, or one a line; what is none is (line, None)."""
    try:
        return [(1, json.loads(text))]
    except (ValueError, RecursionError):
        pass
    found: list[tuple[int, Any]] = []
    number = 1
    # Not splitlines: a string may hold line ends of the rarer kinds.
    for line in re.split(r"\r\n?|\n", text):
        if line.strip():
            try:
                found.append((number, json.loads(line)))
            except (ValueError, RecursionError):
                found.append((number, None))
        number += len(f"{line}\n".splitlines())
    return found


def _said(record: dict[str, Any]) -> tuple[str, str] | None:
    """Who speaks and what, if the record is a line of dialogue."""
    keys = matched(key for key, value in record.items() if isinstance(value, str | list | dict))
    who, what = record.get(keys.get("speaker", "")), record.get(keys.get("text", ""))
    if isinstance(who, dict):
        who = who.get("id") or who.get("name")
    if isinstance(who, list):
        who = " and ".join(one for one in who if isinstance(one, str))
    return (who, what) if isinstance(who, str) and isinstance(what, str) else None


def _beside(record: dict[str, Any]) -> str:
    """The stage directions that a record keeps beside its text, as they stand in one."""
    directions = record.get("directions")
    return "".join(f" {apart(one)}" for one in directions if isinstance(one, str)) if isinstance(directions, list) else ""


class JsonRecords:
    """Dialogue as programs keep it."""

    name = "json"

    def confidence(self, text: str) -> float:
        if text.lstrip()[:1] not in ("{", "["):
            return 0.0
        names = 0
        for mark in self.marks(text):
            names += mark.kind == "name"
            if names > 1:
                return 0.95
        return 0.5 * names

    def brackets(self, text: str) -> str:
        # Where charbot has taken them out, what is left is speech.
        return APART if _APART.search(text) else "["

    def marks(self, text: str) -> Iterator[Mark]:
        part = 0
        season = episode = place = scene = ""
        for line, document in _documents(text):
            if not isinstance(document, dict | list):
                yield Mark(line, "omission", repr(document), "unreadable record")
                continue
            first = part
            # A stack of our own: files nest deeper than Python's.
            ahead: list[Any] = [document]
            while ahead:
                node = ahead.pop()
                if isinstance(node, list):
                    ahead += reversed(node)
                    continue
                if not isinstance(node, dict):
                    continue
                keys = matched(node)
                own = {field: str(node[key]) for field, key in keys.items() if isinstance(node[key], str | int)}
                season, episode = own.get("season", season), own.get("episode", episode)
                known = _PLACE.search(str(node.get("id", "")))
                here = episode_name(known[1], known[2]) if known else episode_name(season, episode)
                if here and here != place:
                    yield Mark(line, "episode", here, part=part)
                    place = here
                if "scene" in own and own["scene"] != scene:
                    yield Mark(line, "scene", "", part=part)
                    scene = own["scene"]
                said = _said(node)
                if said is None and (inside := [value for value in node.values() if isinstance(value, dict | list)]):
                    ahead += reversed(inside)
                    continue
                if said is None and node.get(keys.get("speaker", ""), "") is None:
                    said = "", own.get("text", "")
                if said is None:
                    continue
                if said[0].strip():
                    yield Mark(line, "name", said[0], part=part)
                    yield Mark(line, "speech", said[1] + _beside(node), part=part)
                else:
                    yield Mark(line, "omission", said[1] or repr(node), "said by nobody", part)
                part += 1
            if part == first:
                yield Mark(line, "omission", repr(document), "no dialogue", part)
                part += 1
