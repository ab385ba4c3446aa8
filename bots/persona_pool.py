"""The personas of a server or bot: listed without blocking, loaded once for all users, reloaded when they change."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from charbot.errors import BundleError
from charbot.generation.persona import Persona
from charbot.models import LOADING
from charbot.personas.library import Library, slug
from charbot.tokens.vocabulary import Unit

if TYPE_CHECKING:
    from charbot.speakers.identifier import Ranking, SpeakerIdentifier

_LOADED = 32
"""Maximum personas whose models are in memory at once: each takes about 22 MB, beside what all on one base share."""


@dataclass(frozen=True)
class PersonaInfo:
    """A persona, as users choose it."""

    name: str
    show: str
    mature: bool
    """Whether it needs an age-restricted channel, or the profanity filter."""
    units: tuple[Unit, ...]
    """The units that it has a model of."""


class PersonaPool:
    """The personas that can reply. Threads may share it; `members` and `member` never block."""

    def __init__(self, library: Callable[[], Library], load: Callable[[Library, str], Persona] = Persona) -> None:
        """List the personas of `library()`, which reads the folders afresh; `load` makes one that can reply.

        Raises BundleError if there are none.
        """
        self._library, self._load = library, load
        self._lock = threading.Lock()
        self._personas: OrderedDict[str, Persona] = OrderedDict()
        self._members: dict[str, PersonaInfo] = {}
        self._identifier: tuple[int, SpeakerIdentifier] | None = None
        self.refresh()
        if not self._members:
            raise BundleError(self._library().empty_message)

    @property
    def members(self) -> tuple[PersonaInfo, ...]:
        """All personas, sorted by show and name."""
        return tuple(self._members.values())

    def member(self, name: str) -> PersonaInfo | None:
        """Return the persona of that name, or None."""
        return self._members.get(slug(name))

    def refresh(self) -> None:
        """List the personas again, and unload those that were retrained or removed."""
        cards = {path.name: card for path, card in self._library().cards()}
        people = sorted(cards.items(), key=lambda item: (item[1].show, item[1].name))
        self._members = {
            key: PersonaInfo(card.name, card.show, card.rating == "mature", tuple(card.models)) for key, card in people
        }
        with self._lock:
            for key in [key for key, persona in self._personas.items() if cards.get(key) != persona.card]:
                del self._personas[key]

    def persona(self, name: str) -> Persona:
        """Return a persona. May block to read it: call it in a thread. Raises BundleError."""
        key = slug(name)
        with self._lock:
            if key not in self._personas:
                self._personas[key] = self._load(self._library(), name)
                if len(self._personas) > _LOADED:
                    self._personas.popitem(last=False)
            self._personas.move_to_end(key)
            return self._personas[key]

    def who_said(self, text: str) -> "Ranking":
        """Rank who would have said a text, most likely first. Blocks: call it in a thread. Raises BundleError, UsageError."""
        library = self._library()
        written = library.classifier.stat().st_mtime_ns
        with LOADING:
            from charbot.speakers.identifier import SpeakerIdentifier

            if self._identifier is None or self._identifier[0] != written:
                self._identifier = written, SpeakerIdentifier(library)
            _, identifier = self._identifier
        return identifier.rank([text])
