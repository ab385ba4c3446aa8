"""Messages of chats: who sent what and when, from whatever program they were exported."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from charbot.scripts.assembly import LineTag

SAME_TURN = 5 * 60
"""Seconds within which messages of one person in a row are one turn."""
SAME_SCENE = 3 * 60 * 60
"""Seconds of silence after which a scene begins."""

_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>|]+|\b[\w-]+(?:\.[\w-]+){0,3}\.(?:com|org|net|de|io|uk|fr|es|it|ru|tv|me|gg)/[^\s<>|]*", re.I
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.,:/-])(?:\+|00|\(\d|\d)(?:[ ()./-]{0,2}\d){6,14}(?![\w:])")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
_QUOTED = re.compile(r"(?:>|&gt;) ?.*")
_NOT_SAID = re.compile(
    r"\u200e.*|<[^<>]{3,60}>|.+ • \u200e.*|"
    r"(?:image|video|audio|sticker|gif|document|contact card|bild|imagen|vidéo) (?:omitted|weggelassen|"
    r"omitid[oa]|absente?)|.+ \((?:file attached|datei angehängt|archivo adjunto|fichier joint|file allegato|arquivo anexado)\)|"
    r"(?:location|standort|localização|localización|ubicación|position|posizione|locatie): https?://\S+|"
    r"\(?(?:this message was deleted|you deleted this message|diese nachricht wurde gelöscht|du hast diese nachricht gelöscht|"
    r"se eliminó este mensaje|eliminaste este mensaje|ce message a été supprimé|questo messaggio è stato eliminato|"
    r"(?:(?:esta|essa) )?mensagem (?:foi )?apagada|você apagou (?:esta|essa) mensagem|dit bericht is verwijderd|"
    r"(?:missed (?:voice|video) call|verpasster (?:sprach|video)anruf|(?:chamada|ligação) de (?:voz|vídeo) perdida|"
    r"llamada de voz perdida|videollamada perdida|appel (?:vocal|vidéo) manqué|(?:video)?chiamata (?:vocale )?persa)(?:, .*)?|"
    r"null)\.?\)?|\(- .+: .+ -\)|\(\( .+ \)\)",
    re.I,
)
_POLL_OPTION = re.compile(r"\u200e?(?:OPTION|OPÇÃO|OPCIÓN|OPZIONE|OPTIE) ?: .*")
_ATTACHED = re.compile(r"!?\[[^\[\]]*\]\(\./[^()\s]*\)")
"""A file beside a chat that signal-export wrote."""
_EDITED = re.compile(r"\s*\u200e?<[^<>]*(?:edited|bearbeitet|editó|editad[oa]|modifié|modificato|bewerkt)[^<>]*>$", re.I)


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    lines: tuple[tuple[int, str], ...]
    """The source lines of its text, and what they say."""
    speaker: str
    """Empty if the program itself tells something, such as who joined."""
    time: float | None
    """In seconds; None if unknown."""
    heads: tuple[tuple[int, str], ...] = ()
    """Source lines that say no more than when it was sent, and by whom."""
    part: int = 0
    """Distinguishes messages on the same source line."""


def oldest_first(messages: Sequence[Message]) -> list[Message]:
    """Return messages in order of time, as they stand if a time is unknown: some programs write the newest first."""
    times = [message.time for message in messages if message.time is not None]
    if not times or len(times) < len(messages):
        return list(messages)
    # Messages of the same second keep their order, from the oldest to the newest.
    ordered = messages if times[0] <= times[-1] else messages[::-1]
    return sorted(ordered, key=lambda message: message.time or 0)


def message_tags(messages: Iterable[Message]) -> Iterator[LineTag]:
    """Yield the tags of messages, in order of time.

    Messages of one person in a row are one turn, silence separates scenes, and quoted replies are left out.
    """
    speaker, last = "", None
    strangers: dict[str, str] = {}
    for message in messages:
        yield from (LineTag(number, "aside", line, "timing", message.part) for number, line in message.heads)
        lines = list(_line_tags(message))
        first = next((tag.line for tag in lines if tag.kind == "speech"), None)
        if first is None:
            yield from lines
            continue
        silence = message.time - last if message.time is not None and last is not None else 0
        if silence > SAME_SCENE:
            yield LineTag(first, "scene", "", part=message.part)
        if message.speaker != speaker or silence > SAME_TURN:
            name = message.speaker.strip("~\u202f ") or message.speaker
            if _PHONE.fullmatch(name):
                # Somebody who is in nobody's address book.
                name = strangers.setdefault(name, f"Person {len(strangers) + 1}")
            yield LineTag(first, "name", name, part=message.part)
        yield from lines
        speaker, last = message.speaker, message.time


def _line_tags(message: Message) -> Iterator[LineTag]:
    """Yield the tags of a message's lines, without those of the program and quoted ones."""
    poll = any(_POLL_OPTION.fullmatch(line) for _, line in message.lines)
    for number, raw in message.lines:
        text = _ATTACHED.sub("", _EDITED.sub("", raw))
        if not text.strip("\u200e\u200f\u202f \t"):
            yield LineTag(number, "aside", raw.strip(), "nothing said", message.part)
        elif poll or not message.speaker or _NOT_SAID.fullmatch(text.strip()):
            reason = "attachment" if message.speaker else "system message"
            yield LineTag(number, "aside", raw.strip(), reason, message.part)
        elif _QUOTED.fullmatch(text.strip()):
            yield LineTag(number, "aside", raw.strip(), "quoted reply", message.part)
        else:
            yield LineTag(number, "speech", without_contacts(text), part=message.part)


def without_contacts(text: str) -> str:
    """Return a text with a mark in the place of each link, e-mail address and phone number, so that no model learns them."""
    text = _EMAIL.sub("[email]", _LINK.sub("[link]", text))
    return _PHONE.sub(lambda match: match[0] if _DATE.fullmatch(match[0]) else "[phone]", text)
