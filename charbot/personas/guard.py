"""The copy guard: knows the runs of words of the training scripts without holding a word of them.

A Bloom filter (Bloom 1970, "Space/Time Trade-offs in Hash Coding with Allowable Errors") of every
run of RUN words that one scene, or a few, hold. It may take a few other runs for known, never a
known one for unknown.
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
_SHARED = 6
"""Runs that so many episodes hold are nobody's: prayers, theme songs, set phrases."""
_PROBES = 8
_BITS_A_RUN = _PROBES / log(2)
"""What a filter needs for each run to be half full, when _PROBES bits stand for each: of runs
unknown to it, one in 2 ** _PROBES then looks known."""

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
    """A hash of each run of RUN words in `spoken`, in order: none where it has fewer."""
    if len(spoken) < RUN:
        return np.empty(0, np.uint64)
    hashes = np.array([_word_hash(word) for word in spoken], np.uint64)
    runs = np.zeros(len(spoken) - RUN + 1, np.uint64)
    for at in range(RUN):
        runs = _mixed(runs ^ hashes[at : at + len(runs)])
    return runs


@dataclass(frozen=True)
class CopyGuard:
    """Tells whether a text holds a run of RUN words of the training scripts. `filled` is the filter, eight bits a byte."""

    filled: NDArray[np.uint8]

    @classmethod
    def of(cls, episodes: Iterable[Iterable[str]], but: "Sequence[CopyGuard]" = ()) -> "CopyGuard":
        """A guard of what is said in each episode, in order, but for what others guard already.
        Runs go on from one speaker to the next."""
        found = [np.unique(run_hashes([word for text in texts for word in words(text)])) for texts in episodes]
        runs, counts = np.unique(np.concatenate([np.empty(0, np.uint64), *found]), return_counts=True)
        own = runs[counts < _SHARED]
        for other in but:
            own = own[~other._known(own)]
        guard = cls(np.zeros(64 + int(len(own) * _BITS_A_RUN) // 8, np.uint8))
        for bits in guard._bits(own):
            np.bitwise_or.at(guard.filled, bits >> 3, np.left_shift(1, bits & 7).astype(np.uint8))
        return guard

    @cached_property
    def false_alarms(self) -> float:
        """The share of runs unknown to the filter that look known."""
        return float(np.unpackbits(self.filled).mean()) ** _PROBES

    def copies(self, text: str) -> bool:
        """Whether a text holds RUN words in a row as a script of those that it guards has them."""
        runs = run_hashes(words(text))
        return len(runs) > 0 and bool(self._known(runs).any())

    def _known(self, runs: _Hashes) -> NDArray[np.bool_]:
        known = np.ones(len(runs), bool)
        for bits in self._bits(runs):
            known &= self.filled[bits >> 3] >> (bits & 7) & 1 == 1
            if not known.any():
                break
        return known

    def _bits(self, runs: _Hashes) -> Iterable[NDArray[np.int64]]:
        """For each probe, the bit that stands for each run (Kirsch and Mitzenmacher 2008: two hashes are enough)."""
        step = _mixed(runs) | np.uint64(1)
        for probe in range(_PROBES):
            yield ((runs + np.uint64(probe) * step) % np.uint64(len(self.filled) * 8)).astype(np.int64)
