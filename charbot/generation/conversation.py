"""What a persona remembers of a conversation: a value that can be kept, copied, saved and gone back to."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from charbot.dialogue import Utterance, parse_turns, prepare_turns

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DTYPES = ("<f4", "<f4", "<i8", "<f2", "<f2", "<f2", "<i4")
_DIMENSIONS = [2, 2, 1, 2, 2, 2, 1]


@dataclass(frozen=True)
class EncodedContext:
    """How far a model has read, in turns, and its state after them: hidden and cell (layers, hidden), places in the
    phrases (3,), the keys and values (N, attention) of the last tokens that its attention sees, and the keys (M, size) and
    ids (M,) that its cache holds."""

    turns: int
    state: "tuple[NDArray[Any], ...]"


@dataclass(frozen=True)
class Conversation:
    """The turns of a conversation, oldest first, and what models have read of them, by the checksums of their fits
    and caches.

    With them the next message costs its own length, and not the conversation's.
    """

    turns: tuple[Utterance, ...] = ()
    encoded: Mapping[str, EncodedContext] = field(default_factory=dict, compare=False)

    def add(self, text: str, speaker: str | None = None) -> "Conversation":
        """The memory after somebody said something; None is somebody who is nobody in the show."""
        return self.extend([Utterance(speaker, text)])

    def extend(self, turns: Sequence[Utterance]) -> "Conversation":
        """The memory after these turns; those that say nothing leave no trace."""
        return replace(self, turns=self.turns + prepare_turns(turns))

    def truncated(self, turns: int) -> "Conversation":
        """No more than twice so many turns: once there are more, only so many, which are then read anew.
        What a turn costs so depends on the bound alone, however long the conversation."""
        return self if len(self.turns) <= 2 * turns else Conversation(self.turns[-turns:])

    def to_json(self) -> dict[str, Any]:
        """As values that JSON has; `from_json` makes the same memory of them, bit for bit."""
        return {
            "turns": [[turn.speaker, turn.text] for turn in self.turns],
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
        """Raises ValueError, KeyError or TypeError where `data` is not what `to_json` gave."""
        import numpy as np

        turns = parse_turns(data["turns"])
        encoded = {}
        for fit, one in data["readings"].items():
            if len(one["state"]) < len(_DTYPES):
                # It was kept before models had caches or attention: its turns are read anew.
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
        return cls(turns, encoded)
