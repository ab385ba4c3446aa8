from pathlib import Path

from charbot.scripts.reader import read_scripts
from charbot.scripts.report import import_report

PAGE = "Episode {}\n" + "NED\nHello.\n[They are waiting here]\nOLGA\nHello, Ned.\n" * 12


def test_every_source_line_is_kept_or_left_out(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"S01E0{number}.txt").write_text(PAGE.format(number) + ("TUCK\nHm.\n" if number else ""))
    (tmp_path / "notes.txt").write_text("Dear aunt.")
    found = import_report(read_scripts([tmp_path]))
    assert (found["files"], found["formats"]) == (4, {"wiki-dump": 3})
    assert found["source_lines"] == {"in": 187, "kept": 148, "left_out": {"stage direction": 36, "title": 3}}
    ((passed),) = found["passed_over"]
    assert passed["file"].endswith("notes.txt")
    assert found["odd"] == []


def test_anomalies_are_reported(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"S01E0{number}.txt").write_text(PAGE.format(number))
    (tmp_path / "S01E05.txt").write_text("Short\nNED\nHello.\nOLGA\nBye.\nTUCK\nBye.")
    show = " ".join(part.capitalize() for part in tmp_path.name.replace("_", " ").replace("-", " ").split())
    assert import_report(read_scripts([tmp_path]))["odd"] == [
        f"{show} S01E05 has 3 lines; 24 are usual in that show",
        f"heard only once in {show}: 1, such as Tuck",
    ]


def test_two_shows_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"S01E0{number}.txt").write_text(PAGE.format(number))
        (tmp_path / f"S02E0{number}.txt").write_text(PAGE.format(number).replace("NED", "DORA").replace("OLGA", "WILF"))
    (odd,) = import_report(read_scripts([tmp_path]))["odd"]
    assert "looks like 2 shows that share nobody: 2 with Ned, Olga; 2 with Dora, Wilf. Give each a folder of its own" in odd
    (tmp_path / "S03E01.txt").write_text(PAGE.format(9).replace("NED", "DORA"))
    assert import_report(read_scripts([tmp_path]))["odd"] == []


def test_a_script_of_which_little_is_read_is_an_anomaly(tmp_path: Path) -> None:
    action = "          The heron crosses the bay, once more, in view of the lamp.\n\n" * 30
    cue = "                              NELE\n                    There it goes.\n\n"
    (tmp_path / "a.txt").write_text((action + cue) * 6)
    (warning,) = [odd for odd in import_report(read_scripts([tmp_path]))["odd"] if "speech" in odd]
    assert warning.endswith("a.txt is 6% speech; `charbot scripts check --left-out` shows the rest")
