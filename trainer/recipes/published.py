"""Recipe: two models that tutorials published on these scripts, and ours, trained on the same lines for the same time.

Words: 1,024 units, a context of 20 words, Adam, and a closed vocabulary of the words seen more than ten times; published on
Friends, 3,567 words, training loss 1.02 nats per word after 73 epochs.
Characters: 1,024 units, windows of 50, plain gradient descent at 0.01; published on South Park.
Not published, but chosen here: batches of 64, and Adam at its usual 0.001.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from pathlib import Path

import torch
from torch import Tensor, nn

from charbot.corpus.examples import full_example
from charbot.corpus.table import scenes
from charbot.errors import CorpusError
from charbot.evaluation.likelihood import likelihood
from charbot.evaluation.perplexity import closed_perplexity, closed_vocabulary
from charbot.models.language_model import LanguageModel
from charbot.tokens.pieces import lower_pieces
from charbot.tokens.vocabulary import Unit
from charbot.tokens.word import WordTokenizer
from trainer.base import base_tokenizer, new_base
from trainer.checkpoint import Epoch
from trainer.loop import CheckpointPlan, bf16_pays, train
from trainer.progress import ConsoleProgress
from trainer.recipes.plain import PlainLSTM, window_loss
from trainer.run import TrainingRun, stream_of, validate_model
from trainer.stream import FirstBatches

_BATCH = 64
_CLIP = 5.0
_MIN_COUNT = 11
_UNKNOWN = "<unknown>"
_END = "\n"
_WARM_UP_STEPS = 12
_SAMPLED = {"word": 40, "char": 200}


@dataclass(frozen=True)
class Published:
    """A tutorial's model."""

    unit: Unit
    units: int
    """Size of the LSTM."""
    window: int
    facts: str
    """The published results."""


PUBLISHED = {
    "words": Published("word", 1_024, 20, "training loss 1.02 nats a word after 73 epochs on Friends, with 3,567 words"),
    "characters": Published("char", 1_024, 50, "samples on South Park, no figure"),
}


@dataclass(frozen=True)
class Outcome:
    """The results of a model after its training time."""

    whose: str
    """`theirs` or `ours`."""
    epochs: float
    """Number of epochs read."""
    loss: float
    """Mean training loss of the last epoch, in nats per token."""
    score: float
    """On held-out lines: perplexity per word over the closed vocabulary (words), or bits per character (characters)."""
    sample: str


def compare_published(run: TrainingRun, published: Published, minutes: float) -> Iterator[Outcome]:
    """Train the published model, then ours, each for `minutes`; yield their results. Raises CorpusError or TrainingError."""
    lines = {split: list(run.table.loc[run.table["split"] == split, "text"]) for split in ("train", "test")}
    if not lines["test"]:
        raise CorpusError("no episode of these scripts falls into the test split (`corpus.test`)")
    known = closed_vocabulary(lines["train"], _MIN_COUNT) if published.unit == "word" else frozenset().union(*lines["train"])
    yield _train_theirs(published, known, lines["train"], lines["test"], minutes)
    yield _train_ours(run, published, known, minutes)


def _symbols(unit: Unit, text: str) -> list[str]:
    return [*(text if unit == "char" else lower_pieces(text)), _END]


def _train_theirs(
    published: Published, known: frozenset[str], train: Sequence[str], test: Sequence[str], minutes: float
) -> Outcome:
    unit = published.unit
    order = {symbol: i for i, symbol in enumerate([_UNKNOWN, _END, *sorted(known)])}
    ids, held_out = (torch.tensor([order.get(s, 0) for text in texts for s in _symbols(unit, text)]) for texts in (train, test))
    torch.manual_seed(1)
    model = PlainLSTM(len(order), published.units)
    optimizer: torch.optim.Optimizer = (
        torch.optim.Adam(model.parameters(), lr=0.001) if unit == "word" else torch.optim.SGD(model.parameters(), lr=0.01)
    )
    end = time.monotonic() + 60 * minutes
    epochs, losses = 0.0, [log(len(order))]
    while time.monotonic() < end:
        windows = ids[int(torch.randint(published.window, ())) :].unfold(0, published.window + 1, published.window)
        batches = torch.split(torch.randperm(len(windows)), _BATCH)
        losses = []
        for chosen in batches:
            loss = window_loss(model, windows[chosen])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
            optimizer.step()
            losses.append(loss.item())
            epochs += 1 / len(batches)
            if time.monotonic() >= end:
                break
    nats = _held_out_nats(model, held_out, published.window)
    length = len(held_out) if unit == "word" else sum(len(text) + 1 for text in test)
    names = list(order)
    written = model.sample(torch.tensor([order[_END]]), _SAMPLED[unit], 1.0, torch.Generator().manual_seed(1))
    return Outcome(
        "theirs", epochs, sum(losses) / len(losses),
        exp(nats / length) if unit == "word" else nats / length / log(2),
        (" " if unit == "word" else "").join(names[i] for i in written),
    )  # fmt: skip


@torch.inference_mode()
def _held_out_nats(model: PlainLSTM, ids: Tensor, window: int) -> float:
    """Return -ln P of ids (N,), each given at least the half window of ids before it."""
    half = window // 2
    padded = torch.cat([ids.new_ones(half + 1), ids, ids.new_full((-len(ids) % half,), -100)])
    total = 0.0
    for some in torch.split(padded.unfold(0, 2 * half + 1, half), 256):
        scores, _ = model(some[:, :-1].T.clamp(min=0))
        total += float(nn.functional.cross_entropy(scores[half:].flatten(0, 1), some[:, half + 1 :].T.flatten(), reduction="sum"))
    return total


def _train_ours(run: TrainingRun, published: Published, known: frozenset[str], minutes: float) -> Outcome:
    unit = published.unit
    settings = run.unit_settings(unit)
    tokenizer = base_tokenizer(run, unit)
    stream = stream_of(tokenizer, [full_example(scene) for scene in scenes(run.table, "train")], settings.base)
    valid, held_out = ([full_example(scene) for scene in scenes(run.table, split)] for split in ("valid", "test"))
    speaker = next(iter(tokenizer.vocabulary.speakers), None)
    bf16 = bf16_pays(torch.device("cpu"))

    def trained(steps: int, title: str, measured: bool) -> tuple[LanguageModel, Epoch]:
        full, rest = divmod(steps, stream.steps)
        # A text that is read fewer times needs less dropout.
        share = min(1.0, steps / stream.steps / settings.base.epochs)
        base = replace(settings.base, dropout=settings.base.dropout * share)
        model = new_base(tokenizer, settings.model, base, stream.rendered)
        windows = [stream] * full + ([FirstBatches(stream, rest)] if rest else [])
        with tempfile.TemporaryDirectory() as folder, ConsoleProgress(title, run.console) as progress:
            history = train(
                model, model, windows, replace(base, patience=len(windows) + 1), bf16=bf16, callbacks=[progress],
                validate=lambda: validate_model(model, tokenizer, valid if measured else [], speaker),
                checkpoint=CheckpointPlan(Path(folder) / "checkpoint.safetensors", 1e6, published.facts),
            )  # fmt: skip
        return model, history[-1]

    _, first = trained(_WARM_UP_STEPS, "how fast this machine is", measured=False)
    steps = max(1, int(60 * minutes / first.seconds * _WARM_UP_STEPS))
    model, last = trained(steps, f"{unit} base", measured=True)
    if unit == "word":
        score = closed_perplexity(model, WordTokenizer(tokenizer.vocabulary), held_out, known)["word_perplexity"]
    else:
        score = likelihood(model, tokenizer, held_out).bits_per_character
    return Outcome("ours", steps / stream.steps, last.loss, score, last.samples["1.0"])
