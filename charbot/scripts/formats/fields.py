"""What people call the columns of a table of dialogue, and the keys of its JSON."""

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
"""What programs write where nothing is. "Nan" is somebody."""
_TAG = re.compile(r"</?(?:i|b|u|em|strong|br|p|span|font)\b[^>]*>", re.I)
_ASIDE = re.compile(r"\([a-z][^()]{1,80}\)")
_ASIDES, _SHARE = 5, 1 / 3
"""A table with so many short remarks in parentheses, in small letters, has its directions there, if so many of all
parentheses are such: what is said into a hood stands in them too, and begins with a capital."""


def matched(names: Iterable[str]) -> dict[str, str]:
    """Which of `names` holds what: field ("speaker", "text", ...) to name, the likeliest first."""
    plain = {_plain(name): name for name in names}
    found: dict[str, str] = {}
    for field, synonyms in _SYNONYMS.items():
        for synonym in synonyms:
            name = plain.get(synonym)
            if name is not None and name not in found.values():
                found[field] = name
                break
    return found


def _plain(name: str) -> str:
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return " ".join(re.split(r"[\W_]+", words.lower())).strip()


def episode_name(season: str, episode: str) -> str:
    """SxxEyy where one of them says so, or both are numbers; else what there is."""
    if place := _PLACE.fullmatch(episode.strip()) or _PLACE.fullmatch(season.strip()):
        season, episode = filter(None, place.groups())
    # Programs write whole numbers as "1.0" where one of the column is missing.
    season, episode = (re.sub(r"(?<=\d)\.0+$", "", value.strip()) for value in (season, episode))
    numbers = [re.findall(r"\d+", value) for value in (season, episode)]
    if numbers[0] and numbers[1]:
        # Longer numbers count nothing, and Python refuses the longest.
        season, episode = (found[-1][-9:] for found in numbers)
        return f"S{int(season):02}E{int(episode):02}"
    return " ".join(filter(None, (season, episode)))


def numbered(key: str) -> str | None:
    """What a key that ends in a number says that it holds ("Season 1", "S01E02"): a field, or nothing known."""
    return next((field for field, form in _NUMBERED.items() if form.fullmatch(key)), None)


def kind_of(speaker: str) -> Literal["name", "scene", "omission"]:
    """What a record is whose speaker is called so: a line, a scene's heading, or said by nobody."""
    speaker = speaker.strip()
    if speaker.casefold() == "scene":
        return "scene"
    return "omission" if speaker in _NOBODY or _DIRECTION.fullmatch(speaker) else "name"


def plain(text: str) -> str:
    """A text without what is left of the page that it was taken from."""
    return unescape(_TAG.sub(" ", text))


def brackets_of(text: str) -> str:
    """The brackets that hold directions in a table: fans cut them out by square ones, or leave both in."""
    asides = len(_ASIDE.findall(text))
    return "([" if asides >= max(_ASIDES, _SHARE * text.count("(")) else "["
