"""Similarity in meaning of messages to the openings of written conversations, by the message encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from charbot.generation.engine import Engine
    from charbot.generation.openings import Openings

_OWN = 0.9
"""Weight of the similarity to an opening alone, relative to that to the mean of its paraphrases."""


@dataclass(frozen=True)
class MeaningIndex:
    """The encodings of N openings."""

    groups: "Tensor"
    """(N, size): the means of each opening and its paraphrases, of length 1."""
    messages: "Tensor"
    """(N, size): those of the openings alone."""

    @classmethod
    def of(cls, engine: "Engine", openings: "Openings") -> "MeaningIndex | None":
        """Encode openings; return None without a message encoder or openings."""
        groups, messages = engine.encode_groups(openings.groups), engine.encode_messages(openings.messages)
        return None if groups is None or messages is None else cls(groups, messages)

    def similar(self, engine: "Engine", messages: Sequence[str]) -> list["NDArray[Any] | None"]:
        """Return the similarity of each message to each opening; None for a message without known words."""
        encoded = engine.encode_messages(messages)
        if encoded is None:
            return []
        similar = (encoded @ self.groups.t()).maximum(_OWN * encoded @ self.messages.t())
        return [near.numpy() if one.any() else None for one, near in zip(encoded, similar, strict=True)]
