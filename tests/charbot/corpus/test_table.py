import dataclasses

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charbot.config import CorpusSettings
from charbot.corpus.split import split_of
from charbot.corpus.table import corpus_table, held_out_units, scenes, speakers
from charbot.dialogue import Utterance
from charbot.errors import CorpusError
from charbot.scripts.line import Line

SETTINGS = CorpusSettings(valid=0.3, test=0.3)
TRAIN_ONLY = CorpusSettings(valid=0.0, test=0.0)


def lines_of(episode: str, *spoken: tuple[int, str, str], show: str = "Demo") -> list[Line]:
    return [Line(show, episode, scene, position, who, text) for position, (scene, who, text) in enumerate(spoken)]


def spoken(table: pd.DataFrame) -> list[list[tuple[str | None, str]]]:
    return [[(turn.speaker, turn.text) for turn in scene] for scene in scenes(table)]


def test_a_table_holds_every_field_in_order() -> None:
    lines = [Line("Demo", "S01E02", 0, 0, "Ned", "b", ("waves",)), Line("Demo", "S01E01", 3, 7, "Olga", "a")]
    table = corpus_table(lines, SETTINGS)
    fields = [field.name for field in dataclasses.fields(Line)]
    assert list(table.columns) == [*fields, "split"]
    assert [Line(*row) for row in table[fields].itertuples(index=False)] == lines


def test_no_lines_are_no_corpus() -> None:
    with pytest.raises(CorpusError, match="hold no lines"):
        corpus_table([], SETTINGS)


EPISODES = st.lists(st.tuples(st.sampled_from(["Demo", "Other"]), st.integers(0, 30)), min_size=1, max_size=20)


@settings(max_examples=25)
@given(EPISODES)
def test_an_episode_is_in_one_split_whatever_else_there_is(episodes: list[tuple[str, int]]) -> None:
    lines = [Line(show, str(number), 0, position, "Ned", "Hi.") for show, number in episodes for position in range(2)]
    table = corpus_table(lines, SETTINGS)
    assert all(splits.nunique() == 1 for _, splits in table.groupby(["show", "episode"])["split"])


def test_splits_depend_on_names_alone_where_there_are_many_episodes() -> None:
    lines = [Line("Demo", str(number), 0, 0, "Ned", "Hi.") for number in range(30)]
    for row in corpus_table(lines, SETTINGS).itertuples():
        assert row.split == split_of("Demo", str(row.episode), SETTINGS.valid, SETTINGS.test, SETTINGS.split_seed)


@pytest.mark.parametrize("show", ["Demo", "Pier", "Heron", "Tide"])
@pytest.mark.parametrize(
    ("episodes", "scenes_each", "lines_each", "kind"),
    [(16, 1, 120, "episodes"), (4, 8, 10, "scenes"), (1, 6, 10, "scenes"), (1, 1, 200, "blocks of lines"), (1, 1, 12, "nothing")],
)
def test_something_is_always_held_out(show: str, episodes: int, scenes_each: int, lines_each: int, kind: str) -> None:
    lines = [
        Line(show, f"E{episode}", position // lines_each, position, "Ned", f"Hi {episode} {position}.")
        for episode in range(episodes)
        for position in range(scenes_each * lines_each)
    ]
    table = corpus_table(lines, CorpusSettings())
    assert held_out_units(table) == {show: kind}
    assert set(table["split"]) == ({"train"} if kind == "nothing" else {"train", "valid", "test"})
    # Most lines are still for training.
    assert (table["split"] == "train").mean() >= 0.6


def test_blocks_of_one_scene_that_are_apart_are_no_conversation() -> None:
    lines = lines_of("E1", *[(0, "Ned", f"Line {i}.") for i in range(400)])
    table = corpus_table(lines, SETTINGS)
    for scene in scenes(table, "valid"):
        numbers = [int(turn.text[5:-1]) for turn in scene]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(list(scenes(table))) == 1


def test_no_long_line_stands_on_both_sides_of_a_split() -> None:
    long, short = "I never thought that a goat would drive a bus like that.", "Goats!"
    lines = [
        line for i in range(30) for line in lines_of(f"E{i}", (0, "Ned", long), (0, "Olga", short), (0, "Ned", f"{long} {i}"))
    ]
    table = corpus_table(lines, SETTINGS)
    assert set(table["split"]) == {"train", "valid", "test"}
    assert set(table.loc[table["text"] == long, "split"]) == {"test"}
    assert set(table.loc[table["text"] == short, "split"]) == {"train", "valid", "test"}
    # Of the other long lines, each of which is said once, none is lost.
    assert len(table[table["text"].str.startswith(f"{long} ")]) == 30


def test_the_splits_of_scenes_are_all_scenes_once() -> None:
    lines = [line for i in range(20) for line in lines_of(f"E{i}", (0, "Ned", f"{i}a"), (1, "Olga", f"{i}b"))]
    table = corpus_table(lines, SETTINGS)
    parts = {split: list(scenes(table, split)) for split in ("train", "valid", "test")}
    assert all(parts.values())
    assert sorted(str(scene) for found in parts.values() for scene in found) == sorted(map(str, scenes(table)))
    for split, found in parts.items():
        assert {scene[0].text for scene in found} == set(table.loc[table["split"] == split, "text"])


def test_scenes_end_with_the_scene_the_episode_and_the_show() -> None:
    table = corpus_table(
        [
            *lines_of("E1", (0, "Ned", "a"), (0, "Olga", "b"), (1, "Ned", "c")),
            *lines_of("E2", (0, "Ned", "d")),
            *lines_of("E2", (0, "Ned", "e"), show="Other"),
        ],
        SETTINGS,
    )
    assert spoken(table) == [[("Ned", "a"), ("Olga", "b")], [("Ned", "c")], [("Ned", "d")], [("Ned", "e")]]
    assert next(scenes(table)) == (Utterance("Ned", "a"), Utterance("Olga", "b"))


@pytest.mark.parametrize("length", [1, 2])
def test_two_files_of_one_episode_are_not_one_conversation(length: int) -> None:
    once = lines_of("E1", *[(0, "Ned", str(i)) for i in range(length)])
    again = lines_of("E1", *[(0, "Olga", str(i)) for i in range(2)])
    assert list(map(len, spoken(corpus_table(once + again, SETTINGS)))) == [length, 2]


def test_a_split_may_be_empty() -> None:
    table = corpus_table(lines_of("E1", (0, "Ned", "a")), TRAIN_ONLY)
    assert list(scenes(table, "test")) == []
    assert list(scenes(table, "train")) == [(Utterance("Ned", "a"),)]


def test_speakers_are_counted_in_the_train_split_groups_apart() -> None:
    lines = lines_of(
        "E1", *[(0, name, "a") for name in ["Ned", "Olga", "Olga", "All", "All", "Ned and Olga", "Ned and Olga", "Tuck"]]
    )
    table = corpus_table(lines, TRAIN_ONLY)
    assert speakers(table, 1) == ["Olga", "Ned", "Tuck"]
    assert speakers(table, 2) == ["Olga"]
    assert speakers(table, 3) == []
    table["split"] = "valid"
    assert speakers(table, 1) == []
