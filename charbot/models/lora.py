"""LoRA adapters: a persona as low-rank changes of a base's matrices (Hu et al. 2022, "LoRA").

They are small on disk, and merged into the base's weights once when a persona is loaded, so that a reply takes no longer
than the base's. The lookup tables and the parts of a base stay as they are: all personas share them.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from charbot.models.language_model import TABLES, LanguageModel
from charbot.models.state import DecoderState


def _adapted(model: LanguageModel) -> list[str]:
    # Not the lookup tables: a low-rank delta would alter all of their rows for the sake of a few.
    return [name for name, p in model.named_parameters() if p.ndim == 2 and name not in TABLES and not _of_part(name)]


def _of_part(name: str) -> bool:
    """Return whether a parameter belongs to a part of the base that is trained on its own."""
    return name.startswith(("cache.", "selector.", "message_encoder."))


class LoraAdapter(nn.Module):
    """A frozen base with a trainable delta: B @ A per matrix, a plain one per bias and for the persona's speaker embedding.

    B starts at zero, so that at first only the speaker embedding may differ from the base.
    """

    def __init__(self, base: LanguageModel, speaker: int, like: int, rank: int) -> None:
        """Adapt `base` to the persona with the speaker id `speaker`.

        Its embedding starts as that of the id `like`: `speaker` itself, or the anonymous speaker if the base was not trained
        on this persona.
        """
        super().__init__()
        self.base = base.requires_grad_(False)
        self.speaker = speaker
        names = _adapted(base)
        parameters: dict[str, Tensor] = dict(base.named_parameters())
        self.a = nn.ParameterDict()
        self.b = nn.ParameterDict()
        for name in names:
            rows, columns = parameters[name].shape
            self.a[_key(name)] = nn.Parameter(torch.randn(rank, columns) / columns**0.5)
            self.b[_key(name)] = nn.Parameter(torch.zeros(rows, rank))
        self.shift = nn.ParameterDict(
            {
                _key(name): nn.Parameter(torch.zeros_like(p))
                for name, p in parameters.items()
                if p.ndim == 1 and not _of_part(name)
            }
        )
        embedding = base.embedding.weight.detach()
        self.shift["speaker"] = nn.Parameter(embedding[like] - embedding[speaker])

    def delta(self) -> dict[str, Tensor]:
        """Return the delta as tensors to save: see `merge`."""
        return {name: parameter.detach() for name, parameter in self.named_parameters() if not name.startswith("base.")}

    def forward(self, ids: Tensor, state: DecoderState | None = None) -> tuple[Tensor, DecoderState]:
        delta = dict(self.named_parameters())
        merged = {name: _merged(name, weight, delta) for name, weight in self.base.named_parameters()}
        table = self.base.embedding.weight
        row = torch.tensor([self.speaker], device=table.device)
        merged["embedding.weight"] = table.index_add(0, row, delta["shift.speaker"][None])
        self.base.train(self.training)
        out: tuple[Tensor, DecoderState] = functional_call(self.base, merged, (ids, state))
        return out

    @property
    def output_weight(self) -> Tensor:
        return self.base.output_weight

    @property
    def bias(self) -> Tensor:
        bias: Tensor = self.base.bias + self.shift["bias"]
        return bias


def _key(name: str) -> str:
    return name.replace(".", "_")


def _merged(name: str, weight: Tensor, delta: Mapping[str, Tensor]) -> Tensor:
    """Return the parameter of that name with a delta; itself if it stays as it is."""
    key = _key(name)
    if f"b.{key}" in delta:
        return torch.addmm(weight, delta[f"b.{key}"], delta[f"a.{key}"])
    return weight + delta[f"shift.{key}"] if f"shift.{key}" in delta else weight


def scale_delta(delta: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """Return a delta scaled by `scale` (0: the base, 1: all of it), except for the speaker embedding, which stays."""
    unscaled = {name for name in delta if name.startswith("a.") or name == "shift.speaker"}
    return {name: tensor if name in unscaled else scale * tensor for name, tensor in delta.items()}


def merge(model: LanguageModel, delta: Mapping[str, Tensor], speaker: int) -> None:
    """Add a persona's delta to the weights of `model`, in place, but for the tables and parts that personas share."""
    with torch.no_grad():
        (embedding,) = model.embedding(torch.tensor([speaker]))
        model.set_speaker(speaker, embedding + delta["shift.speaker"])
        for name, parameter in model.named_parameters():
            if name not in TABLES and not _of_part(name):
                parameter.copy_(_merged(name, parameter, delta))
