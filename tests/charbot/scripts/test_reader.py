import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from charbot.errors import ScriptError
from charbot.scripts import files
from charbot.scripts.decoding import decode
from charbot.scripts.files import script_files
from charbot.scripts.formats import FORMATS, Format, find_format, read, table_format
from charbot.scripts.line import Line
from charbot.scripts.reader import HIGHEST_OF_TYPED, MIN_CONFIDENCE, TYPED, detect, read_script, read_scripts

SAMPLES = Path(__file__).parents[3] / "scripts_data" / "samples"
PAGE = "<html>" + "<p><b>Dora:</b> It’s a café…</p><p><b>Wilf:</b> (sits) Is it?</p>" * 10
DUMP = "A Title\n" + "NED\nHello.\nOLGA\nHello, Ned.\n" * 3


def read_file(path: Path) -> tuple[Line, ...]:
    (file,) = script_files(path)
    return read_script(file).lines


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_detect_tells_the_formats_apart() -> None:
    assert detect(PAGE).name == "episode-html"
    assert detect(DUMP).name == "wiki-dump"


@pytest.mark.parametrize("text", ["Just a letter to my aunt.", "<html><p>Nothing here.</p>", "{}", "a,b\n1,2\n"])
def test_detect_refuses_what_is_in_no_format(text: str) -> None:
    with pytest.raises(ScriptError, match=r"is in no format that charbot knows"):
        detect(text)


@pytest.mark.parametrize("name", sorted(TYPED))
def test_no_format_of_typed_text_is_more_confident_than_detect_supposes(name: str) -> None:
    samples = [path for path in (SAMPLES / name.replace("-", "_")).rglob("*") if path.is_file()]
    assert max(find_format(name).confidence(path.read_text("utf-8")) for path in samples) == HIGHEST_OF_TYPED


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ann: Hello.\nBob: Hi.\n", "colon-text"),
        ("Ann: Hello.", "colon-text"),
        ("Tea\n\nAnn: Hello.\nBob: Hi.", "colon-text"),
        ("<b>Ann:</b> Hi.", "episode-html"),
    ],
)
def test_a_file_that_is_too_short_to_tell_is_read_by_the_format_that_its_refusal_names(
    text: str, name: str, tmp_path: Path
) -> None:
    short = write(tmp_path / "short.txt", text)
    write(tmp_path / "whole.txt", "Ann: Hello.\nBob: Hi.\nAnn: Tea?\nBob: No.\n" * 4)
    refusal = f"is too short to tell its format by; --format {name} reads it"
    assert read_scripts([tmp_path]).skipped == ((short, refusal),)
    with pytest.raises(ScriptError, match=f"^no dialogue found under {short}: {short} {refusal}$"):
        read_scripts([short])
    assert read_scripts([short], find_format(name)).lines


def test_detect_names_the_columns_of_a_table_that_it_cannot_read() -> None:
    with pytest.raises(ScriptError, match=r"with the columns wer, was, wo: --columns speaker=NAME,text=NAME"):
        detect("wer,was,wo\n" + "Nele,Hallo.,Pier\nBartok,Ja.,Boot\n" * 4)


def test_progress_is_told_each_file_before_it_is_read(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.txt", "Nothing is said here."), write(tmp_path / "b.txt", DUMP)]
    told: list[Path] = []
    read_scripts([tmp_path], progress=told.append)
    assert told == paths


def test_sentences_with_commas_are_no_columns() -> None:
    with pytest.raises(ScriptError, match=r"knows$"):
        detect("Well, he said that he would not come to the pier, not today.\n" * 9)


def test_the_formats_are_named_once(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / f"{name}.txt", "Just a letter to my aunt.")
    with pytest.raises(ScriptError) as caught:
        read_scripts([tmp_path])
    assert str(caught.value).count("fdx, ") == str(caught.value).count("--format") == 1


NO_DIALOGUE = {
    "a package": "Name: heron\nVersion: 1.2\nLicense: MIT\nHome-page: https://example.org\nName: pier\nVersion: 2.0\n" * 6,
    "documentation": "Default: none\nType: Boolean\nDefault: false\nType: String\n" * 6,
    "code": "".join(f"Args: path_{i}: where_to\nReturns: a_path[{i}]\n" for i in range(12)),
    "a licence": "LICENCE\n\nTHE HERON IS PROVIDED AS IS\nWITHOUT WARRANTY, EXPRESS OR IMPLIED.\n\nIN NO EVENT\nshall it fly.\n",
    "a definition": "Alpha: the first letter\nBeta: the second letter\nAlpha: a value\nBeta: a value\n" * 6,
}


@pytest.mark.parametrize("text", NO_DIALOGUE.values(), ids=NO_DIALOGUE)
def test_other_text_is_no_dialogue(tmp_path: Path, text: str) -> None:
    with pytest.raises(ScriptError, match=r"does not look like dialogue; --format|no format that charbot"):
        read_file(write(tmp_path / "a.txt", text))


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.name)
def test_every_format_has_a_sample_that_it_claims_most(format_: Format) -> None:
    files = [file for file in (SAMPLES / format_.name.replace("-", "_")).rglob("*") if file.is_file()]
    assert files
    for file in files:
        text = decode(file.read_bytes())
        assert len(read(format_, text).turns) >= 5
        # Exports of chats are JSON and CSV of a certain kind.
        others = max(other.confidence(text) for other in FORMATS if format_.name not in (other.name, f"chat-{other.name}"))
        if format_.name == "prose":  # which must be asked for
            assert max(others, format_.confidence(text)) < MIN_CONFIDENCE
        else:
            assert detect(text) is format_
            assert format_.confidence(text) >= others + 0.1


def test_read_file_places_its_lines(tmp_path: Path) -> None:
    page = "<html>" + "<p>Mrs. Pym: a</p><p>[Scene: b]</p><p>DORA (off): (sits) c</p>" * 7
    lines = read_file(write(tmp_path / "night_bus" / "S02" / "0203.html", page))
    assert lines[:2] == (
        Line("Night Bus", "S02E03", 0, 0, "Mrs. Pym", "a"),
        Line("Night Bus", "S02E03", 1, 1, "Dora", "c", ("off", "sits")),
    )
    assert [line.position for line in lines] == list(range(14))


def test_read_file_knows_the_cast_of_its_show(tmp_path: Path) -> None:
    assert read_file(write(tmp_path / "south_park" / "a.txt", DUMP.replace("OLGA", "ERIC CARTMAN")))[1].speaker == "Cartman"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \r\n\t ", "is empty"),
        (b"\x7fELF\xff\0\0\0\x01" * 50, "is not a text file"),
        (b"\0\0\0\0", "is in no format"),
        (b"\xff\xfe", "is in no format"),
        (b"\xff" * 1_000, "is in no format"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "is not a text file"),
        (b"Dear aunt, " * 99, "is in no format"),
        (b"(" * 200_000, "is in no format"),
    ],
)
def test_read_file_says_why_a_file_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(ScriptError, match=f"^{problem}"):
        read_file(write(tmp_path / "a.txt", content))


def test_an_unreadable_file_is_named_and_the_rest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = write(tmp_path / "a.txt", DUMP)
    write(tmp_path / "b.txt", DUMP)
    opened = Path.open

    def refuse(self: Path, *args: Any, **named: Any) -> Any:  # root may read everything, so no mode will do
        if self == secret:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **named)

    monkeypatch.setattr(Path, "open", refuse)
    found = read_scripts([tmp_path])
    assert found.skipped == ((secret, "cannot be read: Permission denied"),)
    assert {line.episode for line in found.lines} == {"b"}


def test_a_file_over_the_size_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.txt", DUMP)
    monkeypatch.setattr(files, "MAX_BYTES", len(DUMP))
    assert read_file(path)
    monkeypatch.setattr(files, "MAX_BYTES", len(DUMP) - 1)
    with pytest.raises(ScriptError, match=r"^is larger than"):
        read_file(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero here")
def test_a_file_that_never_ends_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 1_000)
    with pytest.raises(ScriptError, match=r"^is larger than"):
        read_file(Path("/dev/zero"))


def test_read_scripts_reads_folders_and_files_in_order(tmp_path: Path) -> None:
    for name in ("show/S01/0102.html", "show/S01/0101.html", "show/0201.html"):
        write(tmp_path / name, PAGE)
    extra = write(tmp_path / "other" / "0301.txt", DUMP)
    found = read_scripts([extra, tmp_path / "show"])
    assert (len(found.scripts), found.skipped) == (4, ())
    places = dict.fromkeys((line.show, line.episode) for line in found.lines)
    assert list(places) == [("Other", "S03E01"), ("Show", "S02E01"), ("Show", "S01E01"), ("Show", "S01E02")]


def test_a_path_that_is_given_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", DUMP)
    assert read_scripts([tmp_path, path, path]) == read_scripts([path])


def test_a_path_may_be_text_and_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", DUMP)
    for paths in (path, str(path), [str(path)]):
        assert [script.path for script in read_scripts(paths).scripts] == [path]


def test_hidden_files_and_broken_links_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", DUMP)
    write(tmp_path / ".b.txt", DUMP)
    write(tmp_path / ".git" / "c.txt", DUMP)
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert len(read_scripts([tmp_path]).scripts) == 1
    # A hidden folder that is asked for by name is read.
    assert len(read_scripts([tmp_path / ".git"]).scripts) == 1


def test_unreadable_files_are_skipped_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", DUMP)
    empty = write(tmp_path / "b.txt", "")
    silent = write(tmp_path / "c.txt", "A Title\n" + "[Ned waves.]\nNED\n[waves]\n" * 9 + "NED")
    letter = write(tmp_path / "d.txt", "Dear aunt.")
    found = read_scripts([tmp_path])
    assert len(found.scripts) == 1
    assert len(found.lines) == 6
    (first, second, third) = found.skipped
    assert first == (empty, "is empty")
    assert second == (silent, "holds no line that anyone says")
    assert third[0] == letter
    assert third[1].startswith("is in no format")


@pytest.mark.parametrize("name", ["none", "a" * 300, "nul\0", "file.txt/below"])
def test_a_missing_path_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path / "file.txt", DUMP)
    with pytest.raises(ScriptError, match=r"no such file or folder|File name too long") as error:
        read_scripts([tmp_path / "file.txt", tmp_path / name])
    assert str(tmp_path / name) in str(error.value)


def test_no_dialogue_is_an_error_with_the_first_reason(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=f"no dialogue found under {tmp_path}$"):
        read_scripts([tmp_path])
    path = write(tmp_path / "a.txt", "")
    with pytest.raises(ScriptError, match=f"no dialogue found under {tmp_path}: {path} is empty"):
        read_scripts([tmp_path])
    with pytest.raises(ScriptError, match="no dialogue found"):
        read_scripts([])


def test_a_file_name_that_is_not_unicode_is_read(tmp_path: Path) -> None:
    try:
        path = write(tmp_path / os.fsdecode(b"caf\xe9.txt"), DUMP)
    except OSError:
        pytest.skip("this file system has Unicode names only")
    (line, *_) = read_scripts([path]).lines
    assert line.text == "Hello."


def test_names_of_one_person_are_merged_and_reported(tmp_path: Path) -> None:
    write(tmp_path / "show" / "S01E01.txt", DUMP + "MR. OWL\nHm.\nNED\nHm?\n" * 3 + "MR OWL\nHm.\nNED\nHm?")
    found = read_scripts([tmp_path])
    assert {line.speaker for line in found.lines} == {"Ned", "Olga", "Mr. Owl"}
    ((alias,),) = found.merged.values()
    assert (alias.name, alias.canonical) == ("Mr Owl", "Mr. Owl")


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_is_read_like_a_folder(tmp_path: Path, kind: str) -> None:
    write(tmp_path / "show" / "S01E01.txt", DUMP)
    write(tmp_path / "show" / "S01E02.txt", DUMP)
    archive = Path(shutil.make_archive(str(tmp_path / "packed"), kind, tmp_path / "show"))
    assert [(line.episode, line.text) for line in read_scripts([archive]).lines] == [
        (line.episode, line.text) for line in read_scripts([tmp_path / "show"]).lines
    ]


def test_copies_of_a_script_are_read_once(tmp_path: Path) -> None:
    first = write(tmp_path / "show" / "S01E01.txt", DUMP)
    again = write(tmp_path / "backup" / "show" / "S01E01.txt", DUMP)
    other = write(tmp_path / "show" / "S01E02.txt", DUMP)
    found = read_scripts([tmp_path])
    assert {script.path for script in found.scripts} == {again, other}
    assert found.skipped == ((first, f"says the same as {again}"),)


def test_a_cast_file_beside_the_scripts_is_used(tmp_path: Path) -> None:
    write(tmp_path / "show" / "S01E01.txt", DUMP)
    write(tmp_path / "cast.yaml", "Show: {Ned Pym: [ned]}")
    assert {line.speaker for line in read_scripts([tmp_path]).lines} == {"Ned Pym", "Olga"}
    write(tmp_path / "more" / "cast.yaml", "Show: {Olga Ray: [olga]}")
    assert {line.speaker for line in read_scripts([tmp_path, tmp_path / "more"]).lines} == {"Ned Pym", "Olga Ray"}
    (tmp_path / "more" / "cast.yaml").unlink()
    write(tmp_path / "show" / "cast.yaml", "SHOW: {Olga Ray: [olga]}")
    assert {line.speaker for line in read_scripts([tmp_path]).lines} == {"Ned Pym", "Olga Ray"}
    assert {line.speaker for line in read_scripts([tmp_path / "show" / "S01E01.txt"]).lines} == {"Ned", "Olga Ray"}
    write(tmp_path / "cast.yaml", "Show: Ned")
    with pytest.raises(ScriptError, match=r"cast\.yaml: must hold"):
        read_scripts([tmp_path])


def test_a_given_format_is_used_instead_of_detection(tmp_path: Path) -> None:
    write(tmp_path / "story.txt", "Once there was a goat.\nIt ate.\n\nThe end.")
    with pytest.raises(ScriptError, match="--format"):
        read_scripts([tmp_path])
    found = read_scripts([tmp_path], find_format("prose"))
    assert [line.text for line in found.lines] == ["Once there was a goat. It ate.", "The end."]
    with pytest.raises(ScriptError, match="no format called 'proze'; there are fdx"):
        find_format("proze")


def test_a_table_of_many_episodes_numbers_each_ones_lines(tmp_path: Path) -> None:
    rows = "".join(f'{s},{e},Ned,"Hello {s} {e}."\n' * 2 for s, e in [(1, 1), (1, 2), (2, 1)])
    write(tmp_path / "all.csv", "Season,Episode,Character,Line\n" + rows)
    lines = read_scripts([tmp_path]).lines
    assert [(line.episode, line.position) for line in lines] == [
        (episode, position) for episode in ("S01E01", "S01E02", "S02E01") for position in (0, 1)
    ]


def test_the_user_says_what_the_columns_hold(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", "wer,was,wo\n" + "Nele,Hallo.,Pier\nBartok,Ja.,Boot\n" * 2)
    lines = read_scripts([table], table_format({"speaker": "wer", "text": "was", "scene": "wo"})).lines
    assert [(line.speaker, line.text, line.scene) for line in lines[:2]] == [("Nele", "Hallo.", 0), ("Bartok", "Ja.", 1)]
    for columns in ({"speaker": "wer"}, {"speaker": "wer", "text": "was", "mood": "wo"}, {"": ""}):
        with pytest.raises(ScriptError, match="--columns needs speaker=NAME and text=NAME, and may have season, episode"):
            table_format(columns)


@pytest.mark.parametrize("header", ["who,said,where", "speaker,text,where"])
@pytest.mark.parametrize("field", ["scene", "speaker"])
def test_a_column_that_a_table_lacks_is_named_with_those_it_has(tmp_path: Path, header: str, field: str) -> None:
    table = write(tmp_path / "a.csv", f"{header}\n" + "Nele,Hallo.,Pier\nBartok,Ja.,Boot\n" * 2)
    named = dict(zip(("speaker", "text"), header.split(","), strict=False)) | {field: "wo"}
    columns = header.replace(",", ", ")
    with pytest.raises(ScriptError, match=rf"a\.csv has no column called 'wo'; its columns are {columns}"):
        read_scripts([table], table_format(named))


def test_a_file_without_a_header_has_no_columns_to_name(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="has no column called 'wer' or 'was'; its columns are none: its first line must"):
        read_scripts([write(tmp_path / "a.txt", DUMP)], table_format({"speaker": "wer", "text": "was"}))
