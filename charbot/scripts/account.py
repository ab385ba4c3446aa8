"""An account of what was read: every source line kept or left out for a reason, and what looks odd."""

from collections import Counter, defaultdict
from statistics import median
from typing import Any

from charbot.scripts.cast import is_group
from charbot.scripts.reading import Reading

_LEADS = 8
"""Who speaks most in an episode; bit parts have the same names in every show."""
_SHORT, _LONG = 0.25, 4.0
"""Episodes this far from a show's usual length, as shares of it, are worth a look."""


def account(reading: Reading) -> dict[str, Any]:
    """Counts of source lines (records, in tables): `in` is `kept` and `left_out` together."""
    left_out = Counter(omission.reason for script in reading.scripts for omission in script.omissions)
    kept = sum(script.kept for script in reading.scripts)
    return {
        "files": len(reading.scripts) + len(reading.skipped),
        "formats": dict(Counter(script.format for script in reading.scripts).most_common()),
        "source_lines": {"in": kept + left_out.total(), "kept": kept, "left_out": dict(left_out.most_common())},
        "passed_over": [{"file": str(path), "why": why} for path, why in reading.skipped],
        "merged_names": sum(len(found) for found in reading.merged.values()),
        "odd": odd(reading),
    }


def odd(reading: Reading) -> list[str]:
    """What looks as if it were read wrongly, in words."""
    lengths: dict[str, Counter[str]] = defaultdict(Counter)
    speakers: dict[str, Counter[str]] = defaultdict(Counter)
    for line in reading.lines:
        lengths[line.show][line.episode] += 1
        speakers[line.show][line.speaker] += 1
    found = []
    for show, episodes in lengths.items():
        usual = median(episodes.values())
        for episode, count in episodes.items():
            if not _SHORT * usual <= count <= _LONG * usual:
                found.append(f"{show} {episode} has {count} lines; {usual:g} are usual in that show")
        if len(parts := _parts(reading, show)) > 1:
            names = "; ".join(f"{len(part)} with {who}" for part, who in parts)
            found.append(f"{show} looks like {len(parts)} shows that share nobody: {names}. Give each a folder of its own")
        once = sorted(name for name, count in speakers[show].items() if count == 1 and not is_group(name))
        if once:
            found.append(f"heard only once in {show}: {len(once)}, such as {', '.join(once[:5])}")
    return found


def _parts(reading: Reading, show: str) -> list[tuple[set[str], str]]:
    """The episodes of a show in groups that share nobody of consequence, each with its leads; only
    groups of several episodes, the largest first."""
    heard: dict[str, Counter[str]] = defaultdict(Counter)
    for line in reading.lines:
        if line.show == show and not is_group(line.speaker):
            heard[line.episode][line.speaker] += 1
    parts: list[tuple[set[str], Counter[str]]] = []
    for episode, counts in heard.items():
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
