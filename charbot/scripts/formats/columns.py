"""Common names for the columns of tables of dialogue and the keys of its JSON."""

import re
from collections.abc import Iterable
from html import unescape
from typing import Literal

_SYNONYMS = {
    "speaker": (
        "speaker", "speakers", "character", "characters", "speaker name", "character name", "raw character text", "name",
        "who", "person", "person scene", "role", "user", "author", "actor",
    ),
    "text": (
        "line", "text", "dialogue", "dialog", "transcript", "utterance", "line text", "dialogue text", "utterance text",
        "full text", "spoken words", "quote", "sentence", "speech", "content", "words", "detail",
    ),
    "season": ("season", "season number", "season id", "season no", "series number"),
    "episode": (
        "seid", "episode", "episode number", "episode id", "ep", "episode no", "sid", "episode title", "episode name", "title",
    ),
    "scene": ("scene", "scene number", "scene id", "conversation id", "conversation", "root", "dialogue id", "scene no"),
}  # fmt: skip
_PLACE = re.compile(r"s(\d{1,3})[ ._-]*e(\d{1,3})|(\d{1,2})x(\d{2,3})", re.I)
_NUMBERED = {
    "season": re.compile(r"(?:season|series)[ ._-]*\d+", re.I),
    "episode": re.compile(r"(?:s\d{1,3}[ ._-]*e\d{1,3}|\d{1,2}x\d{2,3}|(?:episode|ep)[ ._-]*\d+)", re.I),
    "scene": re.compile(r"scene[ ._-]*\d+", re.I),
}
_DIRECTION = re.compile(r"(?:scene|stage) directions?|directions?|\W*", re.I)
_NOBODY = ("nan", "NaN", "NA", "N/A", "n/a", "none", "None", "null", "NULL")
"""Placeholders that programs write for missing values. "Nan" is not one: it is a name."""
_TAG = re.compile(r"</?(?:i|b|u|em|strong|br|p|span|font)\b[^>]*>", re.I)
_ASIDE = re.compile(r"\([a-z][^()]{1,80}\)")
_ASIDES, _SHARE = 5, 1 / 3
"""Parentheses hold a table's directions if at least this number and this share of them are short remarks in lower case.
Muffled speech is in parentheses too, and begins with a capital."""


def matched(names: Iterable[str]) -> dict[str, str]:
    """Map each field ("speaker", "text", ...) to the likeliest of `names`."""
    plain = {_plain(name): name for name in names}
    fields: dict[str, str] = {}
    for field, synonyms in _SYNONYMS.items():
        for synonym in synonyms:
            name = plain.get(synonym)
            if name is not None and name not in fields.values():
                fields[field] = name
                break
    return fields


def _plain(name: str) -> str:
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return " ".join(re.split(r"[\W_]+", words.lower())).strip()


def episode_name(season: str, episode: str) -> str:
    """Return SxxEyy if either value has that form or both hold numbers, else the values joined."""
    if place := _PLACE.fullmatch(episode.strip()) or _PLACE.fullmatch(season.strip()):
        season, episode = filter(None, place.groups())
    # Programs write whole numbers as "1.0" in columns with missing values.
    season, episode = (re.sub(r"(?<=\d)\.0+$", "", value.strip()) for value in (season, episode))
    numbers = [re.findall(r"\d+", value) for value in (season, episode)]
    if numbers[0] and numbers[1]:
        # Longer numbers are no counts, and int() refuses the longest.
        season, episode = (digits[-1][-9:] for digits in numbers)
        return f"S{int(season):02}E{int(episode):02}"
    return " ".join(filter(None, (season, episode)))


def numbered(key: str) -> str | None:
    """Return the field that a key with a number names ("Season 1", "S01E02"), or None."""
    return next((field for field, form in _NUMBERED.items() if form.fullmatch(key)), None)


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
