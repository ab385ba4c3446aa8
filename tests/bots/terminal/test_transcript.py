import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bots.session import Session
from bots.terminal.transcript import save
from charbot.cli import main
from charbot.dialogue import Utterance
from charbot.errors import UsageError
from charbot.generation.reranking import Candidate
from charbot.scripts.reader import read_scripts


def _session(turns: Sequence[Utterance]) -> Session:
    """A session in which the first of every two turns is the user's."""
    return Session(tuple(turns), tuple(at % 2 == 0 for at in range(len(turns))))


TYPED = "(whispers) hello [door slams] there !"


@pytest.mark.parametrize("said", [[TYPED], [TYPED, "Hey."], ["[Scene: the park]", "Hey.", "Joey: hi", "Chandler: hi"]])
def test_a_script_is_read_back_to_the_letter(said: list[str], tmp_path: Path) -> None:
    turns = [Utterance((None, "Joey")[at % 2], text) for at, text in enumerate(said)]
    save(_session(turns), "Joey", tmp_path / "talk.txt")
    lines = read_scripts([tmp_path / "talk.txt"]).lines
    assert [(line.speaker, line.text) for line in lines] == [(turn.speaker or "You", turn.text) for turn in turns]


def test_an_import_says_how_much_it_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    save(_session([Utterance((None, "Joey")[at % 2], f"Line {at}.") for at in range(5)]), "Joey", tmp_path / "talk.json")
    assert main(["scripts", "import", str(tmp_path / "talk.json")]) == 0
    assert "\n3 source lines left out: `charbot scripts check --left-out`" in capsys.readouterr().out
    assert main(["scripts", "check", "--json", str(tmp_path / "talk.json")]) == 0
    assert [one["why"] for one in json.loads(capsys.readouterr().out)["omissions"]] == ["said by nobody"] * 3


@pytest.mark.parametrize(("name", "why"), [("x" * 300, "File name too long"), ("a\0b", "embedded null byte")])
def test_a_name_that_no_file_can_have_is_told(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"cannot be written: {why}"):
        save(_session([Utterance(None, "Hi.")]), "Joey", tmp_path / f"{name}.md")


def test_a_chat_of_sillytavern(tmp_path: Path) -> None:
    save(_session([Utterance("Phoebe", "Hi."), Utterance("Joey", "Hello.")]), "Joey", tmp_path / "talk.jsonl")
    head, message, reply = map(json.loads, (tmp_path / "talk.jsonl").read_text().splitlines())
    assert (head["user_name"], head["character_name"]) == ("Phoebe", "Joey")
    assert (message["name"], message["is_user"], message["mes"]) == ("Phoebe", True, "Hi.")
    assert (reply["name"], reply["is_user"], reply["is_system"], reply["mes"]) == ("Joey", False, False, "Hello.")
    assert head["create_date"] == reply["send_date"]
    assert (head["chat_metadata"], message["extra"]) == ({}, {})
    assert "swipes" not in message


def test_candidates_are_what_the_arrows_of_sillytavern_change_between(tmp_path: Path) -> None:
    turns = [Utterance((None, "Joey")[at % 2], text) for at, text in enumerate(["Hi.", "Hello.", "Tea?", "Cake!"])]
    candidates = tuple(map(Candidate.of_text, ("Tea.", "Cake!")))
    save(replace(_session(turns), candidates=candidates), "Joey", tmp_path / "talk.jsonl")
    _, _, first, _, last = map(json.loads, (tmp_path / "talk.jsonl").read_text().splitlines())
    assert (first["swipes"], first["swipe_id"]) == (["Hello."], 0)
    assert (last["swipes"], last["swipe_id"], last["mes"]) == (["Tea.", "Cake!"], 1, "Cake!")


@pytest.mark.parametrize("said", [["Hi.", "Hello."], ["(whispers) hello", "Hey.", "{{char}} \u00e9?", '"Tea" Joey: *hi*']])
def test_a_chat_of_sillytavern_is_read_back(said: list[str], tmp_path: Path) -> None:
    turns = [Utterance((None, "Joey")[at % 2], text) for at, text in enumerate(said)]
    save(_session(turns), "Joey", tmp_path / "talk.jsonl")
    lines = read_scripts([tmp_path / "talk.jsonl"]).lines
    assert [(line.speaker, line.text) for line in lines] == [(turn.speaker or "You", turn.text) for turn in turns]


def test_of_a_chat_by_sillytavern_what_was_said_is_read(tmp_path: Path) -> None:
    more = {"send_date": "December 1, 2025 10:00am", "extra": {"api": "custom"}}
    rows = [
        {"chat_metadata": {"integrity": "0"}, "user_name": "unused", "character_name": "unused"},
        {"name": "Joey", "is_user": False, "is_system": False, "mes": "Tea?", "swipe_id": 1, "swipes": ["Cake?", "Tea?"], **more},
        {"name": "Max", "is_user": True, "is_system": False, "mes": "Yes.", "force_avatar": "max.png", **more},
        {"name": "System", "is_user": False, "is_system": True, "mes": "The chat was renamed.", **more},
        {"name": "Joey", "is_user": False, "is_system": False, "mes": "Here you are.", **more},
    ]
    (tmp_path / "talk.jsonl").write_text("\n".join(map(json.dumps, rows)))
    lines = read_scripts([tmp_path / "talk.jsonl"]).lines
    assert [(line.speaker, line.text) for line in lines] == [("Joey", "Tea?"), ("Max", "Yes."), ("Joey", "Here you are.")]
