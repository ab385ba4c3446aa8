"""The corpus as a pandas table: one row per Line, with the Line's fields and `split` as columns."""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any, Literal, get_args

import pandas as pd

from charbot.config import CorpusSettings
from charbot.corpus.duplicates import line_key
from charbot.corpus.split import MIN_UNITS, Split, splits_of
from charbot.dialogue import Utterance
from charbot.errors import CorpusError
from charbot.scripts.cast import is_group
from charbot.scripts.line import Line
from charbot.text import find_name

_FIELDS = ("show", "episode", "scene", "position", "speaker", "text", "directions")
_BLOCK = 8
"""Lines per block of a show that has few scenes."""


def corpus_table(lines: Iterable[Line], settings: CorpusSettings) -> pd.DataFrame:
    """Return lines as a table, in order, each with its split. Raises CorpusError if there are none.

    Episodes are divided into splits as a whole; in shows with few episodes, scenes are, or blocks of lines. Long lines
    of the test split are removed from the other splits, and those of the validation split from the train split: transcripts
    overlap, and models must not be evaluated on lines that they were trained on.
    """
    lines = tuple(lines)
    if not lines:
        raise CorpusError("the scripts hold no lines")
    # By columns: a record for each line would take twice the memory.
    table = pd.DataFrame({field: list(map(attrgetter(field), lines)) for field in _FIELDS})
    table["split"] = "train"
    for show, part in table.groupby("show", sort=False):
        units = _units(part)
        splits = splits_of(str(show), units.unique(), settings.valid, settings.test, settings.split_seed)
        table.loc[part.index, "split"] = units.map(splits)
    return _without_leaks(table)


def _units(lines: pd.DataFrame) -> "pd.Series[str]":
    """Return, for each line of a show, the unit that is never divided between splits: its episode, scene or block."""
    episodes = lines["episode"]
    if episodes.nunique() >= MIN_UNITS:
        return episodes
    scenes = episodes + "/" + lines["scene"].astype(str)
    return scenes if scenes.nunique() >= MIN_UNITS else episodes + "/" + (lines["position"] // _BLOCK).astype(str)


def held_out_units(table: pd.DataFrame) -> dict[str, Literal["episodes", "scenes", "blocks of lines", "nothing"]]:
    """Return, for each show, the kind of units that its validation and test splits hold."""
    kinds: dict[str, Literal["episodes", "scenes", "blocks of lines", "nothing"]] = {}
    for show, lines in table.groupby("show"):
        divided = [lines.groupby(keys)["split"].nunique().max() > 1 for keys in (["episode"], ["episode", "scene"])]
        kind = "blocks of lines" if divided[1] else "scenes" if divided[0] else "episodes"
        kinds[str(show)] = "nothing" if (lines["split"] == "train").all() else kind  # type: ignore[assignment]
    return kinds


def _without_leaks(table: pd.DataFrame) -> pd.DataFrame:
    keys = table["text"].map(line_key)
    test, train = table["split"] == "test", table["split"] == "train"
    leaked = (~test & keys.isin(keys[test].dropna())) | (train & keys.isin(keys[~train].dropna()))
    return table[~leaked].reset_index(drop=True)


def _scene_keys(table: pd.DataFrame) -> list["pd.Series[Any]"]:
    # The same episode may come from two files: where positions start over, another scene begins.
    return [table["show"], table["episode"], table["scene"], (table["position"].diff() <= 0).cumsum()]


def count_scenes(table: pd.DataFrame) -> int:
    """Return the number of scenes in a table."""
    return table.groupby(_scene_keys(table), sort=False).ngroups


def scenes(table: pd.DataFrame, split: Split | None = None) -> Iterator[tuple[Utterance, ...]]:
    """Yield the scenes of a split (of all if it is None), in order."""
    if split is not None:
        # Two blocks of a scene that are in one split are no conversation, for what stands between them is missing.
        table = table.assign(block=(table["split"] != table["split"].shift()).cumsum())
    chosen = table if split is None else table[table["split"] == split]
    keys = [*_scene_keys(chosen), *([chosen["block"]] if split is not None else [])]
    for _, scene in chosen.groupby(keys, sort=False):
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
            "scenes": count_scenes(lines),
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
