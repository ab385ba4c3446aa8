"""Training examples: turns in order, and which of them a model is to predict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from charbot.dialogue import Utterance


@dataclass(frozen=True, slots=True)
class Example:
    """Turns that are read in one go."""

    turns: tuple[Utterance, ...]
    loss_mask: tuple[bool, ...]
    """For each turn whether it is to be predicted."""
    weight: float = 1.0
    """How often an epoch of a fit reads it: of those that weigh 0.3, three in ten."""


def full_example(turns: Sequence[Utterance], weight: float = 1.0) -> Example:
    """Return a conversation with every turn to be predicted: what a base is fitted to."""
    return Example(tuple(turns), (True,) * len(turns), weight)


def response_example(context: Sequence[Utterance], reply: Utterance) -> Example:
    """Return the turns before a reply, and the reply, which alone is to be predicted."""
    return Example((*context, reply), (False,) * len(context) + (True,))


def response_examples(scene: Sequence[Utterance], context: int, character: str | None = None) -> Iterator[Example]:
    """Yield each line of a character (of everybody, if it is None) in a scene, with up to `context` turns before it."""
    for i, utterance in enumerate(scene):
        if character in (None, utterance.speaker):
            yield response_example(scene[max(0, i - context) : i], utterance)


def character_spans(scene: Sequence[Utterance], character: str, context: int) -> Iterator[Example]:
    """Yield a character's lines with up to `context` turns before each, those that overlap joined: what a persona is
    fitted to. So a turn is read once, however many replies follow it."""
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
