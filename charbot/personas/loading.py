"""Loads models from bundles: bases, and personas merged into their bases."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    try:
        with _Uninitialised():
            model = LanguageModel(Architecture(**card.architecture))
    except (TypeError, KeyError, ValueError, RuntimeError) as error:
        raise BundleError(f"{folder}: is damaged ({error}); install or train it again") from error
    weights = {_OLD_NAMES.get(name, name): weight for name, weight in read_base_weights(folder, card).items()}
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
    return model.eval(), vocabulary, card


def persona_model(
    library: Library, folder: Path, model_card: ModelCard, unit: Unit, name: str
) -> tuple[LanguageModel, Vocabulary]:
    """Return a persona's model of one unit, and the vocabulary with its speaker token. Raises BundleError."""
    model, vocabulary, _ = base_model(library, unit, model_card.base)
    try:
        merge(model, read_change(folder, model_card), model_card.speaker)
    except (KeyError, IndexError, RuntimeError) as error:
        raise BundleError(f"{folder}: its {unit} model does not fit its base; install or train it again") from error
    return model, vocabulary.knowing(name)
