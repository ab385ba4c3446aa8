"""The cast of a show: the canonical names of its speakers and the aliases that scripts use."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import yaml

from charbot.errors import ScriptError
from charbot.yamlfile import read_yaml, shown

CAST_FILE = "cast.yaml"
Listed = Mapping[str, Mapping[str, Sequence[str]]]
"""Canonical names per show, each with its aliases."""

_QUALIFIER = re.compile(r" ?(?:\([^)]*\)?|\[[^\]]*\]?)")
_VOICE = re.compile(r"(?:['’]s voice| (?:v\.? ?o|o\.? ?[sc])\.?)$", re.I)
_PUNCTUATION = re.compile(r"(?<![,.:;])[,.:;]+$")
_TOGETHER = re.compile(
    r",|/|&|\band\b|\ball\b|\bboth\b|\bevery(?:one|body)\b|\bthe (?:boys|girls|guys|kids)\b"
    r"|^(?:boys|girls|guys|kids|crowd|class|children|men|women|people)$",
    re.I,
)
_ABBREVIATIONS = frozenset(["TV", "DJ", "MC", "PC", "MTV", "CNN", "BBC", "FBI", "CIA", "CEO", "AI", "PA", "VIP", "UFO"])
_ROMAN = re.compile(r"[IVX]{2,5}")
_PART = re.compile(r"((?:^|-)[od]['’]|^|-)(\w)", re.I)
_INITIALS = re.compile(r"(?:[^\W\d_]\.){2,}$")
_SMALL = frozenset(["and", "of", "the", "in", "on", "with", "at", "to", "from"])


@dataclass(frozen=True)
class Cast:
    """A mapping from the names in scripts to the canonical names of speakers."""

    aliases: Mapping[str, str]
    """Canonical names by bare, casefolded alias; canonical names are their own aliases."""

    def canonical(self, name: str) -> str:
        """Return the canonical name of a speaker.

        A name that the cast does not list keeps its spelling, with title case instead of capitals, so that "BLAINE" and
        "Blaine" are one speaker.
        """
        bare = _bare(name)
        return self.aliases.get(bare.casefold(), _title(bare))


def is_group(name: str) -> bool:
    """Return True if a name stands for several speakers at once ("Ross and Rachel", "All")."""
    return _TOGETHER.search(name) is not None


def _bare(name: str) -> str:
    """Return a name without the qualifiers of scripts: "Wilf's voice (on the phone):" becomes "Wilf"."""
    name = " ".join(name.split()).strip("#") or name
    bare = _VOICE.sub("", _QUALIFIER.sub("", name)).strip()
    stripped = _PUNCTUATION.sub("", bare)
    # The last full stop of "M.J." belongs to it.
    initials = f"{stripped}."
    return (initials if bare.startswith(initials) and _INITIALS.search(initials) else stripped.strip()) or name


def _title(name: str) -> str:
    words = name.split()
    shouted = name.isupper()
    small = [word.lower() if shouted and not _keeps_capitals(word, i) else word for i, word in enumerate(words)]
    return " ".join(word if i and word in _SMALL else _capitalised(word) for i, word in enumerate(small))


def _keeps_capitals(word: str, place: int) -> bool:
    """Return True if a word of a shouted name is in capitals anyway: initials, "TV", the third of "OTTO III"."""
    if _INITIALS.search(word):
        return True
    return word in _ABBREVIATIONS or (place > 0 and _ROMAN.fullmatch(word) is not None)


def _capitalised(word: str) -> str:
    """Return a word with a capital at its beginning, after a hyphen, and after O' and D'."""
    return _PART.sub(lambda match: match[0].upper(), word)


@cache
def _shipped() -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, dict[str, list[str]]] = yaml.safe_load(
        resources.files("charbot.scripts").joinpath("casts.yaml").read_text("utf-8")
    )
    return loaded


def cast_of(show: str, listed: Listed | None = None) -> Cast:
    """Return the cast that charbot ships for `show`, or an empty one, overridden by `listed`."""
    names: dict[str, str] = {}
    for source in (_shipped(), listed or {}):
        for listed_show, members in source.items():
            if listed_show.casefold() == show.casefold():
                names |= {_bare(alias).casefold(): name for name, others in members.items() for alias in (name, *others)}
    return Cast(names)


def read_cast(path: Path) -> Listed:
    """Read a cast file: canonical names per show, each with the list of its aliases, if any.

    Raises ScriptError if the file is missing, invalid YAML, or of another form.
    """
    try:
        data = read_yaml(path)
    except ValueError as error:
        raise ScriptError(f"{path}: cannot be read as YAML: {error}") from error
    problem = f"{path}: must hold, for each show, `Name: [alias, ...]` lines"
    if not isinstance(data, dict):
        raise ScriptError(problem)
    casts: dict[str, dict[str, list[str]]] = {}
    for show, names in data.items():
        if not isinstance(names, dict):
            raise ScriptError(f"{problem}; `{show}` holds {shown(names)}")
        for name, aliases in names.items():
            if aliases is not None and not (isinstance(aliases, list) and all(isinstance(alias, str) for alias in aliases)):
                raise ScriptError(f"{problem}; `{show}`, `{name}` holds {shown(aliases)}")
        casts[str(show)] = {str(name): aliases or [] for name, aliases in names.items()}
    return casts
