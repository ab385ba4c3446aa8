"""Bounding of messages that other people send, so that a long one does not hold up the replies to all others."""

from collections.abc import Iterable

from charbot.dialogue import Utterance
from charbot.generation.persona import Persona
from charbot.tokens.vocabulary import Unit

MAX_TOKENS = 256
"""Tokens of a message that are read, at most. They, not its characters, decide how long reading takes."""


def shortened(persona: Persona, turns: Iterable[Utterance], unit: Unit) -> tuple[Utterance, ...]:
    """Return turns of which each is shortened to its last MAX_TOKENS tokens. Blocks. Raises BundleError."""
    return tuple(Utterance(turn.speaker, persona.shortened(turn.text, unit, MAX_TOKENS)) for turn in turns)
