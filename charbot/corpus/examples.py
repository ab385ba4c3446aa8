"""Training examples: turns of a conversation, and a mask of those that a model is to predict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from charbot.dialogue import Utterance


@dataclass(frozen=True, slots=True)
class Example:
    """Consecutive turns that a model reads from a fresh state."""

    turns: tuple[Utterance, ...]
    loss_mask: tuple[bool, ...]
    """For each turn, whether it is to be predicted."""
    weight: float = 1.0
    """Expected number of readings per epoch; of examples with 0.3, an epoch reads a random 30 %."""


def full_example(turns: Sequence[Utterance], weight: float = 1.0) -> Example:
    """Return a conversation with every turn to be predicted, as bases are trained on."""
    return Example(tuple(turns), (True,) * len(turns), weight)


def response_example(context: Sequence[Utterance], reply: Utterance) -> Example:
    """Return an example in which only the reply is to be predicted, given the context."""
    return Example((*context, reply), (False,) * len(context) + (True,))


def response_examples(scene: Sequence[Utterance], context: int, character: str | None = None) -> Iterator[Example]:
    """Yield a response example, with up to `context` turns before it, for each line of a character (of everybody if None)."""
    for i, utterance in enumerate(scene):
        if character in (None, utterance.speaker):
            yield response_example(scene[max(0, i - context) : i], utterance)


def character_spans(scene: Sequence[Utterance], character: str, context: int) -> Iterator[Example]:
    """Yield the parts of a scene with a character's lines and up to `context` turns before each, as personas are trained on.

    Overlapping contexts are merged, so that each turn is read once.
    """
    wanted = [utterance.speaker == character for utterance in scene]
    kept = [any(wanted[i : i + context + 1]) for i in range(len(scene))]
    start = 0
    while start < len(scene):
        end = start
        while end < len(scene) and kept[end]:
            end += 1
        if end > start:
            yield Example(tuple(scene[start:end]), tuple(wanted[start:end]))
        start = end + 1
