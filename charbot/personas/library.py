"""Finds bundles: first those that the user trained or imported, then those that charbot ships."""

import difflib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from charbot.errors import BundleError
from charbot.personas.bundle import (
    BaseCard,
    PersonaCard,
    read_base,
    read_base_card,
    read_base_guard,
    read_persona,
    verify_base,
    verify_persona,
)
from charbot.tokens.vocabulary import Unit, Vocabulary

if TYPE_CHECKING:
    from charbot.personas.copy_guard import CopyGuard


_WRITTEN = "LMN"
"""Initials of the Unicode categories of letters, combining marks (vowels, in many scripts) and numbers."""


def slug(name: str) -> str:
    """Return a persona's name in the form for folders and the command line: "Mr. Garrison" is `mr-garrison`."""
    kept = (c if c == "_" or unicodedata.category(c)[0] in _WRITTEN else " " for c in name.casefold())
    return "-".join("".join(kept).split())


def user_folder() -> Path:
    """Return the default folder in which `charbot train` writes bundles."""
    return Path(platformdirs.user_data_dir("charbot")) / "bundles"


def match_name(query: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that `query` stands for, if it is clear.

    It equals that name except for case and punctuation, or is a word of that name alone: "garrison" is "Mr. Garrison".
    """
    by_slug = {slug(name): name for name in names}
    key = slug(query)
    if key in by_slug:
        return by_slug[key]
    having = _having_word(key, by_slug)
    return by_slug[having[0]] if len(having) == 1 else None


def similar_names(query: str, names: Iterable[str]) -> list[str]:
    """Return those of `names` that somebody who writes `query` may mean."""
    by_slug = {slug(name): name for name in names}
    key = slug(query)
    return [by_slug[near] for near in _having_word(key, by_slug) or difflib.get_close_matches(key, by_slug, n=3, cutoff=0.5)]


def _having_word(key: str, slugs: Iterable[str]) -> list[str]:
    return [name for name in slugs if key and key in name.split("-")]


def imported_bases(folder: Path, unit: Unit) -> list[Path]:
    """Return the folders of a unit's bases that came with personas imported into a folder of bundles."""
    return sorted((folder / "bases").glob(f"{unit}-*"))


@dataclass(frozen=True)
class Library:
    """Folders of bundles, each with `bases/<unit>/`, `personas/<slug>/` and `classifier/`.

    Bases that came with imported personas are in `bases/<unit>-<id>/`. Only the personas that name them stand on them.
    """

    folders: tuple[Path, ...]
    """Earlier folders take precedence for bundles of the same name."""

    @classmethod
    def default(cls) -> "Library":
        """Return the user's bundles and the shipped ones."""
        return cls((user_folder(), cls.shipped()))

    @staticmethod
    def shipped() -> Path:
        """Return the folder of the bundles that come with charbot."""
        return Path(str(resources.files("charbot").joinpath("bundles")))

    @cached_property
    def personas(self) -> dict[str, Path]:
        """Every persona's folder by slug, whether or not it is readable."""
        folders: dict[str, Path] = {}
        for folder in self.folders:
            for path in sorted((folder / "personas").glob("*")):
                if path.is_dir() and not path.name.startswith("."):
                    folders.setdefault(path.name, path)
        return folders

    def cards(self) -> Iterator[tuple[Path, PersonaCard]]:
        """Yield the folder and card of each persona that can reply."""
        for name, card in self._cards.items():
            if isinstance(card, PersonaCard):
                yield self.personas[name], card

    def verify(self) -> None:
        """Check the files of all personas that can reply, and of their bases, by their checksums. Raises BundleError."""
        bases = set()
        for folder, card in self.cards():
            verify_persona(folder, card)
            bases |= {self._base_folder(unit, fit.base) for unit, fit in card.models.items()}
        for folder in sorted(bases):
            verify_base(folder, read_base_card(folder))

    @property
    def broken(self) -> dict[str, str]:
        """Error messages, by slug, of personas that cannot reply: their card is unreadable, or their base missing."""
        return {name: why for name, why in self._cards.items() if isinstance(why, str)}

    @property
    def empty_message(self) -> str:
        """The message for users if no persona can reply."""
        for why in self.broken.values():
            return f"none of {len(self.broken)} personas can be used: {why}"
        return "no personas are installed; train one with `charbot train --persona NAME --scripts PATH`"

    @cached_property
    def _cards(self) -> dict[str, PersonaCard | str]:
        """Every persona's card by slug, or the error message if it cannot reply."""
        cards: dict[str, PersonaCard | str] = {}
        for name, path in self.personas.items():
            try:
                cards[name] = card = read_persona(path)
                for unit, model_card in card.models.items():
                    self._base_folder(unit, model_card.base)
            except BundleError as error:
                cards[name] = str(error)
        return cards

    def find(self, name: str) -> Path:
        """Return the folder of the persona called `name`. Raises BundleError with a hint at similar names."""
        match = match_name(name, self.personas)
        if match is not None:
            return self.personas[match]
        if not self.personas:
            raise BundleError(self.empty_message)
        near = self.similar(name)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise BundleError(f"there is no persona called {name!r}.{hint} `charbot personas list` shows them all.")

    def similar(self, name: str) -> list[str]:
        """Return the personas, by slug, that somebody who writes `name` may mean."""
        return similar_names(name, self.personas)

    def base(self, unit: Unit, base_id: str | None = None) -> tuple[Path, BaseCard, Vocabulary]:
        """Return the base of a unit with the id `base_id`, or the first one if it is None. Raises BundleError."""
        folder = self._base_folder(unit, base_id)
        return folder, *read_base(folder)

    def has_base(self, unit: Unit, base_id: str) -> bool:
        """Return whether the base with the id `base_id` is installed."""
        try:
            self._base_folder(unit, base_id)
        except BundleError:
            return False
        return True

    def _base_folder(self, unit: Unit, base_id: str | None) -> Path:
        """Return the folder of the base with the id `base_id`, or of the first trained one if it is None. Raises BundleError."""
        if base_id is None:
            for path in self.base_folders(unit):
                if path.name == unit:
                    return path
            raise BundleError(f"there is no {unit} base; train one with `charbot train --base --unit {unit}`")
        unreadable = None
        for path in self.base_folders(unit):
            try:
                if read_base_card(path).id == base_id:
                    return path
            except BundleError as error:
                # A damaged or outdated base must not block a persona that needs another one.
                unreadable = unreadable or error
        raise unreadable or BundleError(
            f"the {unit} base that this persona stands on ({base_id[:12]}) is not installed; "
            f"retrain the persona with `charbot train --unit {unit} --persona NAME`"
        )

    def base_folders(self, unit: Unit) -> list[Path]:
        """Return the folders of a unit's bases, readable or not; within a library folder, the trained one first."""
        places = (path for folder in self.folders for path in (folder / "bases" / unit, *imported_bases(folder, unit)))
        return [path for path in places if path.is_dir()]

    def personas_on(self, base: str) -> list[str]:
        """Return the names of the readable personas that stand on the base with the id `base`."""
        names = []
        for path in self.personas.values():
            with suppress(BundleError):
                card = read_persona(path)
                names += [card.name] if base in (model_card.base for model_card in card.models.values()) else []
        return names

    @property
    def classifier(self) -> Path:
        """The folder of the speaker classifier. Raises BundleError if there is none."""
        for folder in self.folders:
            if (folder / "classifier").is_dir():
                return folder / "classifier"
        raise BundleError("there is no speaker classifier; train one with `charbot train --classifier`")

    def base_guards(self, bases: Mapping[Unit, str]) -> "list[CopyGuard]":
        """Return the copy guards of bases, given by unit and id. Raises BundleError."""
        cards = [self.base(unit, base_id)[:2] for unit, base_id in bases.items()]
        return [read_base_guard(folder, card) for folder, card in cards]
