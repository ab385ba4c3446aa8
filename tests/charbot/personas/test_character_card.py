import base64
import json
import struct
from pathlib import Path

import pytest

from charbot.dialogue import Utterance
from charbot.errors import BundleError
from charbot.personas.character_card import CharacterCard, card_file, card_of_voice, read_card

_PNG = b"\x89PNG\r\n\x1a\n"
_CHAT = (Utterance("user", "Hi."), Utterance("Ann", "Hello: you!"), Utterance("user", "Yo."))

CARD = CharacterCard("Ann", "I am Ann. I brew tea.", "Tea?", (_CHAT,))


@pytest.mark.parametrize("picture", [False, True])
def test_a_card_is_read_as_it_was_written(picture: bool, tmp_path: Path) -> None:
    path = tmp_path / "card"
    path.write_bytes(card_file(CARD, "Demo", picture=picture))
    assert read_card(path) == CARD


def test_the_picture_is_one(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib.image")
    path = tmp_path / "card.png"
    path.write_bytes(card_file(CARD, "Demo", picture=True))
    assert matplotlib.imread(path).shape[:2] == (600, 400)


def test_a_card_as_people_write_them(tmp_path: Path) -> None:
    examples = (
        "<START>\n{{char}}: *waves*\n{{User}}: Who is {{user}}?\n{{CHAR}}: {{user}} are,\nI think.\n<start>\n{{user}}: alone"
    )
    data = {"name": " Ann ", "description": "{{char}} brews tea for {{user}}.", "mes_example": examples, "first_mes": None}
    path = tmp_path / "card.json"
    for content in (data, {"spec": "chara_card_v3", "data": data}):
        path.write_text(json.dumps(content))
        card = read_card(path)
        assert (card.name, card.description, card.greeting) == ("Ann", "Ann brews tea for you.", "")
        assert card.voice() == [
            (Utterance("user", "who are you"), Utterance("Ann", "Ann brews tea for you.")),
            (Utterance("user", "Who is you?"), Utterance("Ann", "you are, I think.")),
        ]


def _text_chunk(text: bytes) -> bytes:
    return _PNG + struct.pack(">I", len(text)) + b"tEXt" + text + b"\0\0\0\0"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"3", b"{}", b"[" * 100_000, b'{"name": ""}', b'{"name": 3}', b'{"name": "' + b"x" * 90 + b'"}', b"\xff\xfe",
        b'{"data": 3, "name": "Ann"}', b'{"name": "Ann", "description": ["x"]}', _PNG, _PNG + b"\0\0", _PNG + b"\xff" * 99,
        _text_chunk(b"chara\0!!"), _text_chunk(b"comment\0" + base64.b64encode(b'{"name": "Ann"}')),
    ],
)  # fmt: skip
def test_what_is_no_card_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "card.png"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"card\.png: is no character card \("):
        read_card(path)


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read: No such file"):
        read_card(tmp_path / "card.png")
    with pytest.raises(BundleError, match="is larger than 64 MB"):
        read_card(Path("/dev/zero"))


def test_a_voice_becomes_a_card() -> None:
    voice = [[Utterance("user", f"Message {at}"), Utterance("Ann", "Yes.")] for at in range(20)]
    card = card_of_voice("Ann", "Ann.", [*voice, [Utterance("user", "Hello!"), Utterance("Ann", "Tea?")]])
    assert (card.greeting, len(card.examples)) == ("Tea?", 12)
