"""Metrics of the diversity, repetition and style of replies."""

from collections.abc import Sequence
from itertools import pairwise

from charbot.generation.reranking import repetition
from charbot.text import words


def distinct(texts: Sequence[str], n: int, length: int) -> float:
    """Return distinct-n (Li et al. 2016), `n` being 1 or 2, of the first `length` words of the texts."""
    runs: list[tuple[str, ...]] = []
    left = length
    for text in texts:
        said = words(text)[:left]
        left -= len(said)
        runs += pairwise(said) if n == 2 else [(word,) for word in said]
    return len(set(runs)) / len(runs) if runs else float("nan")


def repeats(texts: Sequence[str]) -> float:
    """Return the share of texts that repeat an earlier one, ignoring case and punctuation."""
    keys = [tuple(words(text)) for text in texts]
    return 1 - len(set(keys)) / len(keys) if keys else float("nan")


def said_again(conversations: Sequence[Sequence[str]]) -> float:
    """Return the mean `repetition` of conversations' last turns with respect to the turns before."""
    split = [[words(turn) for turn in turns] for turns in conversations]
    return sum(repetition(last, before) for *before, last in split) / len(split) if split else float("nan")


def questions(texts: Sequence[str]) -> float:
    """Return the share of texts that contain a question mark."""
    return sum("?" in text for text in texts) / len(texts) if texts else float("nan")


def mean_words(texts: Sequence[str]) -> float:
    """Return the mean number of words per text."""
    return sum(len(words(text)) for text in texts) / len(texts) if texts else float("nan")
