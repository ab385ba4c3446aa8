"""charbot: a chatbot that talks like a TV character.

    from charbot import ChatSettings, Conversation, Library, Persona

    persona = Persona(Library.default(), "joey")
    print(persona.reply(Conversation().add("Are you hungry?")).text)

Names are imported when first used, torch when a model is first needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from charbot.config import ChatSettings, Config, load_config
    from charbot.dialogue import Utterance
    from charbot.errors import CharbotError
    from charbot.generation.conversation import Conversation
    from charbot.generation.persona import Persona, Reply
    from charbot.generation.reranking import Candidate
    from charbot.personas.library import Library
    from charbot.scripts.reader import read_scripts

__version__ = "0.1.0"

__all__ = [
    "Candidate",
    "CharbotError",
    "ChatSettings",
    "Config",
    "Conversation",
    "Library",
    "Persona",
    "Reply",
    "Utterance",
    "load_config",
    "read_scripts",
]

_HOMES = {
    "charbot.config": ("ChatSettings", "Config", "load_config"),
    "charbot.dialogue": ("Utterance",),
    "charbot.errors": ("CharbotError",),
    "charbot.personas.library": ("Library",),
    "charbot.generation.persona": ("Reply", "Persona"),
    "charbot.generation.conversation": ("Conversation",),
    "charbot.generation.reranking": ("Candidate",),
    "charbot.scripts.reader": ("read_scripts",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'charbot' has no attribute {name!r}")
