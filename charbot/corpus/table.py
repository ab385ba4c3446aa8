"""The corpus as a pandas table: one row per Line, with the Line's fields and `split` as columns."""

from collections.abc import Iterable, Iterator
from typing import get_args

import pandas as pd

from charbot.config import CorpusSettings
from charbot.corpus.duplicates import line_key
from charbot.corpus.split import Split, split_of
from charbot.dialogue import Utterance
from charbot.errors import CorpusError
from charbot.scripts.cast import is_group
from charbot.scripts.line import Line
from charbot.text import find_name

_FIELDS = ("show", "episode", "scene", "position", "speaker", "text", "directions")


def corpus_table(lines: Iterable[Line], settings: CorpusSettings) -> pd.DataFrame:
    """Return lines as a table, in order, each with the split of its episode. Raises CorpusError if there are none.

    Long lines of test episodes are removed from the other splits, and those of validation episodes from the train split:
    transcripts overlap, and models must not be evaluated on lines that they were trained on.
    """
    rows = [tuple(getattr(line, field) for field in _FIELDS) for line in lines]
    if not rows:
        raise CorpusError("the scripts hold no lines")
    table = pd.DataFrame(rows, columns=list(_FIELDS))
    episodes = table[["show", "episode"]].drop_duplicates()
    splits = {
        (show, episode): split_of(show, episode, settings.valid, settings.test, settings.split_seed)
        for show, episode in episodes.itertuples(index=False)
    }
    table["split"] = [splits[episode] for episode in zip(table["show"], table["episode"], strict=True)]
    return _without_leaks(table)


def _without_leaks(table: pd.DataFrame) -> pd.DataFrame:
    keys = table["text"].map(line_key)
    test, train = table["split"] == "test", table["split"] == "train"
    leaked = (~test & keys.isin(keys[test].dropna())) | (train & keys.isin(keys[~train].dropna()))
    return table[~leaked].reset_index(drop=True)


def scenes(table: pd.DataFrame, split: Split | None = None) -> Iterator[tuple[Utterance, ...]]:
    """Yield the scenes of a split (of all if it is None), in order."""
    chosen = table if split is None else table[table["split"] == split]
    keys = [chosen["show"], chosen["episode"], chosen["scene"]]
    # The same episode may come from two files: where positions start over, another scene begins.
    restarts = (chosen["position"].diff() <= 0).cumsum()
    for _, scene in chosen.groupby([*keys, restarts], sort=False):
        yield tuple(map(Utterance, scene["speaker"], scene["text"]))


def episodes(table: pd.DataFrame) -> list[list[str]]:
    """Return the texts of each episode of the train split, in order."""
    chosen = table[table["split"] == "train"]
    return [episode["text"].tolist() for _, episode in chosen.groupby(["show", "episode"], sort=False)]


def speakers(table: pd.DataFrame, min_lines: int) -> list[str]:
    """Return the speakers, without groups, of at least `min_lines` lines in the train split, most lines first."""
    counts = table.loc[table["split"] == "train", "speaker"].value_counts()
    return [str(name) for name, lines in counts.items() if lines >= min_lines and not is_group(str(name))]


def summary(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return counts for each show: lines, episodes, scenes, speakers, and lines per split."""
    counts = {}
    for show, lines in table.groupby("show"):
        counts[str(show)] = {
            "lines": len(lines),
            "episodes": lines["episode"].nunique(),
            "scenes": sum(1 for _ in scenes(lines)),
            "speakers": lines["speaker"].nunique(),
            **{split: int((lines["split"] == split).sum()) for split in get_args(Split)},
        }
    return counts


def find_speaker(table: pd.DataFrame, name: str) -> str:
    """Return the speaker called `name`, ignoring case. Raises CorpusError with a hint at similar names."""
    speaker, hint = find_name(name, map(str, table["speaker"].unique()))
    if speaker is None:
        raise CorpusError(f"nobody called {name!r} speaks in these scripts.{hint}")
    return speaker
