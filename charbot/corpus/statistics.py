"""Statistics of a corpus: lines, words, vocabulary, and who answers whom."""

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pandas as pd

from charbot.corpus.table import count_scenes, scenes
from charbot.scripts.cast import is_group
from charbot.text import words


def _counts(lines: pd.DataFrame) -> dict[str, Any]:
    tokens = [word for text in lines["text"] for word in words(text)]
    return {
        "lines": len(lines),
        "words": len(tokens),
        "vocabulary": len(set(tokens)),
        "words_a_line": round(len(tokens) / len(lines), 2),
        "questions": round(float(lines["text"].str.contains(r"\?", regex=True).mean()), 3),
    }


def statistics(table: pd.DataFrame, characters: int) -> dict[str, dict[str, Any]]:
    """Return the statistics of each show: its counts, its lines per episode, and for each of the `characters` speakers with
    most lines their counts and how often they answer one another."""
    result = {}
    for show, lines in table.groupby("show"):
        counts = lines["speaker"].value_counts()
        speakers = [name for name in counts.index if not is_group(str(name))][:characters]
        answers = answered(lines)
        result[str(show)] = {
            **_counts(lines),
            "scenes": count_scenes(lines),
            "episodes": {str(episode): int(count) for episode, count in lines["episode"].value_counts(sort=False).items()},
            "characters": {
                str(name): _counts(lines[lines["speaker"] == name])
                | {"answers": {str(other): count for other, count in answers[str(name)].items() if other in speakers}}
                for name in speakers
            },
        }
    return result


def answered(lines: pd.DataFrame) -> dict[str, Counter[str]]:
    """Return, for each speaker, how often they answer each other speaker (speak next in the same scene), most often first."""
    result: dict[str, Counter[str]] = defaultdict(Counter)
    for scene in scenes(lines):
        for before, after in pairwise(scene):
            if before.speaker != after.speaker:
                result[str(after.speaker)][str(before.speaker)] += 1
    return defaultdict(Counter, {name: Counter(dict(counts.most_common())) for name, counts in result.items()})
