import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from bots.session import Session
from bots.terminal.kept_chats import ChatStore, KeptChat, SavedChat
from charbot.config import DEFAULT_OPTIONS, ChatSettings
from charbot.errors import CharbotError, UsageError


@pytest.fixture
def store(tmp_path: Path) -> ChatStore:
    return ChatStore(tmp_path / "chats")


def _chat(message: str = "Hi", settings: ChatSettings = DEFAULT_OPTIONS, startup: ChatSettings = DEFAULT_OPTIONS) -> SavedChat:
    return SavedChat(None, ("Ann", "Bob"), "Cy", Session().add_message(message, "Cy"), settings, startup)


def _save(store: ChatStore, *messages: str) -> list[KeptChat]:
    """Conversations that begin with these messages, the first of which is the oldest."""
    kept: list[KeptChat] = []
    for age, message in enumerate(reversed(messages)):
        one = store.save(_chat(message))
        os.utime(one.path, ns=(10**18 - age, 10**18 - age))
        kept.insert(0, one)
    return kept


def _fail(problem: str) -> None:
    raise AssertionError(problem)


def _titles(store: ChatStore) -> list[str]:
    return [file.title for file in store.files()]


def test_a_kept_conversation_is_as_it_was(store: ChatStore) -> None:
    with pytest.raises(UsageError, match="no conversation to continue"):
        store.newest(_fail)
    chat = _chat("Hi", ChatSettings(seed=7, unclean_words=("darn",)))
    kept = store.save(chat)
    assert store.newest(_fail) == kept
    assert kept.chat == chat


def test_conversations_are_listed_and_found(store: ChatStore) -> None:
    _save(store, "Tea?", "hi", "No " + "tea " * 20, "Hi")
    assert _titles(store) == ["Hi", "No " + "tea " * 9 + "t...", "hi", "Tea?"]
    assert store.newest(_fail).chat.title == "Hi"
    assert store.find("4").chat.title == store.find("TEA?").chat.title == "Tea?"
    with pytest.raises(UsageError, match="2 conversations are called 'hi'"):
        store.find("hi")
    for wanted in ("5", "0", "9" * 5000, "coffee"):
        with pytest.raises(UsageError, match="no conversation called"):
            store.find(wanted)


def test_the_newest_conversation_with_somebody(store: ChatStore) -> None:
    _, kept = _save(store, "Tea?", "Cake?")
    other = store.save(replace(_chat(), cast=("Cy",)))
    os.utime(other.path, ns=(10**18 + 1, 10**18 + 1))
    assert store.newest(_fail).path == other.path
    assert store.newest(_fail, "Bob").path == kept.path
    with pytest.raises(UsageError, match="no conversation with Dan to continue yet"):
        store.newest(_fail, "Dan")


def test_a_conversation_is_renamed_and_stays_in_its_place(store: ChatStore) -> None:
    _save(store, "Tea?", "Cake?")
    store.rename(store.find("Tea?"), "  The kettle\n affair ")
    assert _titles(store) == ["Cake?", "The kettle affair"]
    for name in ("", "12", "x" * 81):
        with pytest.raises(UsageError, match="cannot be a conversation's name"):
            store.rename(store.newest(_fail), name)
    store.remove(store.newest(_fail))
    assert _titles(store) == ["The kettle affair"]


def test_a_conversation_stays_in_its_file_unless_another_program_has_changed_it(store: ChatStore) -> None:
    first = store.save(_chat("Tea?"))
    second = store.save(_chat("Tea?"), first)
    assert second.path == first.path
    third = store.save(_chat("Another."), first)
    assert third.path != first.path
    assert sorted(_titles(store)) == ["Another.", "Tea?"], "what the other program has kept is still there"
    store.remove(third)
    store.save(_chat("Another."), third)
    assert len(_titles(store)) == 2


def test_settings_are_as_they_were_but_for_those_asked_for_anew() -> None:
    chat = _chat("Hi", ChatSettings(temperature=1.5, seed=7), ChatSettings(temperature=0.7, seed=7))
    assert chat.settings_for(ChatSettings()) == ChatSettings(temperature=1.5, seed=7)
    assert chat.settings_for(ChatSettings(temperature=0.7)) == ChatSettings(temperature=1.5, seed=7)
    assert chat.settings_for(ChatSettings(), overridden=("temperature",)) == ChatSettings(seed=7)
    assert chat.settings_for(ChatSettings(temperature=0.9, seed=3)) == ChatSettings(temperature=0.9, seed=3)


@pytest.mark.parametrize(
    "damage",
    [
        {"cast": []}, {"cast": "Ann"}, {"cast": [["Ann"]]}, {"cast": ["\x1b]0;Ann\x07"]}, {"me": ["Cy"]}, {"me": ""},
        {"name": "a\nb"}, {"session": []}, {"session": {"turns": [[3, "Hi"]]}}, {"settings": {"temperature": "hot"}},
        {"settings": [1]}, {"asked": {"hat": "red"}},
    ],
)  # fmt: skip
def test_what_is_no_conversation_is_named_and_passed_over(store: ChatStore, damage: dict[str, Any]) -> None:
    _, kept = _save(store, "Tea?", "Hi")
    kept.path.write_text(json.dumps({**json.loads(kept.path.read_text()), **damage}))
    problems: list[str] = []
    assert store.newest(problems.append).chat.title == "Tea?"
    assert problems == [f"{kept.path}: is no conversation that charbot kept"]


@pytest.mark.parametrize("damage", ["", "3", "[" * 100_000, '{"cast": ["Ann"]}'])
def test_what_is_no_json_is_named_too(store: ChatStore, damage: str) -> None:
    store.save(_chat()).path.write_text(damage)
    problems: list[str] = []
    with pytest.raises(UsageError, match="no conversation to continue"):
        store.newest(problems.append)
    assert len(problems) == 1


def test_what_is_damaged_is_numbered_with_the_others_and_can_be_removed(store: ChatStore) -> None:
    _, broken, _ = _save(store, "Tea?", "Cake?", "Hi")
    broken.path.write_text("{")
    os.utime(broken.path, ns=(10**18 - 1, 10**18 - 1))
    assert _titles(store) == ["Hi", broken.path.name, "Tea?"]
    for wanted in ("2", broken.path.name):
        with pytest.raises(
            UsageError, match=rf"is no conversation that charbot kept; `charbot chats remove {wanted}` deletes it"
        ):
            store.find(wanted)
    assert store.find("3").title == "Tea?"
    store.remove(store.find_file("2"))
    assert _titles(store) == ["Hi", "Tea?"]


def test_what_cannot_be_read_is_told(store: ChatStore) -> None:
    kept = store.save(_chat())
    kept.path.unlink()
    kept.path.mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        store.find("1")
    with pytest.raises(CharbotError, match="could not be removed: Is a directory"):
        store.remove(store.find_file("1"))


def test_programs_that_save_at_once_wait_for_each_other(store: ChatStore, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = store.save(_chat())
    monkeypatch.setattr("bots.terminal.kept_chats._LOCK_SECONDS", 0)
    with FileLock(kept.path.with_name(".lock")), pytest.raises(OSError, match="lock"):
        store.save(_chat(), kept)
    assert store.save(_chat("Tea?"), kept).path == kept.path


def test_nobody_is_the_persona_of_a_kept_conversation(store: ChatStore) -> None:
    kept = store.save(_chat())
    kept.path.write_text(json.dumps({**json.loads(kept.path.read_text()), "me": "Bob"}))
    assert store.newest(_fail).chat.user_character is None


def test_the_conversation_that_an_older_charbot_kept_is_still_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    turns = [[None, "Hi"], ["Ann", "Hello."]]
    old = {"cast": ["Ann"], "me": None, "session": {"turns": turns, "memory": {"turns": turns, "readings": {}}}}
    last = tmp_path / "charbot" / "last.json"
    last.parent.mkdir()
    last.write_text(json.dumps(old))
    os.utime(last, ns=(10**18, 10**18))
    kept = ChatStore.default().newest(_fail)
    assert (kept.chat.title, kept.chat.cast, kept.version) == ("Hi", ("Ann",), (10**18, kept.path.stat().st_ino))
    assert kept.chat.settings_for(ChatSettings(seed=3)) == ChatSettings(seed=3)
    assert len(_titles(ChatStore.default())) == 1
