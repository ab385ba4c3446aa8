"""The JSON lines protocol of charbot's commands: one request per line, one answer per request."""

import codecs
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from charbot.dialogue import Utterance
from charbot.text import prepare_message

_CONTEXT = '`context` must be a list of {"speaker": name or null, "text": text}'


@dataclass(frozen=True)
class Request:
    """The request in one line."""

    id: Any
    """Any JSON value; returned with the answer."""
    context: tuple[Utterance, ...]
    """The preceding turns."""
    texts: dict[str, str]
    """The text fields of the command, by key."""
    lines: tuple[str, ...]


@dataclass(frozen=True)
class BadRequest:
    """A line that is no request of the command."""

    id: Any
    """The id of the request, if the line has one."""
    error: str
    """What is wrong, beginning with the number of the line."""

    def answer(self) -> dict[str, Any]:
        """Return the answer to it: an error object."""
        return {"id": self.id, "error": self.error}


def arriving(stream: TextIO, chunk_bytes: int = 1 << 16) -> Iterator[list[str]]:
    """Yield the lines of a stream in batches of those that have arrived.

    It never waits for more lines, so that a client may wait for an answer before it sends the next request.
    """
    decoder = codecs.getincrementaldecoder(stream.encoding)(stream.errors or "strict")
    begun = ""
    while chunk := stream.buffer.read1(chunk_bytes):  # type: ignore[attr-defined]
        *lines, begun = (begun + decoder.decode(chunk)).split("\n")
        yield lines
    yield [begun + decoder.decode(b"", final=True)]


def read_requests(
    lines: Iterable[str], *, required: tuple[str, ...] = (), optional: tuple[str, ...] = (), one_of: tuple[str, ...] = (),
    first: int = 1, longest: int | None = None,
) -> Iterator[Request | BadRequest]:  # fmt: skip
    """Yield the requests in `lines`; empty lines are skipped.

    `required` and `optional` are keys of text fields; at least one of the keys `one_of` must be present. Lines are numbered
    from `first`. Texts are refused if there is nothing in them to read, or more than `longest` characters.
    """
    for number, line in enumerate(lines, first):
        # Editors on Windows may begin a file with a byte order mark.
        text = line.removeprefix("\ufeff") if number == 1 else line
        if text.strip():
            data: Any = None
            try:
                data = _object(text)
                yield _request(data, required, optional, one_of, longest)
            except (TypeError, ValueError) as error:
                yield BadRequest(_id(data), f"line {number}: {error}")


def parse_line(line: str) -> Any:
    """Return the JSON value in a line. Raises ValueError, which says what is wrong and in which column."""
    try:
        return json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except json.JSONDecodeError as error:
        # Its own text counts lines too, from the beginning of this one.
        raise ValueError(f"not JSON: {error.msg} at column {error.pos + 1}") from error
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error


def _object(line: str) -> dict[str, Any]:
    """Return the JSON object in a line. Raises ValueError or TypeError."""
    data = parse_line(line)
    if not isinstance(data, dict):
        raise TypeError("must be a JSON object")
    return data


def _request(
    data: dict[str, Any], required: tuple[str, ...], optional: tuple[str, ...], one_of: tuple[str, ...], longest: int | None
) -> Request:
    """Return the request in a JSON object. Raises ValueError or TypeError."""
    if data.get("id") is not None and _id(data) is None:
        raise ValueError("`id` must be a value that JSON and UTF-8 have")
    if one_of and all(data.get(key) is None for key in one_of):
        raise ValueError(f"`{'` or `'.join(one_of)}` is missing")
    texts = {}
    for key in (*required, *optional):
        value = data.get(key)
        if value is None and key in required:
            raise ValueError(f"`{key}` is missing")
        if not isinstance(value, str | None):
            raise TypeError(f"`{key}` must be text")
        if value is not None and longest is not None and len(value) > longest:
            raise ValueError(f"`{key}` has {len(value):,} characters; at most {longest:,} are read")
        if value is not None and not prepare_message(value):
            raise ValueError(f"`{key}` is empty")
        if value is not None:
            texts[key] = value
    return Request(_id(data), tuple(_context(data.get("context"))), texts, _lines(data.get("lines")))


def _id(data: Any) -> Any:
    """Return the id in what a line holds, or None if there is none that an answer can have."""
    value = data.get("id") if isinstance(data, dict) else None
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        # Python parses NaN, 1e999 and half of a surrogate pair, which would not be valid JSON, or UTF-8, in the answer.
        return None
    return value


def _lines(lines: Any) -> tuple[str, ...]:
    if not isinstance(lines, list | None) or not all(isinstance(text, str) for text in lines or ()):
        raise TypeError("`lines` must be a list of texts")
    if lines is not None and not any(map(prepare_message, lines)):
        raise ValueError("`lines` is empty")
    return tuple(lines or ())


def _context(context: Any) -> Iterator[Utterance]:
    if not isinstance(context, list | None):
        raise TypeError(_CONTEXT)
    for turn in context or ():
        if not isinstance(turn, dict) or not isinstance(turn.get("text"), str) or not isinstance(turn.get("speaker"), str | None):
            raise TypeError(_CONTEXT)
        yield Utterance(turn.get("speaker"), turn["text"])
