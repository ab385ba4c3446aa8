"""The results of reading scripts: of one file, and of all files that were named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from charbot.scripts.aliases import CERTAIN, Alias
from charbot.scripts.assembly import Omission
from charbot.scripts.cast import Listed
from charbot.scripts.line import Line


@dataclass(frozen=True)
class ScriptResult:
    """One script file: its lines, and the source lines that were left out."""

    path: Path
    format: str
    lines: tuple[Line, ...]
    kept: int
    """The number of source lines whose content is in `lines`."""
    omissions: tuple[Omission, ...]
    """The source lines that were left out."""
    sources: tuple[int, ...] = ()
    """The source line at which each of `lines` begins, from 1."""


@dataclass(frozen=True)
class ImportResult:
    """The result of reading some paths."""

    scripts: tuple[ScriptResult, ...]
    skipped: tuple[tuple[Path, str], ...]
    """Each file that was skipped, with the reason."""
    aliases: Mapping[str, tuple[Alias, ...]]
    """For each show, the names that are, or may be, other names of a speaker; the certain ones are merged in `scripts`."""
    listed: Listed = field(default_factory=dict)
    """The names in the cast files beside the scripts."""

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for script in self.scripts for line in script.lines)

    @property
    def merged(self) -> dict[str, tuple[Alias, ...]]:
        """Return the names that were replaced, for each show."""
        return {show: tuple(alias for alias in aliases if alias.certainty >= CERTAIN) for show, aliases in self.aliases.items()}
