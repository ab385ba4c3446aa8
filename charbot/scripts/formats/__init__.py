"""The script formats that charbot reads, one module each.

To add one, write a module with a class that satisfies `Format`, add it to FORMATS, and put a sample of your own writing in
`scripts_data/samples/`.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from charbot.errors import ScriptError
from charbot.scripts.assembly import LineTag, Transcript, assemble
from charbot.scripts.formats.charbot_text import CharbotText
from charbot.scripts.formats.chat_export import ChatExport
from charbot.scripts.formats.chat_html import ChatHtml
from charbot.scripts.formats.chat_log import ChatLog
from charbot.scripts.formats.chat_table import ChatTable
from charbot.scripts.formats.colon_text import ColonText
from charbot.scripts.formats.columns import FIELDS
from charbot.scripts.formats.cornell import Cornell
from charbot.scripts.formats.daily_dialog import DailyDialog
from charbot.scripts.formats.delimited import Delimited
from charbot.scripts.formats.episode_html import EpisodeHtml
from charbot.scripts.formats.final_draft import FinalDraft
from charbot.scripts.formats.fountain import Fountain
from charbot.scripts.formats.json_records import JsonRecords
from charbot.scripts.formats.prose import Prose
from charbot.scripts.formats.quotes import Quotes
from charbot.scripts.formats.screenplay import Screenplay
from charbot.scripts.formats.signal_text import SignalText
from charbot.scripts.formats.substation import SubStation
from charbot.scripts.formats.subtitles import Subtitles
from charbot.scripts.formats.wiki_dump import WikiDump


class Format(Protocol):
    """The interface of a script format: recognising and reading its files."""

    @property
    def name(self) -> str:
        """Return the name that `--format` takes."""

    def confidence(self, text: str) -> float:
        """Return the confidence, from 0 to 1, that this format can read a file with this content."""

    def brackets(self, text: str) -> str:
        """Return the brackets that open stage directions in this file."""

    def tags(self, text: str) -> Iterator[LineTag]:
        """Yield the role of each source line, in order; empty lines need no tag.

        Never raises.
        """


FORMATS: tuple[Format, ...] = (
    FinalDraft(), ChatExport(), JsonRecords(), CharbotText(), Cornell(), DailyDialog(), ChatHtml(), ChatLog(), SignalText(),
    ChatTable(), Delimited(), EpisodeHtml(), SubStation(), Subtitles(), Fountain(), Screenplay(), WikiDump(), ColonText(),
    Quotes(), Prose(),
)  # fmt: skip
"""Ties go to the earlier format. Formats recognised by their header come first, because a saved chat may contain anything."""


def read(format_: Format, text: str) -> Transcript:
    """Read the turns of one file in a format, accounting for every source line."""
    return assemble(format_.tags(text), format_.brackets(text))


def format_names() -> str:
    """Return the names of all formats, for messages."""
    return ", ".join(format_.name for format_ in FORMATS)


def table_format(columns: Mapping[str, str]) -> Format:
    """Return the format of tables in which the user says what the columns hold: `columns` maps fields to their names.

    Raises ScriptError if a field is unknown, or the speaker or the text is missing.
    """
    if not {"speaker", "text"} <= columns.keys() <= set(FIELDS):
        raise ScriptError(f"--columns needs speaker=NAME and text=NAME, and may have {', '.join(FIELDS[2:])}")
    return Delimited(columns)


def find_format(name: str) -> Format:
    """Return the format called `name`.

    Raises ScriptError if there is none.
    """
    for format_ in FORMATS:
        if format_.name == name:
            return format_
    raise ScriptError(f"there is no format called {name!r}; there are {format_names()}")
