"""Detection of episodes that share dialogue: uncut versions, two-parters that also exist in parts, outtakes."""

from collections import Counter
from collections.abc import Iterable
from itertools import combinations, groupby

from charbot.scripts.line import Line

Episode = tuple[str, str]
"""Show and episode."""

_LONG = 30
"""Minimum letters and digits of a line that identifies an episode: shorter ones occur everywhere."""
_COMMON = 4
"""Lines in more episodes than this are ignored as songs or sayings."""
_SHARED_LINES, _SHARED_SHARE = 8, 0.05
"""Minimum number of long lines that linked episodes share, and minimum share of those of the shorter episode."""


def line_key(text: str) -> str | None:
    """Return a key that is the same in other transcripts of a line; None if the line is too short."""
    if len(text) < _LONG and text.isascii():
        # Case folding makes no ASCII text longer.
        return None
    key = "".join(filter(str.isalnum, text.casefold()))
    return key if len(key) >= _LONG else None


def shared_lines(lines: Iterable[Line]) -> dict[tuple[Episode, Episode], int]:
    """Return the number of long lines that two episodes share, for every pair that shares enough."""
    first: dict[str, Episode] = {}
    # Most lines are in one episode, and sets take much memory.
    several: dict[str, set[Episode]] = {}
    sizes: Counter[Episode] = Counter()
    for episode, spoken in groupby(lines, key=lambda line: (line.show, line.episode)):
        for key in filter(None, (line_key(line.text) for line in spoken)):
            sizes[episode] += 1
            if (other := first.setdefault(key, episode)) != episode:
                several.setdefault(key, {other}).add(episode)
    shared: Counter[tuple[Episode, Episode]] = Counter()
    for episodes in several.values():
        if len(episodes) <= _COMMON:
            shared.update(combinations(sorted(episodes), 2))
    return {
        pair: count
        for pair, count in sorted(shared.items())
        if count >= _SHARED_LINES and count >= _SHARED_SHARE * min(sizes[pair[0]], sizes[pair[1]])
    }
