"""Recipe: a small character-level LSTM on a folder of plain text, as in many first experiments.

128 units, windows of 40 characters, RMSProp at 0.01, and samples at four temperatures after each epoch, after Keras's example
"Character-level text generation with LSTM" (F. Chollet, 2015). The example predicts only the character after a window; here each
character of a window is predicted from those before it, which gives forty times as many targets.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from charbot.errors import ScriptError, TrainingError
from charbot.scripts.decoding import decode
from charbot.scripts.files import script_files
from charbot.storage import replace_file
from trainer.recipes.plain import PlainLSTM, window_loss

UNITS = 128
WINDOW = 40
TEMPERATURES = (0.2, 0.5, 1.0, 1.2)
REFERENCE = "30 epochs in six hours on a laptop"

_BATCH = 128
_RATE = 0.01
_CLIP = 1.0
_MIN_CHARACTERS = 1_000
_MAX_SYMBOLS = 1_000
_SAMPLED = 200


@dataclass(frozen=True)
class Epoch:
    """The results of one epoch."""

    number: int
    """From 1."""
    bits: float
    """Mean training loss in bits per character."""
    seconds: float
    """Duration of the epoch."""
    samples: Mapping[float, str]
    """Generated texts by temperature."""


def read_folder(path: Path) -> str:
    """Return the text of all files of a folder, in the order of their names. Raises TrainingError if there is too little."""
    texts = []
    for file in script_files(path):
        try:
            texts.append(decode(file.read()))
        except ScriptError:
            # Skip files that are not text, such as images.
            continue
    text = "\n".join(texts)
    if len(text) < _MIN_CHARACTERS:
        raise TrainingError(f"{path}: holds {len(text):,} characters of plain text; this recipe needs {_MIN_CHARACTERS:,}")
    return text


def symbols_of(text: str) -> str:
    """Return the _MAX_SYMBOLS most frequent characters of a text, sorted."""
    return "".join(sorted(symbol for symbol, _ in Counter(text).most_common(_MAX_SYMBOLS)))


class TextFolder:
    """A model of a text, with its weights in a file; created again with the same file, it continues training."""

    def __init__(self, text: str, weights: Path, seed: int = 1) -> None:
        """Create the model, or load it if the file exists.

        Raises TrainingError if the file is damaged or its model was trained on other text.
        """
        self._symbols = symbols_of(text)
        ids = {symbol: i for i, symbol in enumerate(self._symbols)}
        self._text = torch.tensor([ids[character] for character in text if character in ids])
        self._fingerprint = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        self._weights = weights
        torch.manual_seed(seed)
        self._model = PlainLSTM(len(ids), UNITS)
        self._optimizer = torch.optim.RMSprop(self._model.parameters(), lr=_RATE, alpha=0.9)
        self.epochs = 0
        """Number of complete epochs."""
        if weights.exists():
            self._load()

    def epoch(self) -> Epoch:
        """Train for one epoch, on windows in random order, and save the weights. Raises TrainingError if they cannot be saved."""
        start = time.perf_counter()
        generator = torch.Generator().manual_seed(self.epochs)
        offset = int(torch.randint(WINDOW, (), generator=generator))
        windows = self._text[offset:].unfold(0, WINDOW + 1, WINDOW)
        total = 0.0
        for chosen in torch.split(torch.randperm(len(windows), generator=generator), _BATCH):
            loss = window_loss(self._model, windows[chosen])
            self._optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self._model.parameters(), _CLIP)
            self._optimizer.step()
            total += loss.item() * len(chosen)
        self.epochs += 1
        self._save()
        samples = {temperature: self.sample(temperature) for temperature in TEMPERATURES}
        return Epoch(self.epochs, total / len(windows) / log(2), time.perf_counter() - start, samples)

    def sample(self, temperature: float) -> str:
        """Return text generated after a random window of the training text."""
        generator = torch.Generator().manual_seed(self.epochs)
        start = int(torch.randint(len(self._text) - WINDOW, (), generator=generator))
        written = self._model.sample(self._text[start : start + WINDOW], _SAMPLED, temperature, generator)
        return "".join(self._symbols[i] for i in written)

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"parameter.{name}": value.detach() for name, value in self._model.named_parameters()}
        for name, parameter in self._model.named_parameters():
            tensors |= {f"optimizer.{key}.{name}": value for key, value in self._optimizer.state[parameter].items()}
        return tensors

    def _save(self) -> None:
        metadata = {"fingerprint": self._fingerprint, "epochs": str(self.epochs)}
        try:
            replace_file(self._weights, lambda file: save_file(self._tensors(), file, metadata))
        except (OSError, SafetensorError) as error:
            raise TrainingError(f"{self._weights}: the weights could not be saved: {error}") from error

    def _load(self) -> None:
        try:
            with safe_open(self._weights, "pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (not a dict)
        except (OSError, SafetensorError) as error:
            raise TrainingError(f"{self._weights}: these weights are damaged ({error}); delete them to start over") from error
        if metadata.get("fingerprint") != self._fingerprint:
            raise TrainingError(f"{self._weights}: these weights are of other text; delete them, or name another file with --out")
        self.epochs = int(metadata["epochs"])
        with torch.no_grad():
            for name, parameter in self._model.named_parameters():
                parameter.copy_(tensors[f"parameter.{name}"])
                self._optimizer.state[parameter] = {key: tensors[f"optimizer.{key}.{name}"] for key in ("step", "square_avg")}
