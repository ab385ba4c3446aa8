"""The script formats that charbot reads, one module each.

To add one: write a module with a class that satisfies `Format`, add it to FORMATS, and put a
sample of your own writing in `scripts_data/samples/`. Nothing else needs to know.
"""

from collections.abc import Iterator
from typing import Protocol

from charbot.scripts.formats.episode_html import EpisodeHtml
from charbot.scripts.formats.wiki_dump import WikiDump
from charbot.scripts.line import Turn


class Format(Protocol):
    """How one kind of script file is recognised and read."""

    @property
    def name(self) -> str:
        """What people call the format; `--format` takes it."""

    def confidence(self, text: str) -> float:
        """How sure this format is, from 0 to 1, that it can read a file with this content."""

    def turns(self, text: str) -> Iterator[Turn]:
        """The turns of one file, in order. Never raises: what is no turn is passed over."""


FORMATS: tuple[Format, ...] = (EpisodeHtml(), WikiDump())
