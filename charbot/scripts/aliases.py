"""Find names in a show's scripts that belong to one person: short and full names, abbreviations, typos.

Each finding has a certainty. Findings below CERTAIN are only suggested, so that two people are never merged on a guess.
The strongest evidence against a finding is that the two names answer each other.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from charbot.scripts.cast import is_group

CERTAIN = 0.9
"""Minimum certainty at which names are merged."""

_TITLES = frozenset(("mr", "mrs", "ms", "miss", "dr", "doctor", "prof", "professor", "sgt", "sergeant", "lt", "det", "detective"))
_VOWELS = re.compile(r"[aeiouy]")
_WORD = re.compile(r"[^\W\d_]+")
# A charset at the beginning lets re skip most places, so that the border of the word is checked after its first letter.
_NAMED = re.compile(r"([^\W\d_a-z](?<!\w\w)\w+)\.? (?=([^\W\d_a-z][\w'-]+))")
_VARIANT_LENGTH, _VARIANT_LINES = 5, 10
"""Minimum length and lines of two names that may be spellings of one."""
_REGULAR = 0.3
"""Minimum share of a show's episodes in which a regular speaks."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that probably belongs to the speaker called `canonical`."""

    name: str
    canonical: str
    reason: str
    """The kind of evidence, such as "spelling" or "abbreviation"."""
    certainty: float
    """From 0 to 1."""


Scene = tuple[str, Sequence[tuple[str, str]]]
"""An episode's name, and the (speaker, text) turns of one of its scenes."""


class _Evidence:
    """Statistics of a show's scenes that tell which names are one person's."""

    def __init__(self, scenes: Iterable[Scene]) -> None:
        self.lines: Counter[str] = Counter()
        self.episodes: dict[str, set[str]] = defaultdict(set)
        self._answers: Counter[tuple[str, str]] = Counter()
        self._words: Counter[str] = Counter()
        self._named: set[tuple[str, str]] = set()
        self._scenes: dict[str, set[int]] = defaultdict(set)
        self._speakers: list[list[str]] = []
        everywhere = set()
        pieces: Counter[str] = Counter()
        for episode, turns in scenes:
            everywhere.add(episode)
            speakers = [speaker for speaker, _ in turns]
            self.lines.update(speakers)
            for name in speakers:
                self.episodes[name].add(episode)
                self._scenes[name].add(len(self._speakers))
            self._speakers.append(speakers)
            self._answers.update(pair for pair in pairwise(speakers) if pair[0] != pair[1])
            # One search per scene: names do not cross line ends.
            spoken = "\n".join(text for _, text in turns)
            pieces.update(spoken.split())
            self._named.update(_NAMED.findall(spoken))
        for piece, count in pieces.items():
            for word in _WORD.findall(piece):
                self._words[word] += count
        self._named = {(first.casefold(), last.casefold()) for first, last in self._named}
        self._all_episodes = max(1, len(everywhere))

    def answer(self, a: str, b: str) -> bool:
        """Return True if one of the two ever speaks right after the other."""
        return self._answers[a, b] + self._answers[b, a] > 0

    def converse(self, a: str, b: str) -> bool:
        """Return True if the two take part in one scene like two people: with several lines each, or in turns."""
        for scene in self._scenes[a] & self._scenes[b]:
            lines = [name for name in self._speakers[scene] if name in (a, b)]
            changes = sum(before != after for before, after in pairwise(lines))
            if changes > 2 or min(lines.count(a), lines.count(b)) > 2:
                return True
        return False

    def shared_episodes(self, a: str, b: str) -> float:
        """Return the share of a's episodes in which b speaks too."""
        return len(self.episodes[a] & self.episodes[b]) / len(self.episodes[a])

    def is_regular(self, name: str) -> bool:
        """Return True if somebody speaks in many of the show's episodes."""
        return len(self.episodes[name]) >= _REGULAR * self._all_episodes

    def is_name(self, word: str) -> bool:
        """Return True if a word is a name, not a common noun: speech has it capitalised at least as often as in lower case."""
        word = word.casefold()
        return self._words[word] <= self._words[word.capitalize()]

    def is_full_name(self, first: str, last: str) -> bool:
        """Return True if anybody in the show says both casefolded words as one name ("Ned Pym", "Mr. Pym")."""
        return (first, last) in self._named

    def spoken(self, word: str) -> bool:
        """Return True if anybody in the show says a word."""
        word = word.casefold()
        return self._words[word] + self._words[word.capitalize()] + self._words[word.upper()] > 0


def _plain(name: str) -> str:
    """Return a name without what typists are careless about: case, punctuation, spaces, a leading "the"."""
    return "".join(filter(str.isalnum, name.casefold().removeprefix("the ")))


def _mistyped(a: str, b: str) -> bool:
    """Return True if one typing error makes one of the other: a letter too many, too few, wrong, or two swapped."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    tail_a, tail_b = a[start:], b[start:]
    return (
        tail_a[1:] == tail_b[1:]
        or tail_a[1:] == tail_b
        or tail_a == tail_b[1:]
        or (tail_a[2:] == tail_b[2:] and tail_a[:2] == tail_b[1::-1])
    )


def _abbreviates(short: str, name: str) -> bool:
    """Return True if `short` is the start of `name` ("Chan"), or `name` without its inner vowels ("Mnca")."""
    if not 3 <= len(short) <= 4 or len(name) < len(short) + 2 or " " in short:
        return False
    if name.startswith(short):
        return True
    # No inner vowels: "Dad" is not David, nor "Man" Martin.
    letters = iter(name)
    ends_alike = short[-1] == name[-1] or not _VOWELS.match(short[-1])
    return short[0] == name[0] and ends_alike and not _VOWELS.search(short[1:-1]) and all(letter in letters for letter in short)


def _words(name: str) -> list[str]:
    return name.casefold().replace(".", "").split()


def find_aliases(scenes: Iterable[Scene], settled: Container[str]) -> tuple[Alias, ...]:
    """Return the names of a show that probably are other names of its speakers, most certain first.

    `settled` holds casefolded names: none of them becomes an alias.
    """
    evidence = _Evidence(scenes)
    names = [name for name, _ in evidence.lines.most_common() if name and not is_group(name)]
    aliases: dict[str, Alias] = {}
    spellings: dict[str, str] = {}
    for name in names:
        first = spellings.setdefault(_plain(name), name)
        if first != name and name.casefold() not in settled:
            aliases[name] = Alias(name, first, "spelling", 0.99)
    firm = [name for name in names if name not in aliases]
    guesses = [
        *_full_names(firm, evidence),
        *_abbreviations(firm, evidence),
        *_typing_errors(firm, evidence),
        *_variants(firm, evidence),
    ]
    for guess in sorted(guesses, key=lambda guess: -guess.certainty):
        if guess.name.casefold() in settled or guess.name in aliases:
            continue
        # Names that answer each other, or both take part in a scene, are usually two people.
        two_people = evidence.answer(guess.name, guess.canonical) or evidence.converse(guess.name, guess.canonical)
        certainty = min(guess.certainty, 0.4) if two_people else guess.certainty
        aliases[guess.name] = replace(guess, certainty=certainty)
    certain = {alias.name: alias.canonical for alias in aliases.values() if alias.certainty >= CERTAIN}
    followed = [replace(alias, canonical=_follow(alias.canonical, certain)) for alias in aliases.values()]
    # Following certain mergers can lead an uncertain alias back to its own name.
    others = [alias for alias in followed if alias.canonical != alias.name]
    return tuple(sorted(others, key=lambda alias: (-alias.certainty, -evidence.lines[alias.name], alias.name)))


def _full_names(names: Sequence[str], evidence: _Evidence) -> Iterator[Alias]:
    """Yield aliases between short names ("Ned", "Pym") and full names ("Ned Pym") or names with a title ("Mr. Pym")."""
    singles = {_words(name)[0]: name for name in reversed(names) if len(_words(name)) == 1}
    longer: dict[str, list[str]] = defaultdict(list)
    for name in names:
        words = _words(name)
        if len(words) == 2 and all(word in _TITLES or (word.isalpha() and evidence.is_name(word)) for word in words):
            longer[words[1]].append(name)
            if words[0] not in _TITLES:
                longer[words[0]].append(name)
    for word, candidates in longer.items():
        short = singles.get(word)
        if short is None or not evidence.is_name(word) or word in _TITLES:
            continue
        for full in candidates:
            # In the same episode, a full name that contains a regular's name is more likely somebody else's.
            first, last = _words(full)
            apart = evidence.shared_episodes(full, short) == 0
            near = not apart and (first in _TITLES or not evidence.is_regular(short))
            # Two regulars would meet in some episode; if they never do, two transcribers name one person differently.
            near = near or (apart and evidence.is_regular(full) and evidence.is_regular(short))
            sure = len(candidates) == 1 and near and evidence.is_full_name(first, last)
            certainty = 0.92 if sure else 0.6 if len(candidates) == 1 else 0.5
            more, fewer = (short, full) if evidence.lines[short] >= evidence.lines[full] else (full, short)
            yield Alias(fewer, more, "full name" if fewer == full else "short name", certainty)


def _abbreviations(names: Sequence[str], evidence: _Evidence) -> Iterator[Alias]:
    """Yield abbreviations of regulars, from transcribers who abbreviate throughout an episode."""
    regulars = [name for name in names if evidence.is_regular(name)]
    for name in names:
        candidates = [
            other
            for other in regulars
            if _abbreviates(name.casefold(), other.casefold()) and evidence.shared_episodes(name, other) < 0.1
        ]
        for other in candidates:
            yield Alias(name, other, "abbreviation", 0.93 if len(candidates) == 1 and evidence.lines[name] >= 5 else 0.5)


def _typing_errors(names: Sequence[str], evidence: _Evidence) -> Iterator[Alias]:
    """Yield names with at most three lines that resemble a name with far more lines in the same episodes."""
    by_start: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_start[name[0].casefold()].append(name)
    for name in names:
        if len(name) < 5 or evidence.lines[name] > 3:
            continue
        candidates = [
            other
            for other in by_start[name[0].casefold()]
            if evidence.lines[other] >= 30 * evidence.lines[name]
            and abs(len(other) - len(name)) <= 1
            and _mistyped(name.casefold(), other.casefold())
            and re.findall(r"\d", other) == re.findall(r"\d", name)
            and evidence.shared_episodes(name, other) == 1
        ]
        for other in candidates:
            # A name that occurs in speech is probably a real one.
            slip = len(candidates) == 1 and not all(evidence.spoken(word) for word in _WORD.findall(name))
            yield Alias(name, other, "typing error", 0.95 if slip else 0.5)


def _variants(names: Sequence[str], evidence: _Evidence) -> Iterator[Alias]:
    """Yield names that differ in one letter and never occur in the same episode: two transcribers may spell one differently."""
    frequent = [name for name in names if len(name) >= _VARIANT_LENGTH and evidence.lines[name] >= _VARIANT_LINES]
    for i, name in enumerate(frequent):
        for rarer in frequent[i + 1 :]:
            if (
                name[:1] == rarer[:1]
                and _mistyped(name.casefold(), rarer.casefold())
                and evidence.shared_episodes(rarer, name) == 0
            ):
                yield Alias(rarer, name, "spelling variant", 0.7)


def _follow(name: str, certain: Mapping[str, str]) -> str:
    """Follow mergers from `name` to the name that it finally stands for."""
    visited = set()
    while name in certain and name not in visited:
        visited.add(name)
        name = certain[name]
    return name
