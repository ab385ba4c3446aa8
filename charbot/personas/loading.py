"""Models from bundles: a base, or a persona's change merged into its base."""

from pathlib import Path

from torch.nn.functional import pad

from charbot.errors import BundleError
from charbot.models.language_model import Architecture, LanguageModel
from charbot.models.lora import merge
from charbot.personas.bundle import BaseCard, Fit, read_base_weights, read_change
from charbot.personas.library import Library
from charbot.tokens.vocabulary import Unit, Vocabulary

_OLD_NAMES = {
    "cache.sureness": "cache.logit_scale",
    "selector.sureness": "selector.logit_scale",
    "selector.said": "selector.context",
    "selector.reply": "selector.response",
}
"""What weights were called in bundles before."""

_OLD_GATE = 5
"""What gates of caches counted that were fitted before they knew what the model thinks of what a cache expects."""


def base_model(library: Library, unit: Unit, wanted: str | None = None) -> tuple[LanguageModel, Vocabulary, BaseCard]:
    """The base of a unit (the one with the checksum `wanted`). Raises BundleError."""
    folder, card, vocabulary = library.base(unit, wanted)
    try:
        # Its random weights are drawn in vain, but on the meta device, where none are, torch
        # imports its compiler for drawing none, which takes ten times as long.
        model = LanguageModel(Architecture(**card.architecture))
    except (TypeError, KeyError, ValueError, RuntimeError) as error:
        raise BundleError(f"{folder}: is damaged ({error}); install or fit it anew") from error
    weights = {_OLD_NAMES.get(name, name): weight for name, weight in read_base_weights(folder, card).items()}
    if model.cache is not None:
        # Caches that were fitted before they had these do without.
        for name in ("match", "longest", "logit_scale"):
            weights.setdefault(f"cache.{name}", getattr(model.cache, name).detach())
        gate = weights.get("cache.gate")
        if gate is not None and gate.shape == (_OLD_GATE,):
            weights["cache.gate"] = pad(gate, (0, len(model.cache.gate) - _OLD_GATE))
    try:
        model.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise BundleError(f"{folder}: its weights do not fit its card; install or fit it anew") from error
    return model.eval(), vocabulary, card


def persona_model(library: Library, folder: Path, fit: Fit, unit: Unit, name: str) -> tuple[LanguageModel, Vocabulary]:
    """A persona's model of one unit, and the vocabulary that knows the persona. Raises BundleError."""
    model, vocabulary, _ = base_model(library, unit, fit.base)
    try:
        merge(model, read_change(folder, fit), fit.speaker)
    except (KeyError, IndexError, RuntimeError) as error:
        raise BundleError(f"{folder}: its {unit} model does not fit its base; install or fit it anew") from error
    return model, vocabulary.knowing(name)
