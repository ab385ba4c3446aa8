"""JSON and JSON lines of dialogue, nested to any depth in lists, conversations, scenes and episodes.

A line is an object with a speaker and a text, a pair of them, an object with the speaker as its key, or a "Name: text".
Among such files are Emory's character-mining, ConvoKit's utterances, ShareGPT's conversations and SillyTavern's logs.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from charbot.scripts.assembly import LineTag
from charbot.scripts.directions import APART, apart
from charbot.scripts.formats.columns import brackets_of, episode_name, kind_of, matched, numbered, plain
from charbot.scripts.formats.csv_records import table_lines

_APART = re.compile(r'"directions"\s*:\s*\[')
_PLACE = re.compile(r"s(\d+)_e(\d+)", re.I)
_NAMED = re.compile(r"\s*([^\s:][^:\n]{0,39}?)\s*:(?!//)\s*(\S.*)")
_DIRECTION_KEYS = ("modifier", "direction", "parenthetical", "stage_direction")
_REPLY_KEYS = ("reply-to", "reply_to", "replyTo", "parent_id")
_LONGEST_NAME = 60

_Turn = tuple[str, str]
"""A speaker and what they say."""


def _documents(text: str) -> list[tuple[int, Any]]:
    """Return (line, value) of each JSON document in the text, which is one document or has one per line.

    The value of an invalid document is None. Where replies come before what they reply to, the order is reversed.
    """
    try:
        return [(1, json.loads(text))]
    except (ValueError, RecursionError):
        pass
    documents: list[tuple[int, Any]] = []
    number = 1
    for line in table_lines(text):
        if line.strip():
            try:
                documents.append((number, json.loads(line)))
            except (ValueError, RecursionError):
                documents.append((number, None))
        number += len(f"{line}\n".splitlines())
    return documents[::-1] if _newest_first([document for _, document in documents]) else documents


def _newest_first(records: Sequence[Any]) -> bool:
    """Return True if most replies among `records` come before what they reply to."""
    places = {str(record["id"]): i for i, record in enumerate(records) if isinstance(record, dict) and "id" in record}
    steps = [
        places[target] - i
        for i, record in enumerate(records)
        if isinstance(record, dict)
        for target in [str(next((record[key] for key in _REPLY_KEYS if record.get(key) is not None), ""))]
        if target in places
    ]
    return sum(step > 0 for step in steps) > len(steps) / 2


def _spoken(record: dict[str, Any]) -> _Turn | None:
    """Return the speaker and the speech if the record is a line of dialogue, else None."""
    keys = matched(key for key, value in record.items() if isinstance(value, str | list | dict))
    if not {"speaker", "text"} <= keys.keys():
        return None
    who, what = record[keys["speaker"]], record[keys["text"]]
    if isinstance(who, dict):
        who = next((who[key] for key in ("name", "id") if isinstance(who.get(key), str)), None)
    if isinstance(who, list):
        who = " and ".join(name for name in who if isinstance(name, str))
    if isinstance(what, list) and what and all(isinstance(piece, str | dict) for piece in what):
        # Texts in several pieces, some of them with a style.
        pieces = [piece if isinstance(piece, str) else piece.get("text") for piece in what]
        what = " ".join(pieces) if all(isinstance(piece, str) for piece in pieces) else None
    if not (isinstance(who, str) and isinstance(what, str)):
        return None
    # The instructions to an assistant, and what SillyTavern itself reports or hides.
    instructs = keys["speaker"] in ("role", "from") and who == "system"
    return ("", what) if instructs or record.get("is_system") is True else (who, what)


def _parallel(record: dict[str, Any]) -> list[_Turn]:
    """Return the turns of a record that lists its speakers and, in the same order, their texts; else nothing."""
    lists = [key for key, value in record.items() if isinstance(value, list)]
    keys = matched(lists) if len(lists) > 1 else {}
    if not {"speaker", "text"} <= keys.keys():
        return []
    names, texts = record[keys["speaker"]], record[keys["text"]]
    if not (len(names) == len(texts) > 1 and all(isinstance(value, str) for value in (*names, *texts))):
        return []
    # Fewer are the people who say one turn, in pieces.
    return list(zip(names, texts, strict=True)) if len(names) > 2 or len(set(names)) < len(names) else []


def _turns_in(node: Any) -> list[_Turn]:
    """Return the turns in a list, or in a text, that holds nothing else; else nothing."""
    if isinstance(node, str):
        turns = _named(node.splitlines()) if "\n" in node else []
    elif not isinstance(node, list) or len(node) < 2:
        turns = []
    elif all(isinstance(item, str) for item in node):
        turns = _named(node)
    elif all(isinstance(item, list) and len(item) == 2 and all(isinstance(part, str) for part in item) for item in node):
        turns = [(name, text) for name, text in node]
    elif all(isinstance(item, dict) and len(item) == 1 for item in node):
        items = [pair for item in node for pair in item.items()]
        turns = [(name, text) for name, value in items for text in (value if isinstance(value, list) else [value])]
    else:
        turns = []
    plausible = all(isinstance(text, str) and len(name) <= _LONGEST_NAME for name, text in turns)
    # Where nobody speaks twice, they may be entries of any table.
    recurs = len({name for name, _ in turns}) < len(turns) or len(turns) == 2
    return turns if plausible and recurs and len({name for name, _ in turns}) > 1 else []


def _named(lines: Sequence[str]) -> list[_Turn]:
    """Return the turns in lines of the form "Name: text", if they all have it."""
    matches = [_NAMED.fullmatch(line) for line in lines if line.strip()]
    return [(match[1], match[2]) for match in matches if match] if all(matches) else []


def _beside(record: dict[str, Any]) -> str:
    """Return the stage directions that a record stores outside its text, in the brackets of `apart`."""
    directions = record.get("directions")
    texts = list(directions) if isinstance(directions, list) else []
    texts += [record[key].strip("()[] ") for key in _DIRECTION_KEYS if isinstance(record.get(key), str)]
    return "".join(f" {apart(direction)}" for direction in texts if isinstance(direction, str) and direction)


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
        return APART if _APART.search(text) else brackets_of(text) + APART

    def tags(self, text: str) -> Iterator[LineTag]:
        walker = _Walker(verbatim=_APART.search(text) is not None)
        for line, document in _documents(text):
            if isinstance(document, dict | list):
                yield from walker.tags(line, document)
            else:
                yield LineTag(line, "omission", repr(document), "unreadable record")


class _Walker:
    """Tags the lines of dialogue in JSON documents, in order."""

    def __init__(self, verbatim: bool) -> None:
        self._verbatim = verbatim
        """Whether texts hold no leftover HTML."""
        self._part = 0
        self._season = self._episode = self._place = self._scene = ""

    def tags(self, line: int, document: Any) -> Iterator[LineTag]:
        """Yield the tags of a document; each line of dialogue is a part of its source line."""
        first = self._part
        # An explicit stack of (key, value), because files nest deeper than Python recurses.
        stack: list[tuple[str, Any]] = [("", document)]
        while stack:
            key, node = stack.pop()
            field = numbered(key)
            if field == "scene" or key == "scenes[]":
                yield LineTag(line, "scene", "", part=self._part)
            self._season = key if field == "season" else self._season
            self._episode = key if field == "episode" else self._episode
            if turns := _turns_in(node):
                yield LineTag(line, "scene", "", part=self._part)
                for turn in turns:
                    yield from self._turn(line, turn, "")
            elif isinstance(node, list):
                if any(isinstance(item, dict) and _spoken(item) for item in node):
                    # Each list of lines is a conversation.
                    yield LineTag(line, "scene", "", part=self._part)
                items = node[::-1] if _newest_first(node) else node
                stack += [(f"{key}[]", value) for value in reversed(items)]
            elif isinstance(node, dict):
                yield from self._record(line, node, stack)
        if self._part == first:
            yield LineTag(line, "omission", repr(document)[:100], "no dialogue", self._part)
            self._part += 1

    def _record(self, line: int, node: dict[str, Any], stack: list[tuple[str, Any]]) -> Iterator[LineTag]:
        """Yield the tags of an object: of its place, and of its line; or put what it contains on the stack."""
        keys = matched(node)
        yield from self._begin(line, node, keys)
        if turns := _parallel(node):
            for turn in turns:
                yield from self._turn(line, turn, "")
            return
        spoken = _spoken(node)
        if spoken is None:
            inside = [(key, value) for key, value in node.items() if isinstance(value, dict | list) or _turns_in(value)]
            stack += reversed(inside)
            if inside:
                return
        if spoken is None and "speaker" in keys and node[keys["speaker"]] is None:
            spoken = "", str(node[keys["text"]]) if "text" in keys else ""
        if spoken is not None:
            yield from self._turn(line, spoken, _beside(node), repr(node)[:100])

    def _begin(self, line: int, node: dict[str, Any], keys: Mapping[str, str]) -> Iterator[LineTag]:
        """Yield the tags of the episode and the scene that an object names."""
        meta = node["meta"] if isinstance(node.get("meta"), dict) else {}
        values = {field: str(meta[key]) for field, key in matched(meta).items() if isinstance(meta[key], str | int)}
        values |= {field: str(node[key]) for field, key in keys.items() if isinstance(node[key], str | int)}
        self._season = values.get("season", self._season)
        self._episode = values.get("episode", self._episode)
        numbered_id = _PLACE.search(str(node.get("id", "")))
        place = episode_name(numbered_id[1], numbered_id[2]) if numbered_id else episode_name(self._season, self._episode)
        if place and place != self._place:
            yield LineTag(line, "episode", place, part=self._part)
            self._place = place
        if "scene" in values and values["scene"] != self._scene:
            yield LineTag(line, "scene", "", part=self._part)
            self._scene = values["scene"]

    def _turn(self, line: int, turn: _Turn, directions: str, excerpt: str = "") -> Iterator[LineTag]:
        """Yield the tags of a line of dialogue."""
        speaker, text = turn
        kind = kind_of(speaker)
        if kind == "name":
            yield LineTag(line, "name", speaker, part=self._part)
            yield LineTag(line, "speech", (text if self._verbatim else plain(text)) + directions, part=self._part)
        else:
            yield LineTag(line, kind, text or excerpt, "" if kind == "scene" else "said by nobody", self._part)
        self._part += 1
