"""The copy guard: recognises passages of the training scripts without containing any of their words.

A Bloom filter (Bloom 1970, "Space/Time Trade-offs in Hash Coding with Allowable Errors") of every run of RUN words, except
those that many episodes share. There are a few false positives and no false negatives.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import log

import numpy as np
from numpy.typing import NDArray

from charbot.text import words

RUN = 8
"""Words of a run."""
_SHARED = 6
"""Runs in at least this many episodes are not guarded: prayers, theme songs, set phrases."""
_PROBES = 8
"""Hash functions of the filter."""
_BITS_PER_RUN = _PROBES / log(2)
"""Bits per run that make a filter with _PROBES probes half full: its false positive rate is then 2 ** -_PROBES."""

_Hashes = NDArray[np.uint64]


@lru_cache(maxsize=1 << 16)
def _word_hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _mixed(x: _Hashes) -> _Hashes:
    # The finaliser of splitmix64 (Steele, Lea and Flood 2014).
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def run_hashes(spoken: Sequence[str]) -> _Hashes:
    """Return a hash of each run of RUN consecutive words in `spoken`, in order."""
    if len(spoken) < RUN:
        return np.empty(0, np.uint64)
    hashes = np.array([_word_hash(word) for word in spoken], np.uint64)
    runs = np.zeros(len(spoken) - RUN + 1, np.uint64)
    for offset in range(RUN):
        runs = _mixed(runs ^ hashes[offset : offset + len(runs)])
    return runs


@dataclass(frozen=True)
class CopyGuard:
    """Detects runs of RUN words that are copied from the training scripts."""

    filled: NDArray[np.uint8]
    """The Bloom filter's bits, eight per byte."""

    @classmethod
    def of(cls, episodes: Iterable[Iterable[str]], excluded: "Sequence[CopyGuard]" = ()) -> "CopyGuard":
        """Return a guard of the lines of episodes, each in order, without the runs that the guards in `excluded` contain.

        Runs may span several lines.
        """
        episode_runs = [np.unique(run_hashes([word for text in texts for word in words(text)])) for texts in episodes]
        runs, counts = np.unique(np.concatenate([np.empty(0, np.uint64), *episode_runs]), return_counts=True)
        runs = runs[counts < _SHARED]
        for other in excluded:
            runs = runs[~other._contains(runs)]
        guard = cls(np.zeros(64 + int(len(runs) * _BITS_PER_RUN) // 8, np.uint8))
        for bits in guard._bits(runs):
            np.bitwise_or.at(guard.filled, bits >> 3, np.left_shift(1, bits & 7).astype(np.uint8))
        return guard

    @cached_property
    def false_alarms(self) -> float:
        """The false positive rate for a single run."""
        return float(np.unpackbits(self.filled).mean()) ** _PROBES

    def copies(self, text: str) -> bool:
        """Return whether a text contains a guarded run of RUN words."""
        runs = run_hashes(words(text))
        return len(runs) > 0 and bool(self._contains(runs).any())

    def _contains(self, runs: _Hashes) -> NDArray[np.bool_]:
        """Return for each run whether the filter contains it."""
        contained = np.ones(len(runs), bool)
        for bits in self._bits(runs):
            contained &= self.filled[bits >> 3] >> (bits & 7) & 1 == 1
            if not contained.any():
                break
        return contained

    def _bits(self, runs: _Hashes) -> Iterable[NDArray[np.int64]]:
        """Yield, for each probe, the bit of each run (Kirsch and Mitzenmacher 2008: two hashes are enough)."""
        step = _mixed(runs) | np.uint64(1)
        for probe in range(_PROBES):
            yield ((runs + np.uint64(probe) * step) % np.uint64(len(self.filled) * 8)).astype(np.int64)
