import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from charbot.corpus import store as store_module
from charbot.corpus.store import import_scripts
from charbot.errors import ScriptError
from charbot.scripts.cast import read_cast
from charbot.scripts.reader import read_scripts
from charbot.scripts.results import ImportResult, ScriptResult

SAMPLES = Path(__file__).parents[3] / "scripts_data" / "samples"
# Of the JSON samples both tell another show's first episode, which no folder has.
SHOWS = [path for path in sorted(SAMPLES.iterdir()) if path.name != "json"]


def _episodes(reading: ImportResult) -> int:
    return len({(line.show, line.episode) for line in reading.lines})


def test_what_is_kept_reads_the_same(tmp_path: Path) -> None:
    reading = read_scripts(SHOWS)
    assert import_scripts(reading, tmp_path) == (_episodes(reading), 0)
    again = read_scripts([tmp_path])
    assert sorted(again.lines, key=str) == sorted(reading.lines, key=str)
    assert {line.show for line in again.lines} == {line.show for line in reading.lines}


@pytest.mark.parametrize("folder", ["Grey's Gulls", "Mr. Tern", "Crumbs & Co", "Gulls: The Return", "lärm"])
def test_a_show_keeps_its_name(tmp_path: Path, folder: str) -> None:
    shutil.copytree(SAMPLES / "wiki_dump", tmp_path / "in" / folder)
    reading = read_scripts([tmp_path / "in"])
    import_scripts(reading, tmp_path / "kept")
    again = read_scripts([tmp_path / "kept"])
    assert sorted(again.lines, key=str) == sorted(reading.lines, key=str)


def test_keeping_twice_changes_nothing(tmp_path: Path) -> None:
    reading = read_scripts(SHOWS)
    import_scripts(reading, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert import_scripts(reading, tmp_path) == (0, _episodes(reading))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("episode", ["../../out", "a/b", "a:b?", "x" * 300, "..", "", "\udcff"])
def test_an_episodes_name_stays_in_its_folder(tmp_path: Path, episode: str) -> None:
    (script, *_) = read_scripts([SAMPLES / "wiki_dump"]).scripts
    lines = tuple(replace(line, episode=episode) for line in script.lines)
    reading = ImportResult((ScriptResult(script.path, script.format, lines, 0, ()),), (), {})
    assert import_scripts(reading, tmp_path / "in") == (1, 0)
    (path,) = (file for file in tmp_path.rglob("*") if file.is_file())
    assert path.parent.parent == tmp_path / "in"


def test_a_folder_that_cannot_be_written_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = read_scripts([SAMPLES / "wiki_dump"])
    import_scripts(reading, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    changed = ImportResult(tuple(replace(script, lines=script.lines[:-1]) for script in reading.scripts), (), {})

    def full(path: Path, write: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module, "replace_bytes", full)
    with pytest.raises(ScriptError, match=r"cannot be written: .*No space left"):
        import_scripts(changed, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_a_cast_file_decides_stays_decided(tmp_path: Path) -> None:
    source = tmp_path / "in" / "Pier"
    source.mkdir(parents=True)
    (source / "1.txt").write_text("The Goat: Hi.\nNele: Yo.\nGoat: Oh.\nNel: No.\n" * 3)
    (source / "cast.yaml").write_text("pier:\n  Nele: [nel]\n  The Goat: []\n  Goat: []\n")
    result = read_scripts([source])
    assert {line.speaker for line in result.lines} == {"The Goat", "Nele", "Goat"}
    import_scripts(result, tmp_path / "kept")
    assert {line.speaker for line in read_scripts([tmp_path / "kept"]).lines} == {"The Goat", "Nele", "Goat"}
    # A later import adds to what is stored.
    (source / "cast.yaml").write_text("Pier:\n  Ivo: [old ivo]\n")
    import_scripts(read_scripts([source]), tmp_path / "kept")
    assert read_cast(tmp_path / "kept" / "pier" / "cast.yaml") == {
        "Pier": {"Nele": ["nel"], "The Goat": [], "Goat": [], "Ivo": ["old ivo"]}
    }


def test_an_import_keeps_what_somebody_wrote_into_a_stored_cast_file(tmp_path: Path) -> None:
    source, stored = tmp_path / "in" / "Pier", tmp_path / "kept" / "pier" / "cast.yaml"
    for path, text in ((source / "1.txt", "Nele: Hi.\nIvo: Yo.\n" * 3), (source / "cast.yaml", "Pier: {Ivo: [old ivo]}\n")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    stored.parent.mkdir(parents=True)
    stored.write_text("pier: {Nele: [nel]}\n")
    import_scripts(read_scripts([source]), tmp_path / "kept")
    assert read_cast(stored) == {"pier": {"Nele": ["nel"]}, "Pier": {"Ivo": ["old ivo"]}}
