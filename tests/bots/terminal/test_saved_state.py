import json
from pathlib import Path

import pytest

from bots.session import Session
from bots.terminal import saved_state
from charbot.config import ChatSettings
from charbot.errors import UsageError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "charbot"


def _kept(settings: ChatSettings, asked: ChatSettings) -> saved_state.SavedChat:
    return saved_state.SavedChat(("Ann", "Bob"), "Cy", Session().add_message("Hi", "Cy"), settings, asked)


def test_what_is_kept_is_what_was_there() -> None:
    with pytest.raises(UsageError, match="no conversation"):
        saved_state.load_last_chat()
    kept = _kept(ChatSettings(seed=7, unclean_words=("darn",)), ChatSettings())
    saved_state.save_chat(kept)
    assert saved_state.load_last_chat() == kept


def test_settings_are_as_they_were_but_for_those_asked_for_anew() -> None:
    kept = _kept(ChatSettings(temperature=1.5, seed=7), ChatSettings(temperature=0.7, seed=7))
    assert kept.settings_for(ChatSettings()) == ChatSettings(temperature=1.5, seed=7)
    assert kept.settings_for(ChatSettings(temperature=0.7)) == ChatSettings(temperature=1.5, seed=7)
    assert kept.settings_for(ChatSettings(), given=("temperature",)) == ChatSettings(seed=7)
    assert kept.settings_for(ChatSettings(temperature=0.9, seed=3)) == ChatSettings(temperature=0.9, seed=3)


@pytest.mark.parametrize(
    "damage",
    [
        {"cast": []}, {"cast": "Ann"}, {"cast": [["Ann"]]}, {"me": ["Cy"]}, {"session": []}, {"session": {"turns": [[3, "Hi"]]}},
        {"settings": {"temperature": "hot"}}, {"settings": [1]}, {"asked": {"hat": "red"}},
    ],
)  # fmt: skip
def test_what_is_no_conversation_is_named(folder: Path, damage: dict[str, object]) -> None:
    saved_state.save_chat(_kept(ChatSettings(), ChatSettings()))
    path = folder / "last.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    with pytest.raises(ValueError, match=r"last\.json"):
        saved_state.load_last_chat()


@pytest.mark.parametrize("damage", ["", "3", "[" * 100_000, '{"cast": ["Ann"]}'])
def test_what_is_no_json_is_named_too(folder: Path, damage: str) -> None:
    folder.mkdir()
    (folder / "last.json").write_text(damage)
    with pytest.raises(ValueError, match=r"last\.json"):
        saved_state.load_last_chat()


def test_a_conversation_that_was_kept_before_settings_were_still_loads(folder: Path) -> None:
    folder.mkdir()
    turns = [[None, "Hi"], ["Ann", "Hello."]]
    old = {"cast": ["Ann"], "me": None, "session": {"turns": turns, "memory": {"turns": turns, "readings": {}}}}
    (folder / "last.json").write_text(json.dumps(old))
    assert saved_state.load_last_chat().settings_for(ChatSettings(seed=3)) == ChatSettings(seed=3)
