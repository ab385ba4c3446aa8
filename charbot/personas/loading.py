"""Loads models from bundles: bases, and personas merged into their bases, of which they share what they do not change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from torch import nn
from torch.nn.functional import pad
from torch.overrides import TorchFunctionMode

from charbot.errors import BundleError
from charbot.models.language_model import Architecture, LanguageModel
from charbot.models.lora import merge
from charbot.personas.bundle import BaseCard, ModelCard, read_base_weights, read_change
from charbot.personas.library import Library
from charbot.tokens.vocabulary import Unit, Vocabulary

_OLD_NAMES = {
    "cache.sureness": "cache.logit_scale",
    "selector.sureness": "selector.logit_scale",
    "selector.said": "selector.context",
    "selector.reply": "selector.response",
}
"""Names of weights in older bundles."""

_OLD_GATE = 5
"""Number of the cache gate's features in older bundles, which lack the model's surprise at the cache's predictions."""

_DRAWING = (nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_)
"""How layers draw their first weights."""


_SHARED = ("embedding", "phrases", "cache", "selector", "message_encoder")
"""Modules of a base that are the same in all personas on it: see `charbot.models.lora.merge`."""

_Module = tuple[str, Architecture, str]
"""The checksum of a module's file, the sizes of its model, and its name."""

_loaded: WeakValueDictionary[_Module, nn.Module] = WeakValueDictionary()
"""Shared modules of the personas that are loaded."""


class _Uninitialised(TorchFunctionMode):
    """Leaves new weights as they are in memory, because those of a file replace them: drawing them takes a quarter of the
    time of loading.

    On the meta device torch would import its compiler to initialise weights, which takes longer than drawing them.
    """

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return kwargs["tensor"] if func in _DRAWING else func(*args, **(kwargs or {}))


def base_model(library: Library, unit: Unit, base_id: str | None = None) -> tuple[LanguageModel, Vocabulary, BaseCard]:
    """Return the base model of a unit (the one with the id `base_id`), with its vocabulary and card. Raises BundleError."""
    folder, card, vocabulary = library.base(unit, base_id)
    model = _unread(folder, card)
    _read(model, folder, card)
    return model, vocabulary, card


def persona_model(
    library: Library, folder: Path, model_card: ModelCard, unit: Unit, name: str
) -> tuple[LanguageModel, Vocabulary]:
    """Return a persona's model of one unit, and the vocabulary with its speaker token. Raises BundleError.

    It has the modules _SHARED in common with other such models on its base.
    """
    base, card, vocabulary = library.base(unit, model_card.base)
    model = _unread(base, card)
    keys: dict[str, _Module] = {part: (card.checksum(f"{part}."), model.architecture, part) for part in _SHARED}
    known = {part: module for part, key in keys.items() if (module := _loaded.get(key)) is not None}
    for part, module in known.items():
        setattr(model, part, module)
    _read(model, base, card, tuple(known))
    for part, key in keys.items():
        if part not in known and getattr(model, part) is not None:
            _loaded[key] = getattr(model, part)
    try:
        merge(model, read_change(folder, model_card), model_card.speaker)
    except (KeyError, IndexError, RuntimeError) as error:
        raise BundleError(f"{folder}: its {unit} model does not fit its base; install or train it again") from error
    return model, vocabulary.knowing(name)


def _unread(folder: Path, card: BaseCard) -> LanguageModel:
    """Return a model with the sizes of a base, but not yet its weights. Raises BundleError."""
    try:
        with _Uninitialised():
            return LanguageModel(Architecture(**card.architecture)).eval()
    except (TypeError, KeyError, ValueError, RuntimeError) as error:
        raise BundleError(f"{folder}: is damaged ({error}); install or train it again") from error


def _read(model: LanguageModel, folder: Path, card: BaseCard, known: tuple[str, ...] = ()) -> None:
    """Read the weights of a model, but for those of its modules `known`. Raises BundleError."""
    stored = read_base_weights(folder, card, tuple(f"{part}." for part in known))
    weights = {_OLD_NAMES.get(name, name): weight for name, weight in stored.items()}
    for part in known:
        weights |= model.get_submodule(part).state_dict(prefix=f"{part}.", keep_vars=True)
    if model.cache is not None:
        # Older caches lack these: keep their initial values.
        for name in ("match", "longest", "logit_scale"):
            weights.setdefault(f"cache.{name}", getattr(model.cache, name).detach())
        gate = weights.get("cache.gate")
        if gate is not None and gate.shape == (_OLD_GATE,):
            weights["cache.gate"] = pad(gate, (0, len(model.cache.gate) - _OLD_GATE))
    try:
        model.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise BundleError(f"{folder}: its weights do not fit its card; install or train it again") from error
