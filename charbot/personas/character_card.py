"""Character cards (specification V2), as SillyTavern and others share them: JSON, alone or in a PNG picture."""

import base64
import json
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from charbot.dialogue import Utterance
from charbot.errors import BundleError
from charbot.storage import read_bounded
from charbot.text import is_name, normalise

Chat = tuple[Utterance, ...]

USER = "user"
"""The speaker of a user's turns in a voice."""

_BYTES = 64_000_000
"""Maximum bytes of a file."""
_PNG = b"\x89PNG\r\n\x1a\n"
_KEYS = (b"chara", b"ccv3")
"""Keywords of the PNG texts that hold a card in Base64."""
_EXAMPLES = 12
"""Conversations of a voice that a card has as examples."""
_SIZE = (400, 600)
"""Width and height of a card's picture, in pixels."""
_GREETINGS = ("hi", "hello", "hey")


@dataclass(frozen=True)
class CharacterCard:
    """What a card and a persona have in common."""

    name: str
    description: str
    greeting: str
    """The first message of a chat; may be empty."""
    examples: tuple[Chat, ...]
    """Conversations between a user and the character."""

    def voice(self) -> list[Chat]:
        """Return the conversations that a voice can begin with."""
        opening = [("hi", self.greeting), ("who are you", self.description)]
        return [(Utterance(USER, asked), Utterance(self.name, text)) for asked, text in opening if text] + list(self.examples)


def card_of_voice(name: str, description: str, voice: Sequence[Sequence[Utterance]]) -> CharacterCard:
    """Return the card of a persona with a voice, some conversations of which become examples."""
    greetings = (chat[1].text for chat in voice if len(chat) > 1 and normalise(chat[0].text).strip(".!").lower() in _GREETINGS)
    return CharacterCard(name, description, next(greetings, ""), tuple(map(tuple, voice[:_EXAMPLES])))


def read_card(path: Path) -> CharacterCard:
    """Return the card in a JSON or PNG file. Raises BundleError if there is none."""
    try:
        return _parse(read_bounded(path, _BYTES))
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise BundleError(f"{path}: is no character card ({error})") from error


def _parse(content: bytes) -> CharacterCard:
    """Return the card in the content of a file. Raises ValueError, TypeError, AttributeError, RecursionError or struct.error."""
    data = json.loads(_embedded(content) if content.startswith(_PNG) else content)
    fields = data.get("data", data)  # Version 1 has its fields at the top.
    name, description, greeting, examples = (fields.get(key) or "" for key in ("name", "description", "first_mes", "mes_example"))
    name = normalise(name)
    if not is_name(name):
        raise ValueError("it has no name")
    description, greeting = (normalise(_filled(text, name)) for text in (description, greeting))
    return CharacterCard(name, description, greeting, tuple(_parse_examples(examples, name)))


def card_file(card: CharacterCard, show: str, *, picture: bool) -> bytes:
    """Return a card as the content of a JSON file or, with `picture`, of a PNG file."""
    data = {
        "name": card.name, "description": card.description, "personality": "", "scenario": "", "first_mes": card.greeting,
        "mes_example": "".join(f"<START>\n{_example(chat)}" for chat in card.examples),
        "creator_notes": "Exported from charbot.", "system_prompt": "", "post_history_instructions": "",
        "alternate_greetings": [], "tags": [show], "creator": "", "character_version": "", "extensions": {},
    }  # fmt: skip
    text = json.dumps({"spec": "chara_card_v2", "spec_version": "2.0", "data": data}, ensure_ascii=False, indent=1).encode()
    return _png(text) if picture else text


def _filled(text: str, name: str) -> str:
    """Return a text with the placeholders of cards replaced."""
    return re.sub(r"\{\{user\}\}|<user>", "you", re.sub(r"\{\{char\}\}|<bot>", name, text, flags=re.I), flags=re.I)


def _example(chat: Sequence[Utterance]) -> str:
    return "".join(f"{{{{{'user' if turn.speaker in (None, USER) else 'char'}}}}}: {turn.text}\n" for turn in chat)


def _parse_examples(text: str, name: str) -> Iterator[Chat]:
    """Yield the example conversations of a card, without turns before the user's first."""
    for block in re.split(r"<START>", text, flags=re.I):
        # [text before, speaker, text, speaker, text, ...]
        parts = re.split(r"^(\{\{user\}\}|\{\{char\}\}):", block, flags=re.I | re.M)
        speakers = [USER if speaker.lower() == "{{user}}" else name for speaker in parts[1::2]]
        turns = [Utterance(who, normalise(_filled(text, name))) for who, text in zip(speakers, parts[2::2], strict=True)]
        first = next((index for index, turn in enumerate(turns) if turn.speaker == USER), len(turns))
        chat = tuple(turn for turn in turns[first:] if turn.text)
        if any(turn.speaker == name for turn in chat):
            yield chat


def _embedded(png: bytes) -> bytes:
    """Return the card in a PNG picture. Raises ValueError or struct.error if there is none."""
    offset = len(_PNG)
    while offset < len(png):
        length, kind = struct.unpack_from(">I4s", png, offset)
        key, _, text = png[offset + 8 : offset + 8 + length].partition(b"\0")
        if kind == b"tEXt" and key in _KEYS:
            return base64.b64decode(text, validate=True)
        offset += 12 + length
    raise ValueError("the picture holds none")


def _png(card: bytes) -> bytes:
    """Return a plain picture that holds a card."""
    width, height = _SIZE
    row = b"\0" + bytes((64, 72, 88)) * width
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"tEXt", _KEYS[0] + b"\0" + base64.b64encode(card)),
        (b"IDAT", zlib.compress(row * height)),
        (b"IEND", b""),
    ]
    packed = (struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)
    return _PNG + b"".join(packed)
