"""How varied replies are, and how like real lines in length and in what they ask."""

from collections.abc import Sequence
from itertools import pairwise

from charbot.generation.reranking import repetition
from charbot.text import words


def distinct(texts: Sequence[str], n: int, length: int) -> float:
    """Different runs of `n` (1 or 2) words over all, in the first `length` words of the texts (Li et al. 2016, distinct-n)."""
    runs: list[tuple[str, ...]] = []
    left = length
    for text in texts:
        said = words(text)[:left]
        left -= len(said)
        runs += pairwise(said) if n == 2 else [(word,) for word in said]
    return len(set(runs)) / len(runs) if runs else float("nan")


def repeats(texts: Sequence[str]) -> float:
    """The share of texts that were said before, case and punctuation apart."""
    keys = [tuple(words(text)) for text in texts]
    return 1 - len(set(keys)) / len(keys) if keys else float("nan")


def said_again(conversations: Sequence[Sequence[str]]) -> float:
    """How much of the last turn of conversations was said in them before: see `repetition`."""
    split = [[words(turn) for turn in turns] for turns in conversations]
    return sum(repetition(last, before) for *before, last in split) / len(split) if split else float("nan")


def questions(texts: Sequence[str]) -> float:
    """The share of texts that ask something."""
    return sum("?" in text for text in texts) / len(texts) if texts else float("nan")


def mean_words(texts: Sequence[str]) -> float:
    """Words a text."""
    return sum(len(words(text)) for text in texts) / len(texts) if texts else float("nan")
