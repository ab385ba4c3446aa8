"""Recipe: a popular first tutorial, which predicts the next word of a short story from the three before it.

One example per step, and RMSProp, after R. Atienza, "LSTM by Example using Tensorflow" (2017).
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from charbot.errors import TrainingError
from charbot.storage import read_bounded
from trainer.recipes.plain import PlainLSTM

CONTEXT = 3
UNITS = 512
_RATE = 0.001
_AVERAGED = 1_000
"""Number of latest steps that accuracy and loss are averaged over."""
_BYTES = 1_000_000
"""Maximum bytes of a story."""
_MOST_SYMBOLS = 5_000

REFERENCE = {1: 0.906, 2: 0.952}
"""Published accuracy after 50,000 steps, by number of layers."""


@dataclass(frozen=True)
class Standing:
    """Training results over the last 1,000 steps."""

    step: int
    """Number of steps so far."""
    accuracy: float
    """Share of correct predictions."""
    loss: float
    """Mean loss in nats per word."""


def symbols(text: str) -> list[str]:
    """Return the words of a text, in lower case, and its punctuation marks."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


def read_story(path: Path) -> list[str]:
    """Return the symbols of a file. Raises TrainingError if it is not a short text."""
    try:
        story = symbols(read_bounded(path, _BYTES).decode("utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: cannot be read as text: {error}") from error
    if len(story) <= CONTEXT + 1:
        raise TrainingError(f"{path}: holds {len(story)} words and marks; a story has more than {CONTEXT + 1}")
    if len(set(story)) > _MOST_SYMBOLS:
        raise TrainingError(f"{path}: holds {len(set(story)):,} different words; this recipe is for a short story")
    return story


def fit_next_word(story: list[str], layers: int, steps: int, seed: int = 1) -> Iterator[Standing]:
    """Train on a story, and yield results every 1,000 steps and at the end."""
    torch.manual_seed(seed)
    order = {symbol: i for i, symbol in enumerate(sorted(set(story)))}
    ids = torch.tensor([order[symbol] for symbol in story])
    model = PlainLSTM(len(order), UNITS, layers)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=_RATE, alpha=0.9)
    right: deque[bool] = deque(maxlen=_AVERAGED)
    losses: deque[float] = deque(maxlen=_AVERAGED)
    places = torch.randint(len(ids) - CONTEXT, (steps,)).tolist()
    for step, at in enumerate(places, 1):
        scores, _ = model(ids[at : at + CONTEXT, None])
        wanted = ids[at + CONTEXT]
        loss = nn.functional.cross_entropy(scores[-1, 0], wanted)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        right.append(int(scores[-1, 0].argmax()) == int(wanted))
        losses.append(loss.item())
        if step % _AVERAGED == 0 or step == steps:
            yield Standing(step, sum(right) / len(right), sum(losses) / len(losses))
