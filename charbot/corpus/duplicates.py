"""Episodes that share their dialogue: uncut versions, two-parters that are also there in parts, outtakes."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations

from charbot.scripts.line import Line

Episode = tuple[str, str]
"""Show and episode."""

_LONG = 30
"""Letters of a line that is told from others by its words alone: shorter ones are said everywhere."""
_COMMON = 4
"""A line in more episodes than this is a song or a saying."""
_SHARED_LINES, _SHARED_SHARE = 8, 0.05
"""Episodes are linked that share so many long lines, and that share of the shorter one's."""


def line_key(text: str) -> str | None:
    """What a line is recognised by in another transcript; None for one that is too short."""
    key = "".join(filter(str.isalnum, text.casefold()))
    return key if len(key) >= _LONG else None


def shared_lines(lines: Iterable[Line]) -> dict[tuple[Episode, Episode], int]:
    """How many long lines two episodes share, for every pair that shares a good part."""
    heard: dict[str, set[Episode]] = defaultdict(set)
    sizes: Counter[Episode] = Counter()
    for line in lines:
        key = line_key(line.text)
        if key is not None:
            heard[key].add((line.show, line.episode))
            sizes[line.show, line.episode] += 1
    shared: Counter[tuple[Episode, Episode]] = Counter()
    for episodes in heard.values():
        if 1 < len(episodes) <= _COMMON:
            shared.update(combinations(sorted(episodes), 2))
    return {
        pair: count
        for pair, count in sorted(shared.items())
        if count >= _SHARED_LINES and count >= _SHARED_SHARE * min(sizes[pair[0]], sizes[pair[1]])
    }
