"""A conversation as an immutable value, with the model states that make continuing it cheap."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from charbot.dialogue import Utterance, parse_turns, prepare_turns

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DTYPES = ("<f4", "<f4", "<i8", "<f2", "<f2", "<f2", "<i4")
_DIMENSIONS = [2, 2, 1, 2, 2, 2, 1]

MAX_EARLIER = 60
"""Maximum number of turns that are kept though models no longer read them."""

_MODELS = 4
"""Models whose states a conversation keeps, at most: as many as talk in a scene."""


@dataclass(frozen=True)
class EncodedContext:
    """A model's state after reading the first turns of a conversation."""

    turns: int
    """How many turns the model has read."""
    state: "tuple[NDArray[Any], ...]"
    """Hidden and cell state (layers, hidden), trie state of the n-gram embedding (3,), attention keys and values
    (N, attention) of the last tokens, neural cache keys (M, size) and ids (M,)."""


@dataclass(frozen=True)
class Conversation:
    """The turns of a conversation, oldest first, with the states of the models that have read them.

    Thanks to the states, the cost of a reply depends on the length of the new turns, not of the whole conversation.
    """

    turns: tuple[Utterance, ...] = ()
    """Those that models read."""
    encoded: Mapping[str, EncodedContext] = field(default_factory=dict, compare=False)
    """Model states by `Engine.id`."""
    earlier: tuple[Utterance, ...] = ()
    """Turns before `turns`, in which what the user told is still found."""

    @classmethod
    def of(cls, turns: Sequence[Utterance], read: int) -> "Conversation":
        """Return a conversation of which models read the last `read` turns."""
        first = max(0, len(turns) - read)
        return cls(tuple(turns[first:]), earlier=tuple(turns[max(0, first - MAX_EARLIER) : first]))

    def add(self, text: str, speaker: str | None = None) -> "Conversation":
        """Return the conversation with one more turn; `speaker` is None for somebody who is not in the show."""
        return self.extend([Utterance(speaker, text)])

    def extend(self, turns: Sequence[Utterance]) -> "Conversation":
        """Return the conversation with more turns, normalised; empty ones are dropped."""
        return replace(self, turns=self.turns + prepare_turns(turns))

    def with_state(self, model: str, state: EncodedContext) -> "Conversation":
        """Return the conversation with the state of a model, given by its `Engine.id`.

        The states of the _MODELS models that have read it last are kept: each takes about 100 KB.
        """
        others = [item for item in self.encoded.items() if item[0] != model]
        return replace(self, encoded=dict([*others, (model, state)][-_MODELS:]))

    def truncated(self, turns: int) -> "Conversation":
        """Return the conversation with the last `turns` turns for models to read, without states, once they would read more than
        twice as many; else the conversation.

        Truncation is rare, because the remaining turns have to be encoded again.
        """
        return self if len(self.turns) <= 2 * turns else Conversation.of(self.earlier + self.turns, turns)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-serialisable data, from which `from_json` restores the conversation exactly."""
        return {
            "turns": [[turn.speaker, turn.text] for turn in self.turns],
            "earlier": [[turn.speaker, turn.text] for turn in self.earlier],
            "readings": {
                fit: {
                    "turns": one.turns,
                    "state": [
                        [list(part.shape), base64.b64encode(part.astype(dtype).tobytes()).decode()]
                        for part, dtype in zip(one.state, _DTYPES, strict=True)
                    ],
                }
                for fit, one in self.encoded.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Conversation":
        """Return the conversation that `to_json` saved. Raises ValueError, KeyError or TypeError if `data` is malformed."""
        import numpy as np

        turns = parse_turns(data["turns"])
        encoded = {}
        for fit, one in data["readings"].items():
            if len(one["state"]) < len(_DTYPES):
                # Saved before models had caches or attention: its turns have to be encoded again.
                continue
            state = tuple(
                np.frombuffer(base64.b64decode(part, validate=True), dtype).reshape(shape).copy()
                for (shape, part), dtype in zip(one["state"], _DTYPES, strict=True)
            )
            if type(one["turns"]) is not int or not 0 <= one["turns"] <= len(turns):
                raise ValueError("more is read than was said")
            if [part.ndim for part in state] != _DIMENSIONS or len(state[-2]) != len(state[-1]):
                raise ValueError("no model has such a state")
            encoded[str(fit)] = EncodedContext(one["turns"], state)
        return cls(turns, encoded, parse_turns(data.get("earlier", [])))
