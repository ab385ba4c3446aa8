"""Settings: `config.yaml` read into frozen dataclasses. Errors name the key and the file."""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from charbot.errors import ConfigError
from charbot.yamlfile import read_yaml, shown

SEEDS = 2**63
"""Number of seeds of replies, from 0."""

_hints = functools.cache(typing.get_type_hints)
"""Cached: a server makes settings for each request."""


def _number(default: float | int | None, low: float, high: float) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


def _checked(value: Any, hint: Any, limits: Mapping[str, Any], where: str) -> Any:
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        (hint,) = (arg for arg in typing.get_args(hint) if arg is not type(None))
    if typing.get_origin(hint) is tuple:
        kind = typing.get_args(hint)[0]
        if not isinstance(value, list | tuple) or not all(type(item) is kind for item in value):
            items = "texts: [this, that]" if kind is str else "whole numbers: [1, 2]"
            raise ConfigError(f"{where} is {shown(value)}; it must be a list of {items}")
        return tuple(value)
    if typing.get_origin(hint) is dict:
        kind = typing.get_args(hint)[1]
        if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
            raise ConfigError(f"{where} is {shown(value)}; it must be values by name: {{name: value}}")
        return {name: _checked(one, kind, limits, f"{where}, {name}") for name, one in value.items()}
    if typing.get_origin(hint) is Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            raise ConfigError(f"{where} is {shown(value)}; allowed: {', '.join(choices)}")
        return value
    number = hint is float and type(value) is int
    if type(value) is not hint and not number:
        hint_text = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}[hint]
        raise ConfigError(f"{where} is {shown(value)}; it must be {hint_text}")
    if limits and not limits["low"] <= value <= limits["high"]:
        low, high = (f"{limits[end]:g}" if hint is float else limits[end] for end in ("low", "high"))
        raise ConfigError(f"{where} is {shown(value)}; allowed: {low} to {high}")
    return float(value) if number else value


@dataclass(frozen=True)
class ChatSettings:
    """How a persona replies. Raises ConfigError where a value is of the wrong type or out of range, as in config.yaml."""

    persona: str | None = None
    """The persona to start with; None asks."""
    unit: Literal["word", "char"] = "word"
    """The model that generates."""
    temperature: float = _number(1.0, 0.05, 2.0)
    top_p: float = _number(0.92, 0.05, 1.0)
    candidates: int = _number(16, 1, 64)
    """Replies that the LSTM generates to choose from, where no written answer fits."""
    context_turns: int = _number(6, 1, 50)
    """Minimum number of earlier turns that the model reads (see `Conversation.truncated`)."""
    max_words: int = _number(40, 3, 200)
    """Maximum words of a generated reply; written ones are given as they are."""
    clean: bool = False
    """Whether replies are kept free of profanity, slurs, sexual talk and judgements of groups of people."""
    unclean_words: tuple[str, ...] = ()
    """Words that count as profanity, in addition to the built-in list."""
    crisis_note: str | None = None
    """What is answered to messages about suicide, abuse or violence (see `crisis_note`); None is charbot's own note."""
    seed: int | None = _number(None, 0, SEEDS - 1)
    """Makes replies reproducible; None is a random seed each time."""

    def __post_init__(self) -> None:
        hints = _hints(ChatSettings)
        for one in dataclasses.fields(self):
            value = getattr(self, one.name)
            # The only way to set a field of a frozen dataclass: a list becomes a tuple, and a whole number a float.
            object.__setattr__(self, one.name, _checked(value, hints[one.name], one.metadata, f"`{one.name}`"))


DEFAULT_OPTIONS = ChatSettings()


@dataclass(frozen=True)
class TerminalSettings:
    """How the terminal shows and reads text."""

    stream: bool = True
    """Whether replies appear bit by bit."""
    theme: Literal["terminal", "dark", "light"] = "terminal"
    """The terminal's own colours, or ones for a dark or light background."""
    keys: Literal["emacs", "vi"] = "emacs"
    """Key bindings of the input line."""


@dataclass(frozen=True)
class DiscordSettings:
    """How the Discord bot works. The other settings are made per server and channel."""

    database: str | None = None
    """SQLAlchemy URL; None is a file in the user's data folder."""
    persona: str = "chandler"
    """The persona where a server has not chosen one."""
    message_content: bool = False
    """Whether the bot requests the privileged message content intent."""
    cooldown: float = _number(2.0, 0.0, 3600.0)
    """Minimum seconds between two messages of one person; servers can set longer ones only."""
    max_temperature: float = _number(2.0, 0.05, 2.0)
    """Maximum temperature that servers can set."""
    direct_messages: bool = True
    """Whether direct messages are answered."""
    operators: tuple[int, ...] = ()
    """Ids of the users who may use /operator."""
    blocked: tuple[int, ...] = ()
    """Ids of users and servers that are not answered."""
    waiting: int = _number(3, 1, 100)
    """Maximum messages per channel that wait for a reply."""
    memory_days: float = _number(7.0, 0.01, 3650.0)
    """Days without a message after which a conversation is forgotten."""
    metrics_port: int | None = _number(None, 1, 65535)
    """Port of /metrics (Prometheus) and /health; None serves neither."""
    metrics_host: str = "127.0.0.1"
    """Address at which they are served; the default is for this machine alone."""
    avatars: dict[str, str] = field(default_factory=dict)
    """Picture URLs by persona."""


@dataclass(frozen=True)
class CorpusSettings:
    """How scripts become a corpus."""

    valid: float = _number(0.04, 0.0, 0.4)
    """Share of the episodes in the validation split."""
    test: float = _number(0.05, 0.0, 0.4)
    """Share of the episodes in the test split."""
    split_seed: int = _number(10, 0, 2**31)
    speaker_lines: int = _number(60, 1, 10**6)
    """Minimum training lines for a speaker to get a token."""
    min_characters: int = _number(20, 1, 10**6)
    """Minimum count of a character in the vocabulary; others are spelled in bytes."""
    min_words: int = _number(3, 1, 10**6)
    """Minimum count of a word in the vocabulary; others are spelled in characters."""


@dataclass(frozen=True)
class ModelSettings:
    """The size of a base."""

    embedding: int = _number(128, 4, 4096)
    hidden: int = _number(768, 4, 8192)
    layers: int = _number(1, 1, 8)
    phrases: int = _number(0, 0, 10**6)
    """Entries of the n-gram embedding; 0 omits it."""
    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    cache: int = _number(64, 0, 4096)
    """Size of the neural cache's keys; 0 omits it."""
    selector: int = _number(0, 0, 4096)
    """Output size of the response selector's encoders; 0 omits it."""
    attention: int = _number(0, 0, 4096)
    """Size of the attention, a multiple of 4; 0 omits it."""


@dataclass(frozen=True)
class Hyperparameters:
    """How a model is trained."""

    epochs: int = _number(4, 1, 1000)
    batch: int = _number(32, 1, 4096)
    window: int = _number(64, 1, 4096)
    """Tokens of truncated backpropagation through time."""
    learning_rate: float = _number(2e-3, 1e-6, 1.0)
    table_rate: float = _number(0.02, 1e-6, 1.0)
    """Learning rate of the embeddings, which Adagrad trains."""
    warmup_steps: int = _number(200, 0, 10**6)
    clip: float = _number(1.0, 1e-3, 1e3)
    """Maximum norm of the gradients."""
    dropout: float = _number(0.1, 0.0, 0.9)
    weight_decay: float = _number(0.0, 0.0, 1.0)
    anonymous: float = _number(0.2, 0.0, 1.0)
    """Probability that a speaker is replaced by the anonymous one, per conversation."""
    sample: int = _number(2000, 0, 10**6)
    """Words sampled per step for the softmax, in addition to the frequent ones; 0 computes the full softmax."""
    patience: int = _number(2, 1, 10**6)
    """Epochs without improvement on the validation split before training stops."""
    seed: int = _number(1, 0, 2**31)


@dataclass(frozen=True)
class UnitSettings:
    """The size of a unit's base, and how the base and personas are trained."""

    model: ModelSettings
    base: Hyperparameters
    persona: Hyperparameters
    persona_tokens: int = _number(1_500_000, 1, 10**12)
    """Approximate number of tokens that a persona is trained on, over all epochs."""


@dataclass(frozen=True)
class ClassifierSettings:
    """The size of the speaker classifier, and how it is trained."""

    fit: Hyperparameters
    min_lines: int = _number(500, 1, 10**6)
    """Minimum training lines of a speaker that it knows."""
    hidden: int = _number(128, 4, 8192)
    """Size of the LSTM."""
    ngrams: int = _number(131_072, 16, 2**24)
    """Maximum number of n-gram features."""


@dataclass(frozen=True)
class TrainSettings:
    """Everything about training: the settings of each model, and those that all share."""

    char: UnitSettings = UnitSettings(
        ModelSettings(embedding=128),
        Hyperparameters(batch=32, window=80, dropout=0.1, learning_rate=4e-3),
        Hyperparameters(epochs=3, batch=16, window=80, dropout=0.1, learning_rate=2e-3, warmup_steps=20, anonymous=0.3),
    )
    word: UnitSettings = UnitSettings(
        ModelSettings(embedding=384, selector=128, attention=256),
        Hyperparameters(epochs=8, batch=32, window=48, dropout=0.4, learning_rate=3e-3),
        Hyperparameters(epochs=3, batch=32, window=48, dropout=0.2, learning_rate=2e-3, warmup_steps=20, anonymous=0.3),
        persona_tokens=600_000,
    )
    classifier: ClassifierSettings = ClassifierSettings(
        Hyperparameters(epochs=5, batch=64, learning_rate=1e-3, warmup_steps=100, dropout=0.6, weight_decay=0.01, sample=0)
    )
    weights: dict[str, float] = field(default_factory=dict, metadata={"low": 0.0, "high": 100.0})
    """Readings per epoch of a show, a file of chats or a folder of them, by name; 1 for others."""
    adapter_rank: int = _number(16, 1, 1024)
    """LoRA rank of personas."""
    persona_voice: float = _number(0.5, 0.0, 0.95)
    """Share of a persona's training that conversations written for it (--voice) make up."""
    persona_context: int = _number(1, 0, 50)
    """Turns of context before each line in a persona's training examples."""
    persona_min_lines: int = _number(100, 1, 10**6)
    """Minimum training lines of a persona."""
    checkpoint_minutes: float = _number(2.0, 0.0, 1e4)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Floating point format of training; auto measures which is faster."""
    threads: int = _number(0, 0, 1024)
    """CPU threads; 0 is torch's default."""


@dataclass(frozen=True)
class Config:
    """All settings. The defaults are those of the `config.yaml` that charbot ships."""

    chat: ChatSettings = ChatSettings()
    terminal: TerminalSettings = TerminalSettings()
    discord: DiscordSettings = DiscordSettings()
    corpus: CorpusSettings = CorpusSettings()
    train: TrainSettings = TrainSettings()


def load_config(path: Path | str) -> Config:
    """Return the settings in `path`, with defaults for missing keys. Raises ConfigError."""
    try:
        data = read_yaml(Path(path))
        return override(Config(), {} if data is None else data, str(path))
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error


def override(config: Config, data: Any, source: str) -> Config:
    """Return `config` with the keys of `data` (nested mappings) replaced. Raises ConfigError, which names `source`."""
    merged: Config = _merge(config, data, source, "")
    return merged


def _merge(default: Any, data: Any, path: str, prefix: str) -> Any:
    if not isinstance(data, Mapping):
        raise ConfigError(f"{path}: {prefix.rstrip('.') or 'the file'} must hold `key: value` lines, not {shown(data)}")
    fields = {f.name: f for f in dataclasses.fields(default)}
    hints = typing.get_type_hints(type(default))
    changes: dict[str, Any] = {}
    for key, value in data.items():
        name = f"{prefix}{key}"
        if key not in fields:
            raise ConfigError(f"{path}: unknown key `{name}`; allowed here: {', '.join(fields)}")
        current = getattr(default, key)
        if dataclasses.is_dataclass(current):
            if value is None:
                # An empty section: config.yaml tells users to delete what they do not change.
                continue
            changes[key] = _merge(current, value, path, f"{name}.")
        else:
            changes[key] = _checked(value, hints[key], fields[key].metadata, f"{path}: `{name}`")
    return dataclasses.replace(default, **changes)
