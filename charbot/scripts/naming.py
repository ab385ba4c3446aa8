"""Name the show and the episode of a script after its folder and its file."""

import re
from pathlib import Path

_NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SEASON_FOLDER = re.compile(rf"(?:s|season|series)[ ._-]?(\d+|{'|'.join(_NUMBER_WORDS)})", re.I)
_LAYER_FOLDER = re.compile(r"txt|text|html?|transcripts?|scripts?|episodes?|subtitles|subs", re.I)
_ARCHIVE = re.compile(r"\.(?:zip|tar(?:\.\w+)?|tgz|tbz2|txz)$", re.I)
_EPISODE = re.compile(
    r"(?<![a-z\d])s(\d{1,2})[ ._-]*e(?:p(?:isode)?)?[ ._-]?(\d{1,3})(?!\d)|(?<!\d)(\d{1,2})x(\d{2})(?!\d)|"
    r"season[ ._-]*(\d{1,2})[ ,._-]*episode[ ._-]*(\d{1,3})(?!\d)|^(\d\d)(\d\d)(?!\d|[._-]\d\d[._-]\d)",
    re.I,
)
_NUMBERED = re.compile(r"(?:e|ep|episode)?[ ._-]*(\d{1,3})(?!\d)", re.I)


def show_of(path: Path) -> str:
    """Return the show that a script belongs to, named after the folder or archive that holds it.

    Folders of a season, and of a kind of file within one ("Season 1/transcripts"), do not count.
    """
    folders = [_ARCHIVE.sub("", part) for part in path.resolve().parent.parts]
    while len(folders) > 1 and (
        _SEASON_FOLDER.fullmatch(folders[-1]) or (_LAYER_FOLDER.fullmatch(folders[-1]) and _SEASON_FOLDER.fullmatch(folders[-2]))
    ):
        folders.pop()
    name = folders[-1] if folders else "unknown"
    return " ".join(word.capitalize() for word in re.split(r"[ _-]+", name.strip("/\\")) if word) or "Unknown"


def episode_of(path: Path) -> str:
    """Return the episode's name: SxxEyy if the file's name, or its number and a season's folder, gives it; else the stem.

    An uncut version has the name of the episode itself, so that both end up in the same split.
    """
    numbered = _EPISODE.search(path.stem)
    if numbered:
        season, episode = (int(number) for number in numbered.groups() if number)
        return f"S{season:02}E{episode:02}"
    seasons = list(filter(None, map(_SEASON_FOLDER.fullmatch, path.parent.parts)))
    number = _NUMBERED.match(path.stem)
    if not seasons or not number:
        return path.stem
    word, episode = seasons[-1][1], int(number[1])
    season = int(word[-9:]) if word.isdecimal() else _NUMBER_WORDS.index(word.lower()) + 1
    # "101" in a folder of season 1 is its first episode.
    return f"S{season:02}E{episode % 100 if episode // 100 == season else episode:02}"
