"""The JSON lines protocol of charbot's commands: one request per line. Errors name the line."""

import codecs
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from charbot.dialogue import Utterance
from charbot.errors import UsageError

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
    first: int = 1,
) -> Iterator[Request]:  # fmt: skip
    """Yield the requests in `lines`; empty lines are skipped.

    `required` and `optional` are keys of text fields; at least one of the keys `one_of` must be present. Lines are numbered
    from `first`. Raises UsageError naming the line.
    """
    for number, line in enumerate(lines, first):
        # Editors on Windows may begin a file with a byte order mark.
        text = line.removeprefix("\ufeff") if number == 1 else line
        if text.strip():
            yield _request(text, f"line {number}", required, optional, one_of)


def _request(line: str, where: str, required: tuple[str, ...], optional: tuple[str, ...], one_of: tuple[str, ...]) -> Request:
    try:
        data = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{where}: not JSON: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{where}: nested too deeply") from error
    if not isinstance(data, dict):
        raise UsageError(f"{where}: must be a JSON object")
    if one_of and all(data.get(key) is None for key in one_of):
        raise UsageError(f"{where}: `{'` or `'.join(one_of)}` is missing")
    texts = {}
    for key in (*required, *optional):
        value = data.get(key)
        if value is None and key in required:
            raise UsageError(f"{where}: `{key}` is missing")
        if not isinstance(value, str | None):
            raise UsageError(f"{where}: `{key}` must be text")
        if value is not None:
            texts[key] = value
    lines = data.get("lines") or []
    if not isinstance(lines, list) or not all(isinstance(one, str) for one in lines):
        raise UsageError(f"{where}: `lines` must be a list of texts")
    try:
        json.dumps(data.get("id"), allow_nan=False)
    except (ValueError, RecursionError) as error:
        # Python parses NaN and 1e999, which would not be valid JSON in the answer.
        raise UsageError(f"{where}: `id` must be a value that JSON has") from error
    return Request(data.get("id"), tuple(_context(data.get("context"), where)), texts, tuple(lines))


def _context(context: Any, where: str) -> Iterator[Utterance]:
    if not isinstance(context, list | None):
        raise UsageError(f"{where}: {_CONTEXT}")
    for turn in context or ():
        if not isinstance(turn, dict) or not isinstance(turn.get("text"), str) or not isinstance(turn.get("speaker"), str | None):
            raise UsageError(f"{where}: {_CONTEXT}")
        yield Utterance(turn.get("speaker"), turn["text"])
