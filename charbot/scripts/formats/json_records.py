"""JSON and JSON lines: objects with a speaker and a text, nested to any depth in lists, scenes and episodes.

Among them are Emory's character-mining files, ConvoKit's utterances, and plain lists of objects.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from charbot.scripts.directions import APART, apart
from charbot.scripts.formats.fields import brackets_of, episode_name, kind_of, matched, numbered, plain
from charbot.scripts.source import Mark

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
    found: list[tuple[int, Any]] = []
    number = 1
    # Not splitlines, which also splits at rarer line ends that JSON strings may hold.
    for line in re.split(r"\r\n?|\n", text):
        if line.strip():
            try:
                found.append((number, json.loads(line)))
            except (ValueError, RecursionError):
                found.append((number, None))
        number += len(f"{line}\n".splitlines())
    return found


def _said(record: dict[str, Any]) -> tuple[str, str] | None:
    """Return the speaker and the speech if the record is a line of dialogue, else None."""
    keys = matched(key for key, value in record.items() if isinstance(value, str | list | dict))
    who, what = record.get(keys.get("speaker", "")), record.get(keys.get("text", ""))
    if isinstance(who, dict):
        who = next((who[key] for key in ("name", "id") if isinstance(who.get(key), str)), None)
    if isinstance(who, list):
        who = " and ".join(one for one in who if isinstance(one, str))
    return (who, what) if isinstance(who, str) and isinstance(what, str) else None


def _beside(record: dict[str, Any]) -> str:
    """Return the stage directions that a record stores outside its text, in the brackets of `apart`."""
    directions = record.get("directions")
    return "".join(f" {apart(one)}" for one in directions if isinstance(one, str)) if isinstance(directions, list) else ""


class JsonRecords:
    """Dialogue as programs store it."""

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
        # charbot's own exports store directions outside the text, so that all brackets left in it are speech.
        return APART if _APART.search(text) else brackets_of(text)

    def marks(self, text: str) -> Iterator[Mark]:
        part = 0
        # charbot's own exports contain no leftover HTML.
        said_plainly = str if _APART.search(text) else plain
        season = episode = place = scene = ""
        for line, document in _documents(text):
            if not isinstance(document, dict | list):
                yield Mark(line, "omission", repr(document), "unreadable record")
                continue
            first = part
            # An explicit stack of (key, value), because files nest deeper than Python recurses.
            ahead: list[tuple[str, Any]] = [("", document)]
            while ahead:
                key, node = ahead.pop()
                told = numbered(key)
                if told == "scene" or key == "scenes[]":
                    yield Mark(line, "scene", "", part=part)
                season, episode = (key if told == "season" else season), (key if told == "episode" else episode)
                if isinstance(node, list):
                    ahead += [(f"{key}[]", value) for value in reversed(node)]
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
                inside = [(name, value) for name, value in node.items() if isinstance(value, dict | list)]
                if said is None and inside:
                    ahead += reversed(inside)
                    continue
                if said is None and node.get(keys.get("speaker", ""), "") is None:
                    said = "", own.get("text", "")
                if said is None:
                    continue
                kind = kind_of(said[0])
                if kind == "name":
                    yield Mark(line, "name", said[0], part=part)
                    yield Mark(line, "speech", said_plainly(said[1]) + _beside(node), part=part)
                else:
                    yield Mark(line, kind, said[1] or repr(node), "" if kind == "scene" else "said by nobody", part)
                part += 1
            if part == first:
                yield Mark(line, "omission", repr(document), "no dialogue", part)
                part += 1
