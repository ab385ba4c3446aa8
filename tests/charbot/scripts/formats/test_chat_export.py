import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.chat_export import ChatExport
from charbot.scripts.reader import detect
from tests.charbot.scripts.formats.helpers import check_read, found, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "chat_json" / "pier_nine.json"
TALK = (("Nele", "Is the heron back?"), ("Bartok", "It is: since noon."), ("Nele", "Then hide the fish!"))
START = 1_706_810_000


def turns(document: Any) -> list[tuple[int, str, str]]:
    return said(ChatExport(), json.dumps(document))


def records(*keys: str, **more: object) -> list[dict[str, Any]]:
    """A record for each message of TALK, with its speaker, text and time under these keys."""
    speaker, text, time = keys
    return [{speaker: name, text: words, time: START + 60 * i, **more} for i, (name, words) in enumerate(TALK)]


EXPORTS: dict[str, Any] = {
    "Telegram": {"name": "Harbour", "messages": records("from", "text", "date_unixtime", type="message")},
    "Telegram, dates": {
        "messages": [{**record, "date": f"2024-02-01T18:0{i}:00"} for i, record in enumerate(records("from", "text", "x"))]
    },
    "Discord": {
        "guild": {"name": "Harbour"},
        "messages": [
            {"id": str(i), "type": "Reply", "timestamp": f"2024-02-01T18:0{i}:00.000+00:00", "content": text,
             "author": {"id": "7", "name": name.lower(), "nickname": name}}
            for i, (name, text) in enumerate(TALK)
        ],
    },
    "Messenger": {"participants": [], "messages": records("sender_name", "content", "timestamp_ms", type="Generic")[::-1]},
    "Slack": [
        {"type": "message", "user": f"U{len(name)}", "user_profile": {"real_name": name}, "text": text, "ts": f"{START + i}.0002"}
        for i, (name, text) in enumerate(TALK)
    ],
    "no type": records("username", "content", "timestamp", type=None),
    "Discord, replies by number": records("username", "content", "timestamp", type=19),
    "Google Chat": {
        "messages": [
            {"creator": {"name": name, "email": "x@example.org"}, "created_at": f"2024-02-01T18:0{i}:00", "text": text}
            for i, (name, text) in enumerate(TALK)
        ]
    },
}  # fmt: skip


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_every_program_is_read(export: Any) -> None:
    assert turns(export) == [(0, name, text) for name, text in TALK]
    assert detect(json.dumps(export)).name == "chat-json"


def test_chats_of_one_export_are_episodes() -> None:
    chats = [{"name": title, "messages": records("from", "text", "date_unixtime")} for title in ("Nele", "Pier")]
    assert [turn.episode for turn in found(ChatExport(), json.dumps({"chats": {"list": chats}}))] == ["Nele"] * 3 + ["Pier"] * 3


def test_minutes_and_hours_between_messages() -> None:
    times = {"One.": 0, "Two.": 200, "Three.": 900, "Four.": 50_000}
    export = [{"from": "Nele", "text": text, "date_unixtime": str(START + time)} for text, time in times.items()]
    assert turns(export) == [(0, "Nele", "One. Two."), (0, "Nele", "Three."), (1, "Nele", "Four.")]


@pytest.mark.parametrize(
    "record",
    [
        {"type": "service", "actor": "Nele", "text": "", "date_unixtime": START},
        {"type": "message", "from": "Nele", "text": "", "photo": "x.jpg", "date_unixtime": START},
        {"type": "message", "from": "Nele", "text": "Not mine.", "forwarded_from": "Ivo", "date_unixtime": START},
        {"type": "message", "from": None, "text": "Gone.", "date_unixtime": START},
        {"type": "message", "subtype": "channel_join", "user": "U1", "text": "joined", "ts": START},
    ],
)
def test_system_messages_and_attachments_are_left_out(record: dict[str, Any]) -> None:
    export = json.dumps([record, *records("from", "text", "date_unixtime")])
    source = read(ChatExport(), export)
    assert [turn.text for turn in source.turns] == [text for _, text in TALK]
    assert [omission.reason for omission in source.omissions] == ["system message"]


def test_messages_in_pieces_mentions_and_links_are_read() -> None:
    export = [
        {"user": "U1", "user_profile": {"real_name": "Nele"}, "text": "Hi &amp; hello", "ts": "1"},
        {"user": "U2", "text": "Ask <@U1>: <https://example.org|here> or <mailto:a@example.org>\n&gt; quoted", "ts": "2"},
        {"user": "U1", "text": [{"type": "bold", "text": "So "}, "be it."], "ts": "3"},
    ]
    assert turns(export) == [(0, "Nele", "Hi & hello"), (0, "U2", "Ask @Nele: [link] or [link]"), (0, "Nele", "So be it.")]


def test_mojibake_of_messenger_is_repaired() -> None:
    export = records("sender_name", "content", "timestamp_ms")
    export[0] |= {"sender_name": "Zoé".encode().decode("latin-1"), "content": "C’est l’été".encode().decode("latin-1")}
    assert turns(export)[0] == (0, "Zoé", "C'est l'été")


def test_the_sample() -> None:
    talk = said(ChatExport(), SAMPLE.read_text("utf-8"))
    assert (len(talk), talk[0]) == (5, (0, "Mirna", "I need the boat on Friday"))


@pytest.mark.parametrize("text", ["", "{}", "[]", '[{"speaker": "NED", "text": "Hi."}]', "{" * 9, "[" * 100_000])
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert ChatExport().confidence(text) == 0.0


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
KEYS = st.sampled_from(["from", "text", "content", "date", "ts", "timestamp", "messages", "name", "type", "user", "user_profile"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8)


@given(VALUES.map(json.dumps) | st.text(st.characters(codec=None)))
def test_any_text_is_read(text: str) -> None:
    assert all(turn.speaker.strip() for turn in check_read(ChatExport(), text).turns)
