import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.config import CorpusSettings
from charbot.corpus.chats import ChatFiles
from charbot.dialogue import Utterance
from charbot.errors import CorpusError

SETTINGS = CorpusSettings(valid=0.2, test=0.3)
TURNS = [["A", "Is the kettle on?"], ["B", "It is,  and it\u2019s whistling."]]


def _line(turns: object) -> str:
    return json.dumps({"id": "x", "turns": turns}) + "\n"


def test_conversations_are_read_from_plain_and_packed_files(tmp_path: Path) -> None:
    folder = tmp_path / "kitchen"
    folder.mkdir()
    (folder / "tea.chat.jsonl").write_text(_line(TURNS) + "\n" + _line([*TURNS, ["C", "Who?"]]), "utf-8")
    with gzip.open(folder / "cake.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(_line(TURNS))
    (folder / "notes.txt").write_text("nothing")
    chats = ChatFiles.find([folder], SETTINGS)
    read = [(chat.source, chat.collection, len(chat.turns)) for chat in chats]
    assert read == [("cake", "kitchen", 2), ("tea", "kitchen", 2), ("tea", "kitchen", 3)]
    assert next(iter(chats)).turns == (
        Utterance("A", "Is the kettle on?"),
        Utterance("B", "It is, and it's whistling."),
    ), "normalised as scripts are, and read anew each time"
    assert set(chats.checksums()) == {"cake.jsonl.gz", "tea.chat.jsonl"}


def test_files_of_one_name_in_several_folders_have_a_checksum_each(tmp_path: Path) -> None:
    for name, turns in (("kitchen", TURNS), ("garden", TURNS[::-1])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tea.jsonl").write_text(_line(turns), "utf-8")
    checksums = ChatFiles.find([tmp_path / "kitchen", tmp_path / "garden"], SETTINGS).checksums()
    assert list(checksums) == ["tea.jsonl", "tea.jsonl (2)"]
    assert len(set(checksums.values())) == 2


@given(st.lists(st.text(), min_size=1, max_size=5), st.text(max_size=3))
def test_who_begins_alike_is_in_one_split_whatever_the_file(rest: list[str], space: str) -> None:
    """The same conversation stands in several collections: it is not to be measured on and fitted to."""
    from charbot.corpus.chats import _read

    with pytest.MonkeyPatch.context() as patch:
        splits: list[str] = []
        for opening in ("Do you like soup?", "do you LIKE  soup?"):
            line = _line([["A", opening], *(["B", "So. " + text + space] for text in rest)])
            patch.setattr("pathlib.Path.open", lambda *_, line=line, **__: _Lines([line]))
            splits += [chat.split for chat in _read(Path(f"{len(splits)}.jsonl"), SETTINGS)]
    assert len(splits) == 2
    assert splits[0] == splits[1]


class _Lines(list[str]):
    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *error: object) -> None:
        return None


def test_about_so_many_conversations_are_held_out(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text("".join(_line([["A", f"Number {i}?"], ["B", "Yes."]]) for i in range(1000)))
    splits = [chat.split for chat in ChatFiles.find([path], SETTINGS)]
    assert 150 < splits.count("valid") < 250 < splits.count("test") < 350


def test_a_conversation_of_one_turn_answers_nothing(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(_line(TURNS[:1]) + _line([["A", " "], ["B", "Hm?"]]) + _line([]))
    assert list(ChatFiles.find([path], SETTINGS)) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("say", "not JSON: Expecting value at column 1$"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "is no conversation; it must look like"),
        ('{"turns": 3}', "is no conversation"),
        ('{"turns": [["A"]]}', "is no conversation"),
        ('{"turns": [["A", 3]]}', "a turn must be a speaker and a text"),
        ('{"turns": [[null, "Hi"]]}', "a turn must be a speaker and a text"),
    ],
)
def test_what_is_no_conversation_is_named_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(_line(TURNS) + line + "\n")
    with pytest.raises(CorpusError, match=rf"odd\.jsonl, line 2: {why}"):
        list(ChatFiles.find([path], SETTINGS))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no conversations"):
        ChatFiles.find([tmp_path], SETTINGS)
    with pytest.raises(CorpusError, match=r"gone\.jsonl: cannot be read"):
        list(ChatFiles.find([tmp_path / "gone.jsonl"], SETTINGS))
    with pytest.raises(CorpusError, match="/dev/null: is neither a file nor a folder"):
        ChatFiles.find([Path("/dev/null")], SETTINGS)
    packed = gzip.compress(_line(TURNS).encode() * 100)
    damaged = packed[:20] + b"\xff" * 20 + packed[40:]
    for name, content in (
        ("cut.jsonl.gz", packed[: len(packed) // 2]),
        ("damaged.jsonl.gz", damaged),
        ("plain.jsonl.gz", b"{}"),
        ("odd.jsonl", b"\xff\xfe{"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CorpusError, match=f"{name}: cannot be read"):
            list(ChatFiles.find([tmp_path / name], SETTINGS))
