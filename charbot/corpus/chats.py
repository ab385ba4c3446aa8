"""Conversations of people, to learn answering from: JSON lines, plain or gzip, read one after the other.

    {"id": "...", "turns": [["A", "Hi, how are you?"], ["B", "Fine, thanks."]]}

Speakers whom no script knows are nobody in particular. A persona's own conversations (see CONTRIBUTING.md) have the same
form, and name the persona as a speaker.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charbot.config import CorpusSettings
from charbot.corpus.split import Split, split_of
from charbot.dialogue import Utterance, prepare_turns
from charbot.errors import CorpusError
from charbot.storage import sha256

_SUFFIXES = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation."""

    source: str
    """The name of the file it is in, without suffixes."""
    collection: str
    """The name of the folder of that file."""
    turns: tuple[Utterance, ...]
    split: Split


@dataclass(frozen=True)
class ChatFiles:
    """Files of conversations. They are read anew each time, and never held in memory."""

    files: tuple[Path, ...]
    settings: CorpusSettings

    @classmethod
    def find(cls, paths: Sequence[Path], settings: CorpusSettings) -> "ChatFiles":
        """The files of such a kind among `paths` and in folders among them. Raises CorpusError where there are none."""
        files: list[Path] = []
        for path in paths:
            found = sorted(one for one in path.rglob("*") if _is_chat(one)) if path.is_dir() else [path]
            if not found:
                raise CorpusError(f"{path}: holds no conversations ({' or '.join('*' + suffix for suffix in _SUFFIXES)})")
            files += found
        return cls(tuple(files), settings)

    def checksums(self) -> dict[str, str]:
        """The checksum of each file, by its name."""
        return {file.name: sha256(file) for file in self.files}

    def __iter__(self) -> Iterator[Chat]:
        """Raises CorpusError where a file cannot be read or a line in it is no conversation."""
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
                        # By its beginning: the same conversation may stand in several collections.
                        split = split_of("chat", turns[0].text.casefold(), settings.valid, settings.test, settings.split_seed)
                        yield Chat(source, file.absolute().parent.name, turns, split)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CorpusError(f"{file}: cannot be read ({error})") from error


def _turns(line: str, where: str) -> tuple[Utterance, ...]:
    try:
        data: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{where}: is no JSON ({error})") from error
    try:
        turns = [(speaker, text) for speaker, text in data["turns"]]
    except (TypeError, KeyError, ValueError) as error:
        raise CorpusError(
            f'{where}: is no conversation; it must look like {{"turns": [["A", "Hi."], ["B", "Hello."]]}}'
        ) from error
    if not all(isinstance(part, str) for turn in turns for part in turn):
        raise CorpusError(f"{where}: a turn must be a speaker and a text")
    return prepare_turns([Utterance(speaker, text) for speaker, text in turns])
