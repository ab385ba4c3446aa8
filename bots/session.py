"""The state of a conversation in a frontend: a frozen value that can be saved, restored and undone step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from charbot.dialogue import Utterance, parse_turns, prepare_turns
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply
from charbot.generation.reranking import Candidate

_UNDOABLE = 50
"""The number of steps that can be undone."""


@dataclass(frozen=True)
class Session:
    """A conversation at one moment, with the earlier moments that undoing returns to.

    A step is a message with its reply, a message that has none, or a reply alone.
    """

    turns: tuple[Utterance, ...] = ()
    """All turns, oldest first."""
    from_user: tuple[bool, ...] = ()
    """For each turn, whether it is the user's."""
    conversation: Conversation = field(default_factory=Conversation)
    """The context that personas reply to: the last of the turns, and the state of the models after them."""
    candidates: tuple[Candidate, ...] = ()
    """The candidates of the reply that is the last turn; empty if the last turn is a message."""
    seconds: float = 0.0
    """The time that this reply took."""
    reply_count: int = field(default=0, compare=False)
    """The number of replies so far, including those undone."""
    history: tuple["Session", ...] = ()
    """The session before each step, oldest first."""

    def add_message(self, text: str, speaker: str | None = None) -> "Session":
        """Return the session after a message, which begins a step; the same session if the message is empty."""
        turn = prepare_turns([Utterance(speaker, text)])
        if not turn:
            return self
        return replace(
            self.begin_step(),
            turns=self.turns + turn,
            from_user=(*self.from_user, True),
            conversation=self.conversation.extend(turn),
            candidates=(),
            seconds=0.0,
        )

    def begin_step(self) -> "Session":
        """Return the session at the beginning of a step without a message, in which a persona replies unprompted."""
        return replace(self, history=(*self.history[1 - _UNDOABLE :], replace(self, history=())))

    def add_reply(self, reply: Reply) -> "Session":
        """Return the session after a persona's reply."""
        return replace(
            self,
            turns=(*self.turns, reply.conversation.turns[-1]),
            from_user=(*self.from_user, False),
            conversation=reply.conversation,
            candidates=reply.candidates,
            seconds=reply.seconds,
            reply_count=self.reply_count + 1,
        )

    def drop_last_reply(self) -> "Session":
        """Return the session without its last turn, a reply, but in the same step."""
        # The encoded state stays valid: models read a reply only together with the next message.
        conversation = replace(self.conversation, turns=self.conversation.turns[:-1])
        return replace(self, turns=self.turns[:-1], from_user=self.from_user[:-1], conversation=conversation)

    def replace_last(self, text: str) -> "Session":
        """Return the session with the text of its last turn, a reply, replaced."""
        turn, before = Utterance(self.turns[-1].speaker, text), self.drop_last_reply()
        conversation = replace(before.conversation, turns=(*before.conversation.turns, turn))
        return replace(self, turns=(*before.turns, turn), conversation=conversation)

    def undo(self) -> "Session":
        """Return the session before the last step; the same session if no step can be undone."""
        return replace(self.history[-1], history=self.history[:-1], reply_count=self.reply_count) if self.history else self

    def before_message(self, number: int) -> "Session":
        """Return the session before the user's message with that number, 1 being the last; the same session if there is none."""
        session = self
        while session.history:
            before = session.undo()
            number -= any(session.from_user[len(before.turns) :])
            session = before
            if number == 0:
                return session
        return self

    def next_speaker(self, cast: Sequence[str]) -> str:
        """Return the name of the cast member whose turn it is to reply: the next after the last who replied."""
        spoken = zip(reversed(self.turns), reversed(self.from_user), strict=True)
        last = next((turn.speaker for turn, from_user in spoken if not from_user), None)
        return next((after for name, after in pairwise(cast) if name == last), cast[0])

    def truncated(self, turns: int) -> "Session":
        """Return the session with at most its last `turns` turns, and the steps among them."""
        dropped = max(0, len(self.turns) - turns)
        history = tuple(moment.truncated(len(moment.turns) - dropped) for moment in self.history if len(moment.turns) >= dropped)
        return replace(self, turns=self.turns[dropped:], from_user=self.from_user[dropped:], history=history)

    def to_json(self) -> dict[str, Any]:
        """Return the session as JSON values, without the state of the models for past moments, which they recompute."""
        return {
            "turns": [[turn.speaker, turn.text] for turn in self.turns],
            "mine": self.from_user,
            "memory": self.conversation.to_json(),
            "given": self.reply_count,
            "past": [moment._moment() for moment in self.history],
            **self._reply(),
        }

    def _moment(self) -> dict[str, Any]:
        """Return a past moment as JSON values: the counts of its turns and of those in its conversation, and its reply.

        Counts suffice: its turns are the first of the later session's, and its conversation holds the last of them.
        """
        remembered = min(len(self.conversation.turns), len(self.turns))
        return {"turns": len(self.turns), "remembered": remembered, **self._reply()}

    def _reply(self) -> dict[str, Any]:
        return {"candidates": [candidate.to_json() for candidate in self.candidates], "seconds": self.seconds}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Session":
        """Return the session that `to_json` wrote.

        Raises ValueError, KeyError, TypeError or AttributeError for any other `data`.
        """
        turns = parse_turns(data["turns"])
        # Older files lack these keys.
        from_user = tuple(data.get("mine", [turn.speaker is None for turn in turns]))
        count = data.get("given", from_user.count(False))
        if len(from_user) != len(turns) or not all(isinstance(flag, bool) for flag in from_user):
            raise ValueError("there must be a flag for each turn")
        if type(count) is not int or count < 0:
            raise ValueError("the number of replies must be 0 or more")
        session = cls(turns, from_user, Conversation.from_json(data["memory"]), *_reply_of(data), count)
        return replace(session, history=tuple(session._before(moment) for moment in data.get("past", [])))

    def _before(self, data: Mapping[str, Any]) -> "Session":
        """Return the past moment of this session that `_moment` wrote. Raises ValueError."""
        count, remembered = data["turns"], data["remembered"]
        if not 0 <= remembered <= count <= len(self.turns):
            raise ValueError("a past moment has more turns than the session")
        turns = self.turns[:count]
        return Session(turns, self.from_user[:count], Conversation.of(turns, remembered), *_reply_of(data))


def _reply_of(data: Mapping[str, Any]) -> tuple[tuple[Candidate, ...], float]:
    """Return the candidates of a reply, and the seconds that it took. Raises TypeError."""
    candidates = tuple(Candidate.from_json(candidate) for candidate in data.get("candidates", []))
    seconds = data.get("seconds", 0.0)
    if not isinstance(seconds, float | int):
        raise TypeError("seconds must be a number")
    return candidates, seconds
