"""Conversations between people, from which bases learn to answer: JSON lines, plain or gzip.

    {"id": "...", "turns": [["A", "Hi, how are you?"], ["B", "Fine, thanks."]]}

Speakers who are in no script count as anonymous. Conversations written for a persona (see CONTRIBUTING.md) have the same
form, with the persona as a speaker.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from charbot.config import CorpusSettings
from charbot.corpus.split import Split, split_of
from charbot.dialogue import Utterance, prepare_turns
from charbot.errors import CorpusError
from charbot.jsonlines import parse_line
from charbot.storage import sha256

_SUFFIXES = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation of a file."""

    source: str
    """Name of its file, without suffixes."""
    collection: str
    """Name of the file's folder."""
    turns: tuple[Utterance, ...]
    split: Split


@dataclass(frozen=True)
class ChatFiles:
    """An iterable of the conversations in files, which are read again at each iteration instead of kept in memory."""

    files: tuple[Path, ...]
    settings: CorpusSettings

    @classmethod
    def find(cls, paths: Sequence[Path], settings: CorpusSettings) -> "ChatFiles":
        """Return the files among `paths`, and those in the folders among them.

        Raises CorpusError if a folder has none, and for a device or a pipe: files are read more than once.
        """
        files: list[Path] = []
        for path in paths:
            if path.exists() and not path.is_dir() and not path.is_file():
                raise CorpusError(f"{path}: is neither a file nor a folder")
            inside = sorted(file for file in path.rglob("*") if _is_chat(file)) if path.is_dir() else [path]
            if not inside:
                raise CorpusError(f"{path}: holds no conversations ({' or '.join('*' + suffix for suffix in _SUFFIXES)})")
            files += inside
        return cls(tuple(files), settings)

    def checksums(self) -> dict[str, str]:
        """Return the checksum of each file, by file name; further files of one name are numbered."""
        counts: Counter[str] = Counter()
        checksums: dict[str, str] = {}
        for file in self.files:
            counts[file.name] += 1
            number = f" ({counts[file.name]})" if counts[file.name] > 1 else ""
            checksums[f"{file.name}{number}"] = sha256(file)
        return checksums

    def __iter__(self) -> Iterator[Chat]:
        """Yield the conversations of at least two turns. Raises CorpusError if a file is unreadable or a line malformed."""
        for file in self.files:
            yield from _read(file, self.settings)


def _is_chat(path: Path) -> bool:
    return path.name.endswith(_SUFFIXES) and path.is_file()


def _read(file: Path, settings: CorpusSettings) -> Iterator[Chat]:
    source = file.name.split(".")[0]
    try:
        with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    turns = _turns(line, f"{file}, line {number}")
                    if len(turns) > 1:
                        # Split by the first turn, because several collections may contain the same conversation.
                        split = split_of("chat", turns[0].text.casefold(), settings.valid, settings.test, settings.split_seed)
                        yield Chat(source, file.absolute().parent.name, turns, split)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise CorpusError(f"{file}: cannot be read ({error})") from error


def _turns(line: str, where: str) -> tuple[Utterance, ...]:
    try:
        data = parse_line(line)
    except ValueError as error:
        raise CorpusError(f"{where}: {error}") from error
    try:
        turns = [(speaker, text) for speaker, text in data["turns"]]
    except (TypeError, KeyError, ValueError) as error:
        raise CorpusError(
            f'{where}: is no conversation; it must look like {{"turns": [["A", "Hi."], ["B", "Hello."]]}}'
        ) from error
    if not all(isinstance(part, str) for turn in turns for part in turn):
        raise CorpusError(f"{where}: a turn must be a speaker and a text")
    return prepare_turns([Utterance(speaker, text) for speaker, text in turns])
