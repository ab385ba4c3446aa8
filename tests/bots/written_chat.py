"""`charbot chat` with a reply engine whose replies are written down, so that a test knows the screen to the letter.

THINK is how many seconds a reply takes, REPLY what it says (else it tells what it heard).
"""

import os
import sys
import time
from collections.abc import Callable, Sequence

from charbot.cli import main
from charbot.errors import CharbotError
from charbot.replies.engine import Reply, Voice
from charbot.replies.memory import Memory
from charbot.replies.ranking import Candidate


class WrittenVoice(Voice):
    """Replies without a model."""

    def load(self, unit: str) -> None:  # type: ignore[override]
        return None

    def replies(
        self, memories: Sequence[Memory], seeds: Sequence[int | None], cancelled: Callable[[], bool] = lambda: False
    ) -> list[Reply]:
        done = time.monotonic() + float(os.environ.get("THINK", "0"))
        while time.monotonic() < done:
            if cancelled():
                raise CharbotError("stopped")
            time.sleep(0.01)
        return [self._answer(memory) for memory in memories]

    def _answer(self, memory: Memory) -> Reply:
        heard = f"I heard {len(memory.turns)}: {memory.turns[-1].text if memory.turns else 'nothing'}"
        text = os.environ.get("REPLY", heard)
        candidates = tuple(Candidate(one, 0.5, -1.0, -2.0, -3.0, 0.25, 0.0) for one in (text, "Something else."))
        return Reply(text, candidates, memory.said(text, self.card.name), 0.042)


if __name__ == "__main__":
    import bots.terminal.chat

    vars(bots.terminal.chat)["Voice"] = WrittenVoice
    sys.exit(main(sys.argv[1:]))
