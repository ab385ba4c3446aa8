"""Report on an import: source lines kept or left out, files skipped, and warnings about likely misreadings."""

from collections import Counter, defaultdict
from statistics import median
from typing import Any

from charbot.scripts.cast import is_group
from charbot.scripts.results import ImportResult

_LEADS = 8
"""Number of leading speakers per episode that are compared; minor parts have the same names in every show."""
_SHORT, _LONG = 0.25, 4.0
"""Episodes shorter or longer than these multiples of the show's median are reported."""
_MANY, _LITTLE = 50, 0.15
"""A file with at least this many lines left out is reported if no more than this share of its lines is speech."""


def import_report(result: ImportResult) -> dict[str, Any]:
    """Return the report on `result` as values that JSON can hold.

    Source lines are records in table formats; `in` is the sum of `kept` and `left_out`.
    """
    left_out = Counter(omission.reason for script in result.scripts for omission in script.omissions)
    kept = sum(script.kept for script in result.scripts)
    return {
        "files": len(result.scripts) + len(result.skipped),
        "formats": dict(Counter(script.format for script in result.scripts).most_common()),
        "source_lines": {"in": kept + left_out.total(), "kept": kept, "left_out": dict(left_out.most_common())},
        "passed_over": [{"file": str(path), "why": why} for path, why in result.skipped],
        "merged_names": sum(len(aliases) for aliases in result.merged.values()),
        "odd": anomalies(result),
    }


def anomalies(result: ImportResult) -> list[str]:
    """Return warnings about what was probably read wrongly."""
    lengths: dict[str, Counter[str]] = defaultdict(Counter)
    speakers: dict[str, Counter[str]] = defaultdict(Counter)
    for line in result.lines:
        lengths[line.show][line.episode] += 1
        speakers[line.show][line.speaker] += 1
    warnings = [
        f"{script.path} is {kept:.0%} speech; `charbot scripts check --left-out` shows the rest"
        for script in result.scripts
        if len(script.omissions) >= _MANY
        and (kept := script.kept / (script.kept + len(script.omissions))) < _LITTLE
        and sum(omission.reason in ("narration", "said by nobody") for omission in script.omissions) > len(script.omissions) / 2
    ]
    for show, episodes in lengths.items():
        usual = median(episodes.values())
        for episode, count in episodes.items():
            if not _SHORT * usual <= count <= _LONG * usual:
                warnings.append(f"{show} {episode} has {count} lines; {usual:g} are usual in that show")
        if len(parts := _parts(result, show)) > 1:
            names = "; ".join(f"{len(part)} with {who}" for part, who in parts)
            warnings.append(f"{show} looks like {len(parts)} shows that share nobody: {names}. Give each a folder of its own")
        once = sorted(name for name, count in speakers[show].items() if count == 1 and not is_group(name))
        if once:
            warnings.append(f"heard only once in {show}: {len(once)}, such as {', '.join(once[:5])}")
    return warnings


def _parts(result: ImportResult, show: str) -> list[tuple[set[str], str]]:
    """Group a show's episodes so that no two groups share a leading speaker.

    Returns the episodes and the leads of each group with more than one episode, largest group first.
    """
    by_episode: dict[str, Counter[str]] = defaultdict(Counter)
    for line in result.lines:
        if line.show == show and not is_group(line.speaker):
            by_episode[line.episode][line.speaker] += 1
    parts: list[tuple[set[str], Counter[str]]] = []
    for episode, counts in by_episode.items():
        leads = Counter(dict(counts.most_common(_LEADS)))
        apart = []
        episodes, speakers = {episode}, leads
        for part in parts:
            if part[1].keys() & leads.keys():
                episodes, speakers = episodes | part[0], speakers + part[1]
            else:
                apart.append(part)
        parts = [*apart, (episodes, speakers)]
    parts = sorted((part for part in parts if len(part[0]) > 1), key=lambda part: -len(part[0]))
    return [(episodes, ", ".join(name for name, _ in speakers.most_common(3))) for episodes, speakers in parts]
