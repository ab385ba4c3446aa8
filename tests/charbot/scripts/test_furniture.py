from pathlib import Path

from charbot.scripts.reader import read_scripts
from charbot.scripts.report import import_report


def write(folder: Path, *footers: str) -> None:
    folder.mkdir()
    for i, footer in enumerate(footers):
        script = "".join(f"Nele: Day {day} of {i}.\nBartok: Again?\n" for day in range(4))
        (folder / f"{i}.txt").write_text(script + footer)


def test_a_speaker_with_the_same_line_in_each_file_is_furniture(tmp_path: Path) -> None:
    footer = "Heron Bay: North Pier\nHeron Bay: South Pier\n"
    write(tmp_path / "pier", footer, footer, footer)
    result = read_scripts([tmp_path / "pier"])
    assert {line.speaker for line in result.lines} == {"Nele", "Bartok"}
    assert [(omission.line, omission.reason) for omission in result.scripts[0].omissions] == [
        (9, "page furniture"), (10, "page furniture")
    ]  # fmt: skip
    assert import_report(result)["source_lines"] == {"in": 30, "kept": 24, "left_out": {"page furniture": 6}}


def test_a_speaker_with_one_other_line_is_a_person(tmp_path: Path) -> None:
    write(tmp_path / "pier", *["Mirna: Good night.\n"] * 3, "Mirna: Good night, Nele.\n")
    assert sum(line.speaker == "Mirna" for line in read_scripts([tmp_path / "pier"]).lines) == 4


def test_two_files_are_too_few_to_tell(tmp_path: Path) -> None:
    write(tmp_path / "pier", *["Mirna: Good night.\n"] * 2)
    assert sum(line.speaker == "Mirna" for line in read_scripts([tmp_path / "pier"]).lines) == 2
