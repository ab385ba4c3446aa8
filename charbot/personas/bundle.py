"""Bundles: folders with the files of a base, a persona or the speaker classifier.

    <base>/base.json          kind, format, unit, architecture, data, scores, checksums of the rest
           vocabulary.json
           weights.safetensors
           cache.safetensors  (optional)
           selector.safetensors  (optional)
           word_vectors.safetensors  (optional: the message encoder)
           guard.safetensors
    <persona>/persona.json    kind, format, name, show, rating, data, checksum of its guard; and for each unit
                              its base (by the checksum of its weights), speaker id, scores and checksum
              char.safetensors, word.safetensors
              guard.safetensors
              voice.json.gz      (optional: the conversations that were written for it, as turns)
    <classifier>/classifier.json   kind, format, speakers, sizes, the word base whose embedding it reads (by the
                              checksum of its weights), scores, checksum of its weights
              weights.safetensors

Matrices are stored as 8-bit integers with a scale for each row, other weights in half precision. The checksum of every
file is verified before it is read.
"""

import gzip
import json
import reprlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charbot.dialogue import Utterance, parse_turns
from charbot.errors import BundleError
from charbot.personas.files import bundle_errors, load_tensors, save_tensors, verify
from charbot.sharing import shared
from charbot.storage import replace_folder, sha256
from charbot.text import is_name
from charbot.tokens.vocabulary import UNITS, Unit, Vocabulary

if TYPE_CHECKING:
    from torch import Tensor

    from charbot.personas.copy_guard import CopyGuard

RATINGS = ("general", "mature")
"""Who a persona is fit for: everybody, or adults."""
FORMAT = 3
_READABLE = (2, FORMAT)
"""Format 2 has its matrices in half precision; it is still readable."""
_BASE, PERSONA_CARD, _CLASSIFIER = "base.json", "persona.json", "classifier.json"
_VOCABULARY, _WEIGHTS, _GUARD = "vocabulary.json", "weights.safetensors", "guard.safetensors"
_CACHE = "cache.safetensors"
_VOICE, _OLD_VOICE = "voice.json.gz", "voice.json"
_PARTS = {_CACHE: "cache.", "selector.safetensors": "selector.", "word_vectors.safetensors": "message_encoder."}
"""Files of the parts of a base that can be retrained alone, each with the prefix of its parameters."""


@dataclass(frozen=True)
class BaseCard:
    """The metadata of a base."""

    id: str
    """Checksum of its weights without those of its parts (_PARTS), by which personas refer to it."""
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

    def checksum(self, prefix: str) -> str:
        """Return the checksum of the file with the parameters whose names start with `prefix`."""
        return next((self.files[file] for file, start in _PARTS.items() if start == prefix and file in self.files), self.id)


@dataclass(frozen=True)
class ModelCard:
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
    models: Mapping[Unit, ModelCard]
    voice: str = ""
    """Checksum of the conversations that were written for it; empty if there are none."""

    def model(self, unit: Unit) -> ModelCard:
        """Return the metadata of a unit's model. Raises BundleError if there is none."""
        if unit not in self.models:
            command = f"charbot train --unit {unit} --persona {shlex.quote(self.name)} --scripts PATH"
            raise BundleError(f"{self.name} has no {unit} model; train it with `{command}`")
        return self.models[unit]

    def to_json(self) -> dict[str, Any]:
        """Return the card as JSON-serialisable data, with the keys that its file has."""
        data = asdict(self)
        return data | {"fits": data.pop("models")}


@dataclass(frozen=True)
class ClassifierCard:
    """The metadata of a speaker classifier."""

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
                save_tensors(part, new / file)
        save_tensors(rest, new / _WEIGHTS)
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
    with bundle_errors(folder / _BASE):
        files = dict(card["files"])
        return BaseCard(files[_WEIGHTS], card["unit"], card["architecture"], card["data"], card["scores"], files)


def read_base(folder: Path) -> tuple[BaseCard, Vocabulary]:
    """Return a base's card and vocabulary. Raises BundleError."""
    base = read_base_card(folder)
    return base, _read_vocabulary(folder / _VOCABULARY, base.files.get(_VOCABULARY))


@shared
def _read_vocabulary(path: Path, expected: str | None) -> Vocabulary:
    verify(path, expected)
    with bundle_errors(path):
        return Vocabulary.from_json(json.loads(path.read_text("utf-8")))


def verify_base(folder: Path, base: BaseCard) -> None:
    """Check a base's files by their checksums, without loading them. Raises BundleError."""
    for file, checksum in base.files.items():
        verify(folder / Path(file).name, checksum)


def read_base_weights(folder: Path, base: BaseCard, without: tuple[str, ...] = ()) -> dict[str, "Tensor"]:
    """Return a base's weights in single precision, with those of its parts. Raises BundleError.

    Those whose names start with one of `without` are not read.
    """
    weights = load_tensors(folder / _WEIGHTS, base.id, without)
    for file, start in _PARTS.items():
        if file in base.files and start not in without:
            weights |= load_tensors(folder / file, base.files[file])
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
    models: Mapping[Unit, tuple[str, int, Mapping[str, float], Mapping[str, "Tensor"]]],
    voice: Sequence[Sequence[Utterance]] = (),
) -> None:
    """Write a persona, replacing the one in `folder`.

    `models` gives each unit's base, speaker id, scores and tensors. `guard` covers the training scripts that its bases' guards
    do not. `voice` are conversations that were written for it. Raises BundleError.
    """

    def fill(new: Path) -> None:
        cards = {}
        for unit, (base, speaker, scores, tensors) in models.items():
            path = new / f"{unit}.safetensors"
            save_tensors(tensors, path)
            cards[unit] = asdict(ModelCard(base, speaker, dict(scores), path.name, sha256(path)))
        _save_guard(guard, new / _GUARD)
        card = {
            "kind": "persona", "format": FORMAT, "name": name, "show": show, "rating": rating,
            "data": dict(data), "guard": sha256(new / _GUARD), "fits": cards,
        }  # fmt: skip
        if voice:
            turns = [[[turn.speaker, turn.text] for turn in chat] for chat in voice]
            # Without the time of writing, so that equal voices are equal files.
            (new / _VOICE).write_bytes(gzip.compress(json.dumps(turns).encode("ascii"), mtime=0))
            card["voice"] = sha256(new / _VOICE)
        (new / PERSONA_CARD).write_text(json.dumps(card, indent=1), "utf-8")

    _replace(folder, fill)


def read_persona(folder: Path) -> PersonaCard:
    """Return a persona's card. Raises BundleError."""
    card = _read_card(folder / PERSONA_CARD, "persona", "--persona NAME")
    with bundle_errors(folder / PERSONA_CARD):
        _require_type(str, name=card["name"], show=card["show"], rating=card["rating"], guard=card["guard"])
        _require_type(dict, data=card["data"], fits=card["fits"], lines=(lines := card["data"].get("lines", {})))
        _require_type(int, **lines)
        models = {unit: ModelCard(**card["fits"][unit]) for unit in UNITS if unit in card["fits"]}
        for model_card in models.values():
            _require_type(str, base=model_card.base, file=model_card.file, sha256=model_card.sha256)
            _require_type(dict, scores=model_card.scores)
            _require_type((int, float), speaker=model_card.speaker, **model_card.scores)
        _require_type(str, voice=(voice := card.get("voice", "")))
        _require_printable(card["name"], card["show"], card["rating"])
        return PersonaCard(card["name"], card["show"], card["rating"], card["data"], card["guard"], models, voice)


def verify_persona(folder: Path, persona: PersonaCard) -> None:
    """Check a persona's files by their checksums, without loading them. Raises BundleError."""
    verify(folder / _GUARD, persona.guard)
    for model_card in persona.models.values():
        verify(folder / Path(model_card.file).name, model_card.sha256)
    if persona.voice:
        verify(_voice_path(folder), persona.voice)


def read_change(folder: Path, model_card: ModelCard) -> dict[str, "Tensor"]:
    """Return a persona's LoRA weights in single precision. Raises BundleError."""
    return load_tensors(folder / Path(model_card.file).name, model_card.sha256)


def read_guard(folder: Path, persona: PersonaCard) -> "CopyGuard":
    """Return the copy guard of a persona's training scripts, without those of its bases. Raises BundleError."""
    return _load_guard(folder / _GUARD, persona.guard)


def read_voice(folder: Path, persona: PersonaCard) -> tuple[tuple[Utterance, ...], ...]:
    """Return the conversations that were written for a persona, if any. Raises BundleError."""
    if not persona.voice:
        return ()
    path = _voice_path(folder)
    verify(path, persona.voice)
    with bundle_errors(path):
        content = path.read_bytes()
        chats = json.loads(gzip.decompress(content) if path.name == _VOICE else content)
        return tuple(parse_turns(chat) for chat in chats)


def _voice_path(folder: Path) -> Path:
    return folder / (_OLD_VOICE if (folder / _OLD_VOICE).exists() else _VOICE)


def write_classifier(folder: Path, card: ClassifierCard, weights: Mapping[str, "Tensor"]) -> None:
    """Write a speaker classifier, replacing the one in `folder`; `card.sha256` is computed here. Raises BundleError."""

    def fill(new: Path) -> None:
        save_tensors(weights, new / _WEIGHTS)
        data = {"kind": "classifier", "format": FORMAT, **asdict(card), "sha256": sha256(new / _WEIGHTS)}
        (new / _CLASSIFIER).write_text(json.dumps(data, indent=1), "utf-8")

    _replace(folder, fill)


def read_classifier(folder: Path) -> tuple[ClassifierCard, dict[str, "Tensor"]]:
    """Return a speaker classifier's card and its weights in single precision. Raises BundleError."""
    path = folder / _CLASSIFIER
    data = _read_card(path, "classifier", "--classifier")
    with bundle_errors(path):
        fields = {key: value for key, value in data.items() if key not in ("kind", "format")}
        if "sureness" in fields:  # its name in older bundles
            fields["evidence_exponent"] = fields.pop("sureness")
        card = ClassifierCard(**fields | {key: tuple(fields[key]) for key in ("names", "shows", "lines")})
    return card, load_tensors(folder / _WEIGHTS, card.sha256)


def _replace(folder: Path, fill: Callable[[Path], None]) -> None:
    try:
        with replace_folder(folder) as new:
            fill(new)
    except OSError as error:
        raise BundleError(f"{folder}: could not be saved: {error.strerror or error}. What was there is untouched.") from error


def _require_type(kind: type | tuple[type, ...], /, **values: object) -> None:
    """Raise TypeError, naming the value, unless all `values` are of type `kind`."""
    for name, value in values.items():
        if not isinstance(value, kind):
            raise TypeError(f"`{name}` is {reprlib.repr(value)}")


def _require_printable(name: str, show: str, rating: str) -> None:
    """Raise ValueError unless name and show are printable lines and the rating is one of RATINGS."""
    for text in (name, show):
        if not is_name(text):
            raise ValueError(f"{reprlib.repr(text)} is no name: a printable line of at most 80 characters")
    if rating not in RATINGS:
        raise ValueError(f"`rating` is {reprlib.repr(rating)}; there are {' and '.join(RATINGS)}")


def _read_card(path: Path, kind: str, options: str) -> dict[str, Any]:
    """Return a bundle's card. `options` are those of `charbot train` that make such a bundle, for the error message."""
    with bundle_errors(path):
        if not path.is_file():
            raise BundleError(f"{path.parent}: no {kind} here ({path.name} is missing)")
        card: dict[str, Any] = json.loads(path.read_text("utf-8"))
        actual_kind, version = card["kind"], card["format"]
        options = options.replace("NAME", shlex.quote(str(card.get("name", "NAME"))))
    if actual_kind != kind:
        raise BundleError(f"{path}: holds a {actual_kind}, not a {kind}")
    if version not in _READABLE:
        raise BundleError(
            f"{path}: bundle format {version}; this charbot reads {' and '.join(map(str, _READABLE))}. "
            f"Train it again with `charbot train {options}`."
        )
    return card


def _save_guard(guard: "CopyGuard", path: Path) -> None:
    import torch

    save_tensors({"filled": torch.from_numpy(guard.filled)}, path)


@shared
def _load_guard(path: Path, expected: str | None) -> "CopyGuard":
    from charbot.personas.copy_guard import CopyGuard

    with bundle_errors(path):
        return CopyGuard(load_tensors(path, expected)["filled"].numpy())
