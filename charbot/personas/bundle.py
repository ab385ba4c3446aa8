"""Bundles: folders with the files of a base, a persona or the line classifier.

    <base>/base.json          kind, format, unit, architecture, data, scores, checksums of the rest
           vocabulary.json
           weights.safetensors
           cache.safetensors  (optional)
           selector.safetensors  (optional)
           guard.safetensors
    <persona>/persona.json    kind, format, name, show, rating, data, checksum of its guard; and for each unit
                              its base (by the checksum of its weights), speaker id, scores and checksum
              char.safetensors, word.safetensors
              guard.safetensors
              voice.json         (optional: the conversations that were written for it, as turns)
    <classifier>/classifier.json   kind, format, speakers, sizes, the word base whose embedding it reads (by the
                              checksum of its weights), scores, checksum of its weights
              weights.safetensors

Matrices are stored as 8-bit integers with a scale for each row, other weights in half precision. The checksum of every
file is verified before it is read.
"""

import json
import reprlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charbot.dialogue import Utterance, parse_turns
from charbot.errors import BundleError
from charbot.storage import replace_folder, sha256
from charbot.text import is_name
from charbot.tokens.vocabulary import UNITS, Unit, Vocabulary

if TYPE_CHECKING:
    from torch import Tensor

    from charbot.personas.guard import CopyGuard

RATINGS = ("general", "mature")
"""Who a persona is fit for: everybody, or adults."""
FORMAT = 3
_READABLE = (2, FORMAT)
"""Format 2 has its matrices in half precision; it is still readable."""
_BASE, PERSONA_CARD, _CLASSIFIER = "base.json", "persona.json", "classifier.json"
_VOCABULARY, _WEIGHTS, _GUARD = "vocabulary.json", "weights.safetensors", "guard.safetensors"
_CACHE = "cache.safetensors"
_VOICE = "voice.json"
_PARTS = {_CACHE: "cache.", "selector.safetensors": "selector."}
"""Files of the parts of a base that can be retrained alone, each with the prefix of its parameters."""


@dataclass(frozen=True)
class BaseCard:
    """The metadata of a base."""

    id: str
    """Checksum of its weights without cache and selector, by which personas refer to it."""
    unit: Unit
    architecture: Mapping[str, Any]
    """Fields of `Architecture`."""
    data: Mapping[str, Any]
    """Statistics of the training data."""
    scores: Mapping[str, float]
    files: Mapping[str, str]
    """Checksum of each file."""

    @property
    def cache(self) -> str:
        """Checksum of its cache; empty if it has none."""
        return self.files.get(_CACHE, "")


@dataclass(frozen=True)
class Fit:
    """The metadata of a persona's model of one unit."""

    base: str
    """`BaseCard.id` of the base that it adapts."""
    speaker: int
    """Id of its speaker token there."""
    scores: Mapping[str, float]
    file: str
    """Name of the file with its weights, and `sha256` the checksum."""
    sha256: str


@dataclass(frozen=True)
class PersonaCard:
    """The metadata of a persona."""

    name: str
    show: str
    rating: str
    data: Mapping[str, Any]
    """Statistics of the training data."""
    guard: str
    """Checksum of its copy guard."""
    fits: Mapping[Unit, Fit]
    voice: str = ""
    """Checksum of the conversations that were written for it; empty if there are none."""

    def fit(self, unit: Unit) -> Fit:
        """Return the metadata of a unit's model. Raises BundleError if there is none."""
        if unit not in self.fits:
            command = f"charbot train --unit {unit} --persona {shlex.quote(self.name)} --scripts PATH"
            raise BundleError(f"{self.name} has no {unit} model; fit it with `{command}`")
        return self.fits[unit]


@dataclass(frozen=True)
class ClassifierCard:
    """The metadata of a line classifier."""

    names: tuple[str, ...]
    """Speakers that it tells apart."""
    shows: tuple[str, ...]
    """Show of each speaker."""
    lines: tuple[int, ...]
    """Training lines of each speaker."""
    base: str
    """`BaseCard.id` of the word base whose embedding its LSTM reads."""
    hidden: int
    """Size of the LSTM."""
    share: float
    """Weight of the LSTM in the mixture with the n-gram classifier."""
    evidence_exponent: float
    """n lines of one speaker count as n to this power independent ones."""
    scores: Mapping[str, float]
    sha256: str
    """Checksum of its weights."""


def write_base(
    folder: Path,
    vocabulary: Vocabulary,
    architecture: Mapping[str, Any],
    weights: Mapping[str, "Tensor"],
    guard: "CopyGuard",
    data: Mapping[str, Any],
    scores: Mapping[str, float],
) -> None:
    """Write a base, replacing the one in `folder`. `guard` covers its training scripts. Raises BundleError."""

    def fill(new: Path) -> None:
        (new / _VOCABULARY).write_text(json.dumps(vocabulary.to_json(), ensure_ascii=True), "ascii")
        rest = dict(weights)
        for file, start in _PARTS.items():
            if part := {name: rest.pop(name) for name in weights if name.startswith(start)}:
                _save(part, new / file)
        _save(rest, new / _WEIGHTS)
        _save_guard(guard, new / _GUARD)
        files = {name: sha256(new / name) for name in (_VOCABULARY, _WEIGHTS, *_PARTS, _GUARD) if (new / name).exists()}
        card = {
            "kind": "base", "format": FORMAT, "unit": vocabulary.unit, "architecture": dict(architecture),
            "data": dict(data), "scores": dict(scores), "files": files,
        }  # fmt: skip
        (new / _BASE).write_text(json.dumps(card, indent=1), "utf-8")

    _replace(folder, fill)


def read_base_card(folder: Path) -> BaseCard:
    """Return a base's card. Raises BundleError."""
    card = _read_card(folder / _BASE, "base", f"--base --unit {folder.name.partition('-')[0]}")
    with _naming_faults(folder / _BASE):
        files = dict(card["files"])
        return BaseCard(files[_WEIGHTS], card["unit"], card["architecture"], card["data"], card["scores"], files)


def read_base(folder: Path) -> tuple[BaseCard, Vocabulary]:
    """Return a base's card and vocabulary. Raises BundleError."""
    base = read_base_card(folder)
    path = folder / _VOCABULARY
    _check(path, base.files.get(_VOCABULARY))
    with _naming_faults(path):
        return base, Vocabulary.from_json(json.loads(path.read_text("utf-8")))


def read_base_weights(folder: Path, base: BaseCard) -> dict[str, "Tensor"]:
    """Return a base's weights in single precision, with those of cache and selector. Raises BundleError."""
    weights = _load(folder / _WEIGHTS, base.id)
    for file in _PARTS:
        if file in base.files:
            weights |= _load(folder / file, base.files[file])
    return weights


def read_base_guard(folder: Path, base: BaseCard) -> "CopyGuard":
    """Return the copy guard of a base's training scripts. Raises BundleError."""
    return _load_guard(folder / _GUARD, base.files.get(_GUARD))


def write_persona(
    folder: Path,
    *,
    name: str,
    show: str,
    rating: str,
    guard: "CopyGuard",
    data: Mapping[str, Any],
    fits: Mapping[Unit, tuple[str, int, Mapping[str, float], Mapping[str, "Tensor"]]],
    voice: Sequence[Sequence[Utterance]] = (),
) -> None:
    """Write a persona, replacing the one in `folder`.

    `fits` gives each unit's base, speaker id, scores and tensors. `guard` covers the training scripts that its bases' guards
    do not. `voice` are conversations that were written for it. Raises BundleError.
    """

    def fill(new: Path) -> None:
        cards = {}
        for unit, (base, speaker, scores, tensors) in fits.items():
            path = new / f"{unit}.safetensors"
            _save(tensors, path)
            cards[unit] = asdict(Fit(base, speaker, dict(scores), path.name, sha256(path)))
        _save_guard(guard, new / _GUARD)
        card = {
            "kind": "persona", "format": FORMAT, "name": name, "show": show, "rating": rating,
            "data": dict(data), "guard": sha256(new / _GUARD), "fits": cards,
        }  # fmt: skip
        if voice:
            turns = [[[turn.speaker, turn.text] for turn in chat] for chat in voice]
            (new / _VOICE).write_text(json.dumps(turns, ensure_ascii=True), "ascii")
            card["voice"] = sha256(new / _VOICE)
        (new / PERSONA_CARD).write_text(json.dumps(card, indent=1), "utf-8")

    _replace(folder, fill)


def read_persona(folder: Path) -> PersonaCard:
    """Return a persona's card. Raises BundleError."""
    card = _read_card(folder / PERSONA_CARD, "persona", "--persona NAME")
    with _naming_faults(folder / PERSONA_CARD):
        _hold(str, name=card["name"], show=card["show"], rating=card["rating"], guard=card["guard"])
        _hold(dict, data=card["data"], fits=card["fits"], lines=(lines := card["data"].get("lines", {})))
        _hold(int, **lines)
        fits = {unit: Fit(**card["fits"][unit]) for unit in UNITS if unit in card["fits"]}
        for fit in fits.values():
            _hold(str, base=fit.base, file=fit.file, sha256=fit.sha256)
            _hold(dict, scores=fit.scores)
            _hold((int, float), speaker=fit.speaker, **fit.scores)
        _hold(str, voice=(voice := card.get("voice", "")))
        _require_shown(card["name"], card["show"], card["rating"])
        return PersonaCard(card["name"], card["show"], card["rating"], card["data"], card["guard"], fits, voice)


def read_change(folder: Path, fit: Fit) -> dict[str, "Tensor"]:
    """Return a persona's LoRA weights in single precision. Raises BundleError."""
    return _load(folder / Path(fit.file).name, fit.sha256)


def read_guard(folder: Path, persona: PersonaCard) -> "CopyGuard":
    """Return the copy guard of a persona's training scripts, without those of its bases. Raises BundleError."""
    return _load_guard(folder / _GUARD, persona.guard)


def read_voice(folder: Path, persona: PersonaCard) -> tuple[tuple[Utterance, ...], ...]:
    """Return the conversations that were written for a persona, if any. Raises BundleError."""
    if not persona.voice:
        return ()
    path = folder / _VOICE
    _check(path, persona.voice)
    with _naming_faults(path):
        return tuple(parse_turns(chat) for chat in json.loads(path.read_text("ascii")))


def write_classifier(folder: Path, card: ClassifierCard, weights: Mapping[str, "Tensor"]) -> None:
    """Write a line classifier, replacing the one in `folder`; `card.sha256` is computed here. Raises BundleError."""

    def fill(new: Path) -> None:
        _save(weights, new / _WEIGHTS)
        whole = {"kind": "classifier", "format": FORMAT, **asdict(card), "sha256": sha256(new / _WEIGHTS)}
        (new / _CLASSIFIER).write_text(json.dumps(whole, indent=1), "utf-8")

    _replace(folder, fill)


def read_classifier(folder: Path) -> tuple[ClassifierCard, dict[str, "Tensor"]]:
    """Return a line classifier's card and its weights in single precision. Raises BundleError."""
    path = folder / _CLASSIFIER
    data = _read_card(path, "classifier", "--classifier")
    with _naming_faults(path):
        fields = {key: value for key, value in data.items() if key not in ("kind", "format")}
        if "sureness" in fields:  # its name in older bundles
            fields["evidence_exponent"] = fields.pop("sureness")
        card = ClassifierCard(**fields | {key: tuple(fields[key]) for key in ("names", "shows", "lines")})
    return card, _load(folder / _WEIGHTS, card.sha256)


def _replace(folder: Path, fill: Callable[[Path], None]) -> None:
    try:
        with replace_folder(folder) as new:
            fill(new)
    except OSError as error:
        raise BundleError(f"{folder}: could not be saved: {error.strerror or error}. What was there is untouched.") from error


def _hold(kind: type | tuple[type, ...], /, **values: object) -> None:
    """Raise TypeError, naming the value, if one of `values` is not of type `kind`."""
    for name, value in values.items():
        if not isinstance(value, kind):
            raise TypeError(f"`{name}` is {reprlib.repr(value)}")


def _require_shown(name: str, show: str, rating: str) -> None:
    """Raise ValueError if one of the texts that programs show of a persona is not fit to be shown."""
    for text in (name, show):
        if not is_name(text):
            raise ValueError(f"{reprlib.repr(text)} is no name: a printable line of at most 80 characters")
    if rating not in RATINGS:
        raise ValueError(f"`rating` is {reprlib.repr(rating)}; there are {' and '.join(RATINGS)}")


def _read_card(path: Path, kind: str, fitting: str) -> dict[str, Any]:
    """Return a bundle's card. `fitting` are the options of `charbot train` that make such a bundle, for the error message."""
    with _naming_faults(path):
        if not path.is_file():
            raise BundleError(f"{path.parent}: no {kind} here ({path.name} is missing)")
        card: dict[str, Any] = json.loads(path.read_text("utf-8"))
        found, version = card["kind"], card["format"]
        fitting = fitting.replace("NAME", shlex.quote(str(card.get("name", "NAME"))))
    if found != kind:
        raise BundleError(f"{path}: holds a {found}, not a {kind}")
    if version not in _READABLE:
        raise BundleError(
            f"{path}: bundle format {version}; this charbot reads {' and '.join(map(str, _READABLE))}. "
            f"Fit it anew with `charbot train {fitting}`."
        )
    return card


class _naming_faults:  # noqa: N801 (a context manager, named as one)
    """Context manager that turns the exceptions of malformed content into a BundleError naming the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)):
            raise BundleError(f"{self.path}: is damaged ({type(error).__name__}: {error}); install or fit it anew") from error


def _check(path: Path, expected: str | None) -> None:
    if not path.is_file():
        raise BundleError(f"{path}: is missing; install or fit this bundle anew")
    try:
        found = sha256(path)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error
    if found != expected:
        raise BundleError(f"{path}: is damaged (its checksum does not match); install or fit this bundle anew")


_SCALE = ".scale"
"""Suffix of the name of an 8-bit matrix's row scales (..., 1)."""


def _stored(tensors: Mapping[str, "Tensor"]) -> "dict[str, Tensor]":
    import torch

    stored = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        if not tensor.is_floating_point():
            stored[name] = tensor
        elif tensor.ndim < 2 or not tensor.numel():
            stored[name] = tensor.half()
        else:
            scale = tensor.float().abs().amax(-1, keepdim=True).clamp_(min=1e-30) / 127
            stored[name], stored[name + _SCALE] = (tensor / scale).round_().to(torch.int8), scale
    return stored


def _save(tensors: Mapping[str, "Tensor"], path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(_stored(tensors), path)
    except SafetensorError as error:
        raise OSError(str(error)) from error
    # safetensors makes files that only their owner can read.
    path.chmod(0o644)


def _save_guard(guard: "CopyGuard", path: Path) -> None:
    import torch

    _save({"filled": torch.from_numpy(guard.filled)}, path)


def _load_guard(path: Path, expected: str | None) -> "CopyGuard":
    from charbot.personas.guard import CopyGuard

    with _naming_faults(path):
        return CopyGuard(_load(path, expected)["filled"].numpy())


def _load(path: Path, expected: str | None) -> dict[str, "Tensor"]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    _check(path, expected)
    with _naming_faults(path):
        try:
            tensors = load_file(path)
        except SafetensorError as error:
            raise ValueError(error) from error
        scales = {name.removesuffix(_SCALE): tensors.pop(name) for name in list(tensors) if name.endswith(_SCALE)}
        return {
            name: tensor * scales[name] if name in scales else tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in tensors.items()
        }
