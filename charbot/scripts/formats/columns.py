"""Common names for the columns of tables of dialogue and the keys of its JSON."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from charbot.scripts.markup import unescape

_SYNONYMS = {
    "speaker": (
        "speaker", "speakers", "character", "speaker name", "character name", "raw character text", "name", "names", "who",
        "person", "person scene", "characters", "char", "role", "user", "author", "actor", "sender", "sender name", "from",
        "author name", "username", "user name", "nick", "nickname", "details",
    ),
    "text": (
        "line", "text", "dialogue", "dialog", "transcript", "utterance", "utterances", "line text", "dialogue text",
        "utterance text", "full text", "spoken words", "quote", "sentence", "speech", "content", "words", "message", "mes",
        "msg", "body", "value", "detail",
    ),
    "season": ("season", "season number", "season id", "season no", "series number", "book num", "book number", "book"),
    "episode": (
        "seid", "episode", "episode number", "episode id", "ep", "episode no", "sid", "episodeid", "episode title",
        "episode name", "chapter num", "chapter number", "chapter", "movie", "film", "movie title", "film title", "movie name",
        "movie id", "title",
    ),
    "scene": (
        "scene", "scene number", "scenenumber", "scene id", "conversation id", "conversation", "root", "dialogue id", "scene no",
    ),
    "kind": ("type", "text type", "texttype", "line type", "record type"),
}  # fmt: skip
FIELDS = tuple(_SYNONYMS)
"""What a column may hold."""
_PLACE = re.compile(r"s(\d{1,3})[ ._-]*e(\d{1,3})|(\d{1,2})x(\d{2,3})", re.I)
_NUMBERED = {
    "season": re.compile(r"(?:season|series)[ ._-]*\d+", re.I),
    "episode": re.compile(r"(?:s\d{1,3}[ ._-]*e\d{1,3}|\d{1,2}x\d{2,3}|(?:episode|ep)[ ._-]*\d+)", re.I),
    "scene": re.compile(r"scene[ ._-]*\d+", re.I),
}
_DIRECTION = re.compile(r"(?:scene|stage) directions?|directions?|\W*", re.I)
_LIST = re.compile(r"\s*\[\s*(?:(?:'[^']*'|\"[^\"]*\")\s*,?\s*)*\]\s*")
_LISTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_NUMBER = re.compile(r"(?:(?:season|series|episode|ep|e|s|no|#)?[ ._-]*(\d{1,9})(?:\.0+)?(?:[ ]*[-–:.][ ]+.*)?)", re.I)
_NOBODY = ("nan", "NaN", "NA", "N/A", "n/a", "none", "None", "null", "NULL")
"""Placeholders that programs write for missing values. "Nan" is not one: it is a name."""
_TAG = re.compile(r"</?(?:i|b|u|em|strong|br|p|span|font)\b[^>]*>", re.I)
_ASIDE = re.compile(r"\([a-z][^()]{1,80}\)")
_ASIDES, _SHARE = 5, 1 / 3
"""Parentheses hold a table's directions if at least this number and this share of them are short remarks in lower case.
Muffled speech is in parentheses too, and begins with a capital."""


def matched(names: Iterable[str]) -> Mapping[str, str]:
    """Map each field ("speaker", "text", ...) to the likeliest of `names`."""
    return _matched(tuple(names))


@lru_cache(maxsize=1024)
def _matched(names: tuple[str, ...]) -> Mapping[str, str]:
    # Cached, because the records of a file have the same few keys.
    plain = {_plain(name): name for name in names}
    fields: dict[str, str] = {}
    for field, synonyms in _SYNONYMS.items():
        for synonym in synonyms:
            name = plain.get(synonym)
            if name is not None and name not in fields.values():
                fields[field] = name
                break
    # A name and its value are any table's.
    if _plain(fields.get("text", "")) == "value" and _plain(fields.get("speaker", "")) != "from":
        del fields["text"]
    return MappingProxyType(fields)


def _plain(name: str) -> str:
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return " ".join(re.split(r"[\W_]+", words.lower())).strip()


# The records of a file have the same few episodes, keys and speakers.
@lru_cache(maxsize=4096)
def episode_name(season: str, episode: str) -> str:
    """Return SxxEyy if either value has that form or both hold numbers, else the values joined."""
    if place := _PLACE.fullmatch(episode.strip()) or _PLACE.fullmatch(season.strip()):
        season, episode = filter(None, place.groups())
    # A number in a title ("The Heron 3000") counts nothing.
    numbers = [_NUMBER.fullmatch(value.strip()) for value in (season, episode)]
    if numbers[0] and numbers[1]:
        return f"S{int(numbers[0][1]):02}E{int(numbers[1][1]):02}"
    # Programs write whole numbers as "1.0" in columns with missing values.
    return " ".join(filter(None, (re.sub(r"(?<=\d)\.0+$", "", value.strip()) for value in (season, episode))))


def names_in(value: str) -> tuple[str, ...]:
    """Return the names in a cell that holds a list as Python prints it ("['Ned', 'Olga']"), else the cell alone."""
    if not _LIST.fullmatch(value):
        return (value,)
    return tuple(single or double for single, double in _LISTED.findall(value))


@lru_cache(maxsize=4096)
def numbered(key: str) -> str | None:
    """Return the field that a key with a number names ("Season 1", "S01E02"), or None."""
    return next((field for field, form in _NUMBERED.items() if form.fullmatch(key)), None)


@lru_cache(maxsize=4096)
def kind_of(speaker: str) -> Literal["name", "scene", "omission"]:
    """Return the kind of a record with this speaker: a line, a scene heading, or text that nobody says."""
    speaker = speaker.strip()
    if speaker.casefold() == "scene":
        return "scene"
    return "omission" if speaker in _NOBODY or _DIRECTION.fullmatch(speaker) else "name"


def plain(text: str) -> str:
    """Return a text without the HTML tags and entities of the page that it was taken from."""
    return unescape(_TAG.sub(" ", text))


def brackets_of(text: str) -> str:
    """Return the brackets that open directions in a table: square ones, and parentheses where they hold directions too."""
    asides = len(_ASIDE.findall(text))
    return "([" if asides >= max(_ASIDES, _SHARE * text.count("(")) else "["
