"""What every fit of one command shares: settings, corpus, and the place where it leaves things."""

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

from charbot.config import Config, FitSettings, UnitSettings
from charbot.corpus.chats import Chat, ChatFiles
from charbot.corpus.examples import Example, full_example
from charbot.corpus.split import Split
from charbot.corpus.table import scenes
from charbot.dialogue import Utterance
from charbot.errors import CorpusError, TrainingError
from charbot.evaluation.likelihood import likelihood
from charbot.generation.engine import Engine
from charbot.generation.sampling import SamplingParams
from charbot.models.language_model import LanguageModel
from charbot.tokens import Tokenizer
from charbot.tokens.vocabulary import Unit
from trainer.checkpoint import Epoch
from trainer.distributed import SINGLE_PROCESS, Distributed
from trainer.loop import Batches, CheckpointPlan, Trainable, Validation, bf16_pays, train
from trainer.malloc import keep_freed_memory
from trainer.progress import ConsoleProgress
from trainer.runlog import RunLog
from trainer.stream import BatchStream

MIN_TRAIN_LINES = 20
"""A corpus with fewer lines to train on is refused: nothing would be learnt from it."""

_MIN_STEPS = 100
"""Steps that an epoch has at least, however few lines there are, down to four tracks."""

HELD_OUT: tuple[Split, ...] = ("valid", "test")

_TEMPERATURES = (0.2, 0.5, 1.0, 1.2)
_GREETING = Utterance(None, "Hey! How are you doing?")
_SAMPLE_TOKENS = {"char": 160, "word": 40}


@dataclass(frozen=True)
class TrainingRun:
    """Where fits are made. `pretrain` holds lines of other shows that a base reads too, `chats` conversations, and `voices`
    conversations with the personas to fit; any of them may be empty."""

    config: Config
    table: pd.DataFrame
    pretrain: pd.DataFrame
    chats: ChatFiles
    voices: ChatFiles
    out: Path
    console: Console
    distributed: Distributed = SINGLE_PROCESS

    @property
    def everything(self) -> pd.DataFrame:
        """All lines that a base reads."""
        return pd.concat([self.table, self.pretrain])

    def examples(self) -> Iterator[Example]:
        """What a base reads, one conversation after the other: the scenes of all scripts, and the chats."""
        for show, lines in self.everything.groupby("show", sort=False):
            if weight := self.weight(str(show)):
                yield from (full_example(scene, weight) for scene in scenes(lines, "train"))
        yield from self.chat_examples("train")

    def chat_examples(self, split: Split) -> Iterator[Example]:
        """The chats of one split."""
        for chat in self.chats:
            if chat.split == split and (weight := self.chat_weight(chat)):
                yield full_example(chat.turns, weight)

    def chat_weight(self, chat: Chat) -> float:
        """How often an epoch reads a chat."""
        return self.weight(chat.source, chat.collection)

    def weight(self, *names: str) -> float:
        """How often an epoch reads a source of one of these names, the first that the settings list."""
        return next((self.config.train.weights[name] for name in names if name in self.config.train.weights), 1.0)

    def unit_settings(self, unit: Unit) -> UnitSettings:
        return self.config.train.char if unit == "char" else self.config.train.word

    def with_batch_for(self, settings: FitSettings, tokens: int) -> FitSettings:
        """The settings with fewer tracks where there are few tokens: few lines in many tracks would make few steps."""
        batch = max(4, min(settings.batch, tokens // (_MIN_STEPS * settings.window)))
        return replace(settings, batch=-(-batch // self.distributed.size) * self.distributed.size)

    def data(self, table: pd.DataFrame) -> dict[str, Any]:
        """What a bundle says of its data: counts alone, never words."""
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
        settings: FitSettings,
        validate: Callable[[], Validation],
        identity: Mapping[str, Any],
    ) -> "TrainingResult":
        """Fits `model`, watched and logged. Whatever changes what the fit called `name` would do belongs to its `identity`."""
        precision = self.config.train.precision
        bf16 = bool(
            self.distributed.broadcast(bf16_pays(self.distributed.device) if precision == "auto" else precision == "bf16")
        )
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
    """A fit that is done: its checkpoint, kept until what it gave is safe, its log and its epochs."""

    checkpoint: Path
    log: RunLog
    history: tuple[Epoch, ...]

    def close(self, scores: Mapping[str, float], console: Console) -> None:
        """Tells where the report is; the checkpoint goes."""
        console.print(f"report: {self.log.finish(scores)}", highlight=False, soft_wrap=True)
        self.checkpoint.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / "lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise TrainingError(f"{folder}: another charbot is at this fit; wait for it, or choose another --out") from error
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
    """Sets torch up for training, and checks that there is something to train on. Raises CorpusError."""
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
    """The model where people will use it: a copy, if it is not there."""
    return model if model.bias.device.type == "cpu" else deepcopy(model).cpu()


def stream_of(
    tokenizer: Tokenizer, conversations: Iterable[Example], settings: FitSettings, keep: str | None = None
) -> BatchStream:
    return BatchStream(
        tokenizer, conversations, batch=settings.batch, window=settings.window, anonymous=settings.anonymous,
        seed=settings.seed, keep=keep,
    )  # fmt: skip


def held_out_scores(
    model: LanguageModel, tokenizer: Tokenizer, held_out: Mapping[Split, Sequence[Example]], prefix: str = ""
) -> dict[str, float]:
    """Bits a character on each split that has any text."""
    found = {split: likelihood(model, tokenizer, chosen) for split, chosen in held_out.items() if chosen}
    return {f"{prefix}{split}_bits_per_character": round(one.bits_per_character, 5) for split, one in found.items()}


def validate_model(model: LanguageModel, tokenizer: Tokenizer, valid: Sequence[Example], speaker: str | None) -> Validation:
    """How a model does on the validation split, and what `speaker` answers to a greeting."""
    model = on_processor(model)
    bits = likelihood(model, tokenizer, valid).bits_per_character
    engine = Engine("", model, tokenizer)
    prompts = engine.begin_turn(engine.prefill([([_GREETING], None)]), speaker)
    said = {}
    for temperature in _TEMPERATURES:
        longest = _SAMPLE_TOKENS[tokenizer.vocabulary.unit]
        sampling = SamplingParams(1, temperature, 1.0, longest, opening=longest)
        ((said[str(temperature)],),) = engine.generate(prompts, sampling, [torch.Generator().manual_seed(1)])
    return Validation(bits, said)
