"""A training run: the settings, corpus and output folder that all models trained by one command share."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from filelock import FileLock, Timeout
from rich.console import Console
from torch import nn

from charbot.config import Config, Hyperparameters, UnitSettings
from charbot.corpus.chats import Chat, ChatFiles
from charbot.corpus.examples import Example, full_example
from charbot.corpus.split import Split
from charbot.corpus.table import scenes
from charbot.dialogue import Utterance
from charbot.errors import CorpusError, TrainingError
from charbot.evaluation.likelihood import likelihood
from charbot.generation.engine import Engine
from charbot.generation.sampling import SamplingParams
from charbot.malloc import keep_freed_memory
from charbot.models.language_model import LanguageModel
from charbot.tokens import Tokenizer
from charbot.tokens.vocabulary import Unit
from trainer.checkpoint import Epoch
from trainer.distributed import SINGLE_PROCESS, Distributed
from trainer.loop import Batches, CheckpointPlan, Trainable, Validation, train
from trainer.progress import ConsoleProgress
from trainer.runlog import RunLog
from trainer.stream import BatchStream

MIN_TRAIN_LINES = 20
"""Minimum number of lines to train on: nothing can be learnt from fewer."""

_MIN_STEPS = 100
"""Steps that an epoch should have: with few tokens, batches get smaller, down to four rows."""

HELD_OUT: tuple[Split, ...] = ("valid", "test")

_TEMPERATURES = (0.2, 0.5, 1.0, 1.2)
_GREETING = Utterance(None, "Hey! How are you doing?")
_SAMPLE_TOKENS = {"char": 160, "word": 40}


@dataclass(frozen=True)
class TrainingRun:
    """The settings, corpus and output folder of one command."""

    config: Config
    table: pd.DataFrame
    """The lines of the scripts."""
    pretrain: pd.DataFrame
    """Lines of other shows that only bases are trained on; may be empty."""
    chats: ChatFiles
    """Conversations that bases are trained on; may be empty."""
    voices: ChatFiles
    """Conversations with the personas to train; may be empty."""
    out: Path
    console: Console
    distributed: Distributed = SINGLE_PROCESS

    @property
    def everything(self) -> pd.DataFrame:
        """All script lines of a base, of every split."""
        return pd.concat([self.table, self.pretrain])

    def examples(self) -> Iterator[Example]:
        """Yield the training examples of a base: the scenes of all scripts, then the chats."""
        for show, lines in self.everything.groupby("show", sort=False):
            if weight := self.weight(str(show)):
                yield from (full_example(scene, weight) for scene in scenes(lines, "train"))
        yield from self.chat_examples("train")

    def chat_examples(self, split: Split) -> Iterator[Example]:
        """Yield the chats of one split, except those of weight 0."""
        for chat in self.chats:
            if chat.split == split and (weight := self.chat_weight(chat)):
                yield full_example(chat.turns, weight)

    def chat_weight(self, chat: Chat) -> float:
        """Return how often an epoch reads a chat."""
        return self.weight(chat.source, chat.collection)

    def weight(self, *names: str) -> float:
        """Return how often an epoch reads a source: the weight of the first of its `names` in the settings, or 1."""
        return next((self.config.train.weights[name] for name in names if name in self.config.train.weights), 1.0)

    def unit_settings(self, unit: Unit) -> UnitSettings:
        return self.config.train.char if unit == "char" else self.config.train.word

    def with_batch_for(self, settings: Hyperparameters, tokens: int) -> Hyperparameters:
        """Return the settings with a batch size that suits the number of tokens and processes: see _MIN_STEPS."""
        batch = max(4, min(settings.batch, tokens // (_MIN_STEPS * settings.window)))
        return replace(settings, batch=-(-batch // self.distributed.size) * self.distributed.size)

    def data(self, table: pd.DataFrame) -> dict[str, Any]:
        """Return the data summary of a bundle: only counts, never text."""
        return {
            "lines": {str(k): int(v) for k, v in table.groupby(["show"]).size().items()},
            "splits": {str(k): int(v) for k, v in table["split"].value_counts().items()},
            "split_seed": self.config.corpus.split_seed,
        }

    def train(
        self,
        name: str,
        title: str,
        module: nn.Module,
        model: Trainable,
        streams: Sequence[Batches],
        settings: Hyperparameters,
        validate: Callable[[], Validation],
        identity: Mapping[str, Any],
    ) -> "TrainingResult":
        """Train `model` with checkpoints, a log and a progress display.

        `identity` must contain everything that affects training under this `name`: a checkpoint with another one is refused.
        """
        precision = self.config.train.precision
        bf16 = None if precision == "auto" else precision == "bf16"
        folder = self.out / "runs" / name
        fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        plan = CheckpointPlan(folder / "checkpoint.safetensors", self.config.train.checkpoint_minutes, fingerprint)
        facts = {"steps": sum(stream.steps for stream in streams), "parameters": sum(p.numel() for p in module.parameters())}
        log = RunLog(folder, title, facts)
        module.to(self.distributed.device)
        with _alone(folder) if self.distributed.is_main else nullcontext(), ConsoleProgress(title, self.console) as progress:
            history = train(
                module, model, streams, settings, validate=validate, callbacks=[log, progress], checkpoint=plan, bf16=bf16,
                distributed=self.distributed,
            )  # fmt: skip
        return TrainingResult(plan.path, log, tuple(history))


@dataclass(frozen=True)
class TrainingResult:
    """A completed training run of one model."""

    checkpoint: Path
    """Kept until the bundle is written: see `close`."""
    log: RunLog
    history: tuple[Epoch, ...]

    def close(self, scores: Mapping[str, float], console: Console) -> None:
        """Write the scores into the report, print its path, and delete the checkpoint."""
        console.print(f"report: {self.log.finish(scores)}", highlight=False, soft_wrap=True)
        self.checkpoint.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lock `folder`. Raises TrainingError if another process trains there, or it cannot be written."""
    lock = FileLock(folder / "lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise TrainingError(f"{folder}: another charbot is at this training run; wait for it, or choose another --out") from error
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def prepare_run(
    config: Config,
    table: pd.DataFrame,
    out: Path,
    console: Console,
    pretrain: pd.DataFrame | None = None,
    chats: ChatFiles | None = None,
    voices: ChatFiles | None = None,
    distributed: Distributed = SINGLE_PROCESS,
) -> TrainingRun:
    """Configure torch for training and return the training run. Raises CorpusError if there are too few lines."""
    lines = int((table["split"] == "train").sum())
    if lines < MIN_TRAIN_LINES:
        raise CorpusError(
            f"only {lines} lines to train on (the rest is kept for validation and test); at least {MIN_TRAIN_LINES} are needed"
        )
    keep_freed_memory()
    torch.set_flush_denormal(True)
    if config.train.threads:
        torch.set_num_threads(config.train.threads)
    return TrainingRun(
        config,
        table,
        table.iloc[:0] if pretrain is None else pretrain,
        chats or ChatFiles((), config.corpus),
        voices or ChatFiles((), config.corpus),
        out,
        console,
        distributed,
    )


def on_processor(model: LanguageModel) -> LanguageModel:
    """Return the model on the CPU: itself, or a copy if it is elsewhere."""
    return model if model.bias.device.type == "cpu" else deepcopy(model).cpu()


def stream_of(
    tokenizer: Tokenizer, conversations: Iterable[Example], settings: Hyperparameters, keep: str | None = None
) -> BatchStream:
    """Return a stream of conversations with the batch size, window, anonymity and seed of `settings`."""
    return BatchStream(
        tokenizer, conversations, batch=settings.batch, window=settings.window, anonymous=settings.anonymous,
        seed=settings.seed, keep=keep,
    )  # fmt: skip


def held_out_scores(
    model: LanguageModel, tokenizer: Tokenizer, held_out: Mapping[Split, Sequence[Example]], prefix: str = ""
) -> dict[str, float]:
    """Return the bits per character on each split that has any text, under the keys of a bundle's scores."""
    found = {split: likelihood(model, tokenizer, chosen) for split, chosen in held_out.items() if chosen}
    return {f"{prefix}{split}_bits_per_character": round(one.bits_per_character, 5) for split, one in found.items()}


def validate_model(model: LanguageModel, tokenizer: Tokenizer, valid: Sequence[Example], speaker: str | None) -> Validation:
    """Return the bits per character on the validation split, and replies of `speaker` to a greeting."""
    model = on_processor(model)
    bits = likelihood(model, tokenizer, valid).bits_per_character
    engine = Engine("", model, tokenizer)
    prompts = engine.begin_turn(engine.prefill([([_GREETING], None)]), speaker)
    said = {}
    for temperature in _TEMPERATURES:
        longest = _SAMPLE_TOKENS[tokenizer.vocabulary.unit]
        sampling = SamplingParams(1, temperature, 1.0, longest, opening=longest)
        (replies,) = engine.generate(prompts, sampling, [torch.Generator().manual_seed(1)])
        said[str(temperature)] = next(iter(replies))
    return Validation(bits, said)
