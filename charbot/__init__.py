"""charbot: a chatbot that talks like a TV character.

    from charbot import ChatSettings, Library, Memory, Voice

    voice = Voice(Library.default(), "joey", ChatSettings())
    print(voice.reply(Memory().said("Are you hungry?")).text)

Each name is imported when it is first used, torch when a model is first needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from charbot.config import ChatSettings, Config, load_config
    from charbot.corpus.conversation import Utterance
    from charbot.errors import CharbotError
    from charbot.personas.library import Library
    from charbot.replies.engine import Reply, Voice
    from charbot.replies.memory import Memory
    from charbot.replies.ranking import Candidate
    from charbot.scripts.reading import read_scripts

__version__ = "0.1.0"

__all__ = [
    "Candidate",
    "CharbotError",
    "ChatSettings",
    "Config",
    "Library",
    "Memory",
    "Reply",
    "Utterance",
    "Voice",
    "load_config",
    "read_scripts",
]

_HOMES = {
    "charbot.config": ("ChatSettings", "Config", "load_config"),
    "charbot.corpus.conversation": ("Utterance",),
    "charbot.errors": ("CharbotError",),
    "charbot.personas.library": ("Library",),
    "charbot.replies.engine": ("Reply", "Voice"),
    "charbot.replies.memory": ("Memory",),
    "charbot.replies.ranking": ("Candidate",),
    "charbot.scripts.reading": ("read_scripts",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'charbot' has no attribute {name!r}")
