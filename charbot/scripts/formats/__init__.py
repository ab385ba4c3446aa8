"""The script formats that charbot reads, one module each.

To add one: write a module with a class that satisfies `Format`, add it to FORMATS, and put a
sample of your own writing in `scripts_data/samples/`. Nothing else needs to know.
"""

from collections.abc import Iterator
from typing import Protocol

from charbot.errors import ScriptError
from charbot.scripts.formats.colon_text import ColonText
from charbot.scripts.formats.delimited import Delimited
from charbot.scripts.formats.episode_html import EpisodeHtml
from charbot.scripts.formats.final_draft import FinalDraft
from charbot.scripts.formats.fountain import Fountain
from charbot.scripts.formats.json_records import JsonRecords
from charbot.scripts.formats.own import Own
from charbot.scripts.formats.prose import Prose
from charbot.scripts.formats.quotes import Quotes
from charbot.scripts.formats.screenplay import Screenplay
from charbot.scripts.formats.subtitles import Subtitles
from charbot.scripts.formats.wiki_dump import WikiDump
from charbot.scripts.source import Mark, Source, assemble


class Format(Protocol):
    """How one kind of script file is recognised and read."""

    @property
    def name(self) -> str:
        """What people call the format; `--format` takes it."""

    def confidence(self, text: str) -> float:
        """How sure this format is, from 0 to 1, that it can read a file with this content."""

    def brackets(self, text: str) -> str:
        """The marks that open stage directions in this file."""

    def marks(self, text: str) -> Iterator[Mark]:
        """What each source line is, in order; empty ones need no mark. Never raises."""


FORMATS: tuple[Format, ...] = (
    FinalDraft(), JsonRecords(), Own(), Delimited(), EpisodeHtml(), Subtitles(), Fountain(), Screenplay(), WikiDump(),
    ColonText(), Quotes(), Prose(),
)  # fmt: skip
"""Of those that are equally sure the first reads a file: who goes by how it begins comes before who goes by what is in it,
for in a chat that was written down anything may be."""


def read(format_: Format, text: str) -> Source:
    """The turns of one file in a format, every source line accounted for."""
    return assemble(format_.marks(text), format_.brackets(text))


def format_names() -> str:
    """The names of all formats, for people."""
    return ", ".join(format_.name for format_ in FORMATS)


def find_format(name: str) -> Format:
    """The format called `name`. Raises ScriptError."""
    for format_ in FORMATS:
        if format_.name == name:
            return format_
    raise ScriptError(f"there is no format called {name!r}; there are {format_names()}")
