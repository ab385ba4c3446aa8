from pathlib import Path

import pytest

from charbot.config import CorpusSettings
from charbot.corpus.plots import draw
from charbot.corpus.statistics import answered, statistics
from charbot.corpus.table import corpus_table
from charbot.errors import CorpusError
from charbot.scripts.line import Line

TURNS = [(0, "Ned", "Is it? It is."), (0, "Olga", "It's a goat."), (0, "Ned", "No."), (0, "Ned", "Yes?"), (1, "Olga", "Goat!"),
         (1, "All", "Goat!"), (1, "Tuck", "Hm.")]  # fmt: skip
TABLE = corpus_table([Line("Demo", "E1", scene, i, who, text) for i, (scene, who, text) in enumerate(TURNS)], CorpusSettings())


def test_counts() -> None:
    found = statistics(TABLE, 2)["Demo"]
    assert (found["lines"], found["words"], found["vocabulary"], found["scenes"]) == (7, 12, 8, 2)
    assert found["episodes"] == {"E1": 7}
    assert list(found["characters"]) == ["Ned", "Olga"]
    ned = found["characters"]["Ned"]
    assert (ned["lines"], ned["words"], ned["words_a_line"], ned["questions"]) == (3, 6, 2.0, 0.667)
    assert ned["answers"] == {"Olga": 1}
    assert found["characters"]["Olga"]["answers"] == {"Ned": 1}


def test_who_answers_whom_ends_with_the_scene() -> None:
    assert {name: dict(counts) for name, counts in answered(TABLE).items()} == {
        "Olga": {"Ned": 1}, "Ned": {"Olga": 1}, "All": {"Olga": 1}, "Tuck": {"All": 1},
    }  # fmt: skip


def test_pictures_are_drawn(tmp_path: Path) -> None:
    paths = list(draw(statistics(TABLE, 3), tmp_path / "plots"))
    assert [path.name for path in paths] == ["demo-episodes.png", "demo-answers.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match="file/plots: cannot be written"):
        list(draw(statistics(TABLE, 3), tmp_path / "file" / "plots"))
