"""One conversation as every frontend keeps it: a value that can be saved, gone back in, and shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from charbot.corpus.conversation import Utterance, heard
from charbot.replies.engine import Reply
from charbot.replies.memory import Memory

_UNDOABLE = 50
"""Messages that can be taken back, one after the other."""


@dataclass(frozen=True)
class _Point:
    """Where a conversation stood before a message."""

    memory: Memory
    turns: int


@dataclass(frozen=True)
class Session:
    """All turns of a conversation, what personas remember of them, and where it stood before each message."""

    turns: tuple[Utterance, ...] = ()
    memory: Memory = field(default_factory=Memory)
    past: tuple[_Point, ...] = ()

    def said(self, text: str, speaker: str | None = None) -> "Session":
        """The session after a message; the same one where it says nothing."""
        turn = heard([Utterance(speaker, text)])
        if not turn:
            return self
        past = (*self.past[1 - _UNDOABLE :], _Point(self.memory, len(self.turns)))
        return Session(self.turns + turn, self.memory.heard(turn), past)

    def answered(self, reply: Reply) -> "Session":
        """The session after a persona's reply to it."""
        return replace(self, turns=(*self.turns, reply.memory.turns[-1]), memory=reply.memory)

    def with_last(self, text: str) -> "Session":
        """The session with something else as its last turn."""
        turn = Utterance(self.turns[-1].speaker, text)
        # No model has read the last turn yet: they read it with the next message.
        memory = replace(self.memory, turns=(*self.memory.turns[:-1], turn))
        return replace(self, turns=(*self.turns[:-1], turn), memory=memory)

    def undone(self) -> "Session":
        """The session before the last message; the same one where none can be taken back."""
        if not self.past:
            return self
        point = self.past[-1]
        return Session(self.turns[: point.turns], point.memory, self.past[:-1])

    def cut(self, turns: int) -> "Session":
        """The session with no more than the last so many turns."""
        return Session(self.turns[-turns:], self.memory)

    def to_json(self) -> dict[str, Any]:
        """As values that JSON has. Nothing can be taken back in what `from_json` makes of them."""
        return {"turns": [[turn.speaker, turn.text] for turn in self.turns], "memory": self.memory.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Session":
        """Raises ValueError, KeyError or TypeError where `data` is not what `to_json` gave."""
        return cls(tuple(Utterance(speaker, text) for speaker, text in data["turns"]), Memory.from_json(data["memory"]))
