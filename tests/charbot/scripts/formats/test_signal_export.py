import json
from typing import Any

import pytest

from charbot.scripts.formats import read
from charbot.scripts.formats.chat_export import ChatExport
from charbot.scripts.reader import detect
from tests.charbot.scripts.formats.helpers import check_read, found, said

TALK = (("Nele", "Is the heron back?"), ("Bartok", "It is: since noon."), ("Nele", "Then hide the fish!"))
START = 1_706_810_000


def lines(*documents: Any) -> str:
    return "".join(f"{json.dumps(document)}\n" for document in documents)


def test_json_lines_of_signal_export() -> None:
    text = lines(
        *({"date": f"2024-02-01T18:0{i}:00", "sender": name, "body": words, "quote": ""} for i, (name, words) in enumerate(TALK)),
        {"date": "2024-02-01T23:00:00", "sender": "Nele", "body": "", "quote": ""},
    )
    assert detect(text).name == "chat-json"
    assert said(ChatExport(), text) == [(0, name, words) for name, words in TALK]
    assert [omission.excerpt for omission in read(ChatExport(), text).omissions] == ["message without text"]


def signal_item(chat: str, author: str, minute: int, **more: object) -> dict[str, Any]:
    return {"chatItem": {"chatId": chat, "authorId": author, "dateSent": str(1_000 * (START + 60 * minute)), **more}}


def test_signals_own_export_names_people_by_their_ids() -> None:
    people = [
        {"version": "1"},
        {"account": {"givenName": "Nele", "familyName": "Pym"}},
        {"recipient": {"id": "1", "self": {}}},
        {"recipient": {"id": "2", "contact": {"e164": "491700000000", "profileGivenName": "Bartok"}}},
        {"recipient": {"id": "3", "contact": {"e164": "491700000001"}}},
        {"recipient": {"id": "4", "group": {"snapshot": {"title": {"title": "Harbour"}}}}},
        {"chat": {"id": "7", "recipientId": "2"}},
        {"chat": {"id": "8", "recipientId": "4"}},
    ]
    talk = [("7", "1", "Is it raining?"), ("7", "2", "No."), ("8", "3", "Who has the key?"), ("8", "5", "I do.")]
    items = [
        signal_item(chat, author, i, standardMessage={"text": {"body": words}}) for i, (chat, author, words) in enumerate(talk)
    ]
    text = lines(*people, *items, signal_item("8", "5", 9, updateMessage={"simpleUpdate": {}}))
    assert detect(text).name == "chat-json"
    assert [(turn.episode, turn.speaker, turn.text) for turn in found(ChatExport(), text)] == [
        ("Bartok", "Nele Pym", "Is it raining?"), ("Bartok", "Bartok", "No."),
        ("Harbour", "Person 1", "Who has the key?"), ("Harbour", "Person 5", "I do."),
    ]  # fmt: skip


@pytest.mark.parametrize("value", [None, 7, "x", [], {}])
@pytest.mark.parametrize("key", ["account", "recipient", "chat", "chatItem"])
def test_a_signal_export_of_another_form_is_no_error(key: str, value: Any) -> None:
    record = {"id": value, "self": value, "contact": value, "dateSent": value, "standardMessage": {"text": value}}
    check_read(ChatExport(), lines({key: value}, {key: record}, signal_item("1", "2", 0), signal_item("1", "2", 1)))


def test_a_message_of_nobody_is_left_out() -> None:
    item = {"chatItem": {"dateSent": "1706810000000", "standardMessage": {"text": {"body": "Is it raining?"}}}}
    assert found(ChatExport(), lines(item, item)) == []


def test_other_json_lines_are_no_signal_export() -> None:
    records = [{"sender": name, "date": "2024-02-01T18:00:00", "text": words} for name, words in TALK]
    assert ChatExport().confidence(lines(*records)) == 0.0
