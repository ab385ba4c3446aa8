"""One conversation as every frontend keeps it: a value that can be saved, gone back in, and shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from charbot.dialogue import Utterance, parse_turns, prepare_turns
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply
from charbot.generation.reranking import Candidate

_UNDOABLE = 50
"""Steps that can be taken back, one after the other."""


@dataclass(frozen=True)
class Session:
    """A conversation at one moment: all its turns, which of them are the user's, and what personas remember of them; the
    candidates of the last reply, and how long it took; how many replies were given, those taken back too.

    `past` is the session before each step, the last one last. A step is a message with its reply, or a reply alone.
    """

    turns: tuple[Utterance, ...] = ()
    mine: tuple[bool, ...] = ()
    conversation: Conversation = field(default_factory=Conversation)
    candidates: tuple[Candidate, ...] = ()
    seconds: float = 0.0
    given: int = field(default=0, compare=False)
    past: tuple["Session", ...] = ()

    def add_message(self, text: str, speaker: str | None = None) -> "Session":
        """The session after a message, which begins a step; the same one where it says nothing."""
        turn = prepare_turns([Utterance(speaker, text)])
        if not turn:
            return self
        return replace(
            self.unasked(), turns=self.turns + turn, mine=(*self.mine, True), conversation=self.conversation.extend(turn)
        )

    def unasked(self) -> "Session":
        """The session in which somebody replies though nothing was said, which begins a step."""
        return replace(self, past=(*self.past[1 - _UNDOABLE :], replace(self, past=())))

    def answered(self, reply: Reply) -> "Session":
        """The session after a persona's reply to it."""
        return replace(
            self, turns=(*self.turns, reply.conversation.turns[-1]), mine=(*self.mine, False), conversation=reply.conversation,
            candidates=reply.candidates, seconds=reply.seconds, given=self.given + 1,
        )  # fmt: skip

    def unanswered(self) -> "Session":
        """The session before its last turn, a reply, and still in the step that it belongs to."""
        # No model has read the last turn yet: they read it with the next message.
        conversation = replace(self.conversation, turns=self.conversation.turns[:-1])
        return replace(self, turns=self.turns[:-1], mine=self.mine[:-1], conversation=conversation)

    def with_last(self, text: str) -> "Session":
        """The session with something else as its last turn, a reply."""
        turn, before = Utterance(self.turns[-1].speaker, text), self.unanswered()
        conversation = replace(before.conversation, turns=(*before.conversation.turns, turn))
        return replace(self, turns=(*before.turns, turn), conversation=conversation)

    def undone(self) -> "Session":
        """The session before the last step; the same one where none can be taken back."""
        return replace(self.past[-1], past=self.past[:-1], given=self.given) if self.past else self

    def next_of(self, cast: Sequence[str]) -> str:
        """Whose turn it is to reply: who of the cast comes after the one who replied last."""
        said = zip(reversed(self.turns), reversed(self.mine), strict=True)
        last = next((turn.speaker for turn, mine in said if not mine), None)
        return next((after for name, after in pairwise(cast) if name == last), cast[0])

    def cut(self, turns: int) -> "Session":
        """The session with no more than the last so many turns, and the steps among them."""
        gone = max(0, len(self.turns) - turns)
        past = tuple(one.cut(len(one.turns) - gone) for one in self.past if len(one.turns) >= gone)
        return replace(self, turns=self.turns[gone:], mine=self.mine[gone:], past=past)

    def to_json(self) -> dict[str, Any]:
        """As values that JSON has. What models have read is kept of this moment alone: of the past they read it anew."""
        return {
            "turns": [[turn.speaker, turn.text] for turn in self.turns],
            "mine": self.mine,
            "memory": self.conversation.to_json(),
            "given": self.given,
            "past": [one._moment() for one in self.past],
            **self._reply(),
        }

    def _moment(self) -> dict[str, Any]:
        """As a moment in the past of another session, whose first turns it has, and personas remember the last of them."""
        remembered = min(len(self.conversation.turns), len(self.turns))
        return {"turns": len(self.turns), "remembered": remembered, **self._reply()}

    def _reply(self) -> dict[str, Any]:
        return {"candidates": [one.to_json() for one in self.candidates], "seconds": self.seconds}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Session":
        """Raises ValueError, KeyError, TypeError or AttributeError where `data` is not what `to_json` gave."""
        turns = parse_turns(data["turns"])
        # Sessions were kept without the rest of this once.
        mine = tuple(data.get("mine", [turn.speaker is None for turn in turns]))
        given = data.get("given", mine.count(False))
        if len(mine) != len(turns) or not all(isinstance(one, bool) for one in mine) or type(given) is not int or given < 0:
            raise ValueError("no session has such figures")
        now = cls(turns, mine, Conversation.from_json(data["memory"]), *_reply_of(data), given)
        return replace(now, past=tuple(now._before(one) for one in data.get("past", [])))

    def _before(self, data: Mapping[str, Any]) -> "Session":
        """A moment in the past of the session."""
        count, remembered = data["turns"], data["remembered"]
        if not 0 <= remembered <= count <= len(self.turns):
            raise ValueError("more is past than was said")
        turns = self.turns[:count]
        return Session(turns, self.mine[:count], Conversation(turns[count - remembered :]), *_reply_of(data))


def _reply_of(data: Mapping[str, Any]) -> tuple[tuple[Candidate, ...], float]:
    """The candidates of a reply, and the seconds that it took."""
    candidates = tuple(Candidate.from_json(one) for one in data.get("candidates", []))
    seconds = data.get("seconds", 0.0)
    if not isinstance(seconds, float | int):
        raise TypeError("no reply took so long")
    return candidates, seconds
