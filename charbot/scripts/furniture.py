"""Remove what web pages put around every script, where it looks like a turn: "Like this: Like Loading..."."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from charbot.scripts.assembly import Omission
from charbot.scripts.results import ScriptResult

_FILES = 3
"""Minimum number of files in which a speaker says the same words and no others."""
_SHARE = 0.25
"""Maximum share of a file's lines that furniture has; more are a tiny script."""


def without_furniture(scripts: Sequence[ScriptResult]) -> tuple[ScriptResult, ...]:
    """Return scripts without speakers who say the same few words, and nothing else, in each of several files of a show."""
    sayings: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
    for script in scripts:
        of_file: dict[tuple[str, str], list[str]] = defaultdict(list)
        for line in script.lines:
            of_file[line.show, line.speaker].append(line.text)
        for speaker, texts in of_file.items():
            sayings[speaker].append(tuple(texts) if len(texts) <= _SHARE * len(script.lines) else ())
    furniture = {speaker for speaker, texts in sayings.items() if len(texts) >= _FILES and len(set(texts)) == 1 and texts[0]}
    return tuple(_without(script, furniture) for script in scripts)


def _without(script: ScriptResult, speakers: set[tuple[str, str]]) -> ScriptResult:
    """Return a script whose lines by these (show, speaker) are omissions."""
    removed = [i for i, line in enumerate(script.lines) if (line.show, line.speaker) in speakers]
    if not removed:
        return script
    omissions = [
        Omission(script.sources[i], "page furniture", f"{script.lines[i].speaker}: {script.lines[i].text}"[:80]) for i in removed
    ]
    others = [i for i in range(len(script.lines)) if i not in set(removed)]
    return replace(
        script,
        lines=tuple(script.lines[i] for i in others),
        sources=tuple(script.sources[i] for i in others),
        kept=script.kept - len(removed),
        omissions=tuple(sorted((*script.omissions, *omissions), key=lambda omission: omission.line)),
    )
