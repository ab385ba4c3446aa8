"""For tests of programs that use charbot: a persona whose replies a function writes, without a model."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from charbot.config import DEFAULT_OPTIONS, ChatSettings
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona, Reply, Request
from charbot.generation.reranking import Candidate
from charbot.personas.bundle import PersonaCard
from charbot.personas.library import Library
from charbot.tokens.vocabulary import Unit

Script: TypeAlias = Callable[[PersonaCard, Conversation, ChatSettings], str]
"""Returns the reply of the persona with this card to a conversation, under these options."""


class ScriptedPersona(Persona):
    """A persona that replies what a function returns. Its bundle is read, its models are not."""

    def __init__(self, library: Library, name: str, script: Script) -> None:
        """Read the persona's card; `script` writes its replies. Raises BundleError."""
        super().__init__(library, name)
        self._script = script

    def reply_batch(
        self,
        requests: Sequence[Request],
        options: ChatSettings = DEFAULT_OPTIONS,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Reply]:
        """Return the script's replies: see `Persona.reply_batch`."""
        replies = []
        for request in requests:
            conversation = request.conversation
            text = self._script(self.card, conversation, options)
            replies.append(Reply(text, (Candidate.of_text(text),), conversation.add(text, self.card.name), 0.0))
        return replies

    def shortened(self, text: str, unit: Unit, tokens: int) -> str:
        """Return the last words of a message, each counted as a token."""
        return " ".join(text.split(" ")[-tokens:])
