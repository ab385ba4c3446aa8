"""`charbot chat` with a reply engine whose replies are written down, so that a test knows the screen to the letter.

THINK is how many seconds a reply takes, LOAD a model, REPLY what it says (else it tells what it heard, and with
SEEDS its seed), FAIL_AFTER after how many replies no more can be given.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace

from charbot.cli import main
from charbot.config import DEFAULT_OPTIONS, ChatSettings
from charbot.errors import BundleError, CharbotError
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona, Reply, Request
from charbot.generation.reranking import Candidate


class WrittenPersona(Persona):
    """Replies without a model."""

    given = 0

    def load(self, unit: str) -> tuple[SimpleNamespace, None]:  # type: ignore[override]
        time.sleep(float(os.environ.get("LOAD", "0")))
        return SimpleNamespace(tokenizer=SimpleNamespace(vocabulary=SimpleNamespace(speakers=("Ann", "Bob", "Cy")))), None

    def reply_batch(
        self,
        requests: Sequence[Request],
        options: ChatSettings = DEFAULT_OPTIONS,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Reply]:
        done = time.monotonic() + float(os.environ.get("THINK", "0"))
        while time.monotonic() < done:
            if cancelled():
                raise CharbotError("stopped")
            time.sleep(0.01)
        if WrittenPersona.given == int(os.environ.get("FAIL_AFTER", "-1")):
            raise BundleError("out of breath")
        WrittenPersona.given += 1
        return [self._answer(request.conversation, request.seed) for request in requests]

    def _answer(self, conversation: Conversation, seed: int | None) -> Reply:
        seeded = f" with seed {seed}" if os.environ.get("SEEDS") else ""
        heard = f"I heard {len(conversation.turns)}{seeded}: {conversation.turns[-1].text if conversation.turns else 'nothing'}"
        text = os.environ.get("REPLY", heard)
        candidates = tuple(Candidate(one, 0.5, -1.0, -2.0, 0.25, 0.0) for one in (text, "Something else."))
        return Reply(text, candidates, conversation.add(text, self.card.name), 0.042)


if __name__ == "__main__":
    import bots.terminal.chat

    vars(bots.terminal.chat)["Persona"] = WrittenPersona
    sys.exit(main(sys.argv[1:]))
