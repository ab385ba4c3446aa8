"""What people call the columns of a table of dialogue, and the keys of its JSON."""

import re
from collections.abc import Iterable

_SYNONYMS = {
    "speaker": ("speaker", "speakers", "character", "characters", "name", "who", "person", "role", "user", "author", "actor"),
    "text": ("line", "text", "dialogue", "dialog", "transcript", "utterance", "quote", "sentence", "speech", "content", "words"),
    "season": ("season", "season number", "season id", "season no", "series number"),
    "episode": ("episode", "episode number", "episode id", "ep", "episode no", "sid", "seid", "episode title", "title"),
    "scene": ("scene", "scene number", "scene id", "conversation id", "conversation", "root", "dialogue id", "scene no"),
}


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
    """SxxEyy where both are numbers, else what there is."""
    numbers = [re.findall(r"\d+", value) for value in (season, episode)]
    if numbers[0] and numbers[1]:
        # Longer numbers count nothing, and Python refuses the longest.
        season, episode = (found[-1][-9:] for found in numbers)
        return f"S{int(season):02}E{int(episode):02}"
    return " ".join(filter(None, (season.strip(), episode.strip())))
