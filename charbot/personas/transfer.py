"""Exports personas to zip files and character cards, imports them, and removes personas and bases."""

import json
import os
import shlex
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from charbot.errors import BundleError, UsageError
from charbot.personas.bundle import (
    PERSONA_CARD,
    PersonaCard,
    read_base_card,
    read_change,
    read_guard,
    read_persona,
    read_voice,
)
from charbot.personas.character_card import card_file, card_of_voice, read_card
from charbot.personas.library import Library, imported_bases, slug
from charbot.personas.portrait import introduction
from charbot.scripts.files import BROKEN_ARCHIVE
from charbot.storage import replace_file, replace_folder
from charbot.tokens.vocabulary import UNITS, Unit

_FILES = 24
"""Maximum files in an archive: more than a persona and its bases have."""
_BYTES = 1 << 30
"""Maximum bytes of an archive, unpacked."""
_ID_CHARACTERS = 12
"""Characters of a base's id in the name of its folder, if it was imported."""


def export_persona(library: Library, name: str, path: Path) -> None:
    """Write a persona, and those of its bases that charbot does not ship, to a new zip file. Raises BundleError."""
    folder = library.find(name)
    card = read_persona(folder)
    parts = {f"personas/{slug(card.name)}": folder}
    for unit, model_card in card.models.items():
        base, *_ = library.base(unit, model_card.base)
        if base.parent.parent != Library.shipped():
            parts[f"bases/{unit}"] = base

    def write(new: Path) -> None:
        # Reproducible installations date files 1970, a zip file 1980 at the earliest.
        with zipfile.ZipFile(new, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for part, source in parts.items():
                for file in sorted(source.iterdir()):
                    archive.write(file, f"{part}/{file.name}")

    _write_new(path, write)


def export_card(library: Library, name: str, path: Path) -> None:
    """Write what other programs can use of a persona, its voice, to a new character card: JSON or, by its suffix, PNG.

    Raises BundleError.
    """
    folder = library.find(name)
    persona = read_persona(folder)
    voice = read_voice(folder, persona)
    card = card_of_voice(persona.name, introduction(voice) or f"{persona.name} from {persona.show}.", voice)
    content = card_file(card, persona.show, picture=path.suffix.lower() == ".png")
    _write_new(path, lambda new: new.write_bytes(content))


def begin_voice(card: Path, path: Path) -> int:
    """Write a new voice that begins with what a character card says, and return the number of its conversations.

    Raises BundleError.
    """
    character = read_card(card)
    rows = [
        {"id": f"{slug(character.name)}-{number}", "turns": [[turn.speaker, turn.text] for turn in chat]}
        for number, chat in enumerate(character.voice(), start=1)
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    _write_new(path, lambda new: new.write_text(text, "utf-8"))
    return len(rows)


def _write_new(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file that does not exist yet. Raises BundleError."""
    try:
        if path.exists():
            raise BundleError(f"{path} is there already; name another file")
        replace_file(path, write)
    except (OSError, ValueError) as error:
        # A NUL in the path raises ValueError.
        raise BundleError(f"{path}: could not be written: {getattr(error, 'strerror', None) or error}") from error


def import_persona(path: Path, out: Path) -> Path:
    """Unpack an exported persona into a folder of bundles, and return the persona's folder.

    Its bases go into folders named by their ids, which only personas that name them stand on. Everything is checked first.
    Raises BundleError, also if `out` contains a different persona of that name.
    """
    if path.exists() and not path.is_file():
        # A device or a pipe may have no end, at which a zip file begins.
        raise BundleError(f"{path}: is no file")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory(dir=out, prefix=".import.") as folder:
            new = Path(folder)
            _unpack(archive, path, new)
            unpacked, card = _checked(path, new, out)
            target = out / "personas" / slug(card.name)
            for unit, model_card in card.models.items():
                if not Library((out, Library.shipped())).has_base(unit, model_card.base):
                    _install(new / "bases" / unit, out / "bases" / f"{unit}-{model_card.base[:_ID_CHARACTERS]}")
            _install(unpacked, target)
    except (OSError, ValueError) as error:
        raise BundleError(f"{path}: could not be imported: {getattr(error, 'strerror', None) or error}") from error
    except BROKEN_ARCHIVE as error:
        raise BundleError(f"{path}: is no persona that charbot exported ({error}){_hint_at_cards(path)}") from error
    return target


def _hint_at_cards(path: Path) -> str:
    """Return what to do with a character card; an empty text if a file is none."""
    try:
        read_card(path)
    except BundleError:
        return ""
    return f"; it is a character card: `charbot personas card {shlex.quote(str(path))} VOICE.jsonl` begins a voice with it"


def _install(unpacked: Path, target: Path) -> None:
    with replace_folder(target) as folder:
        shutil.copytree(unpacked, folder, dirs_exist_ok=True)


def _unpack(archive: zipfile.ZipFile, path: Path, new: Path) -> None:
    files = archive.infolist()
    if len(files) > _FILES or sum(file.file_size for file in files) > _BYTES:
        raise BundleError(f"{path}: holds more than a persona has")
    for file in files:
        parts = PurePosixPath(file.filename).parts
        if len(parts) != 3 or parts[0] not in ("bases", "personas") or any(slug(part) == "" for part in parts):
            raise BundleError(f"{path}: is no persona that charbot exported ({file.filename} does not belong in one)")
        target = new.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(file) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)


def _checked(path: Path, new: Path, out: Path) -> tuple[Path, PersonaCard]:
    """Return the unpacked persona's folder and card.

    Raises BundleError if it is damaged, incomplete, or not the persona of that name in `out`.
    """
    folders = list((new / "personas").glob("*"))
    if len(folders) != 1:
        raise BundleError(f"{path}: is no persona that charbot exported")
    (folder,) = folders
    try:
        card = read_persona(folder)
        read_guard(folder, card)
        read_voice(folder, card)
        for unit, model_card in card.models.items():
            read_change(folder, model_card)
            Library((new, out, Library.shipped())).base(unit, model_card.base)
    except BundleError as error:
        # Files are named as in the archive: where they were unpacked, nobody can look.
        raise BundleError(f"{path}: {str(error).replace(f'{new}{os.sep}', '')}") from error
    target = out / "personas" / slug(card.name)
    if target.exists() and _card_bytes(target) != _card_bytes(folder):
        raise BundleError(f"{target} is another persona called {card.name}; `charbot personas remove` or export it first")
    return folder, card


def _card_bytes(folder: Path) -> bytes:
    try:
        return (folder / PERSONA_CARD).read_bytes()
    except OSError:
        return b""


def remove_persona(library: Library, name: str) -> list[Path]:
    """Delete a persona that the user trained or imported, and the imported bases that no other persona stands on.

    Return the deleted folders. Raises BundleError if the persona is a shipped one.
    """
    folder = library.find(name)
    if folder.parent.parent == Library.shipped():
        raise BundleError(f"{name} comes with charbot, and stays")
    bases: dict[Unit, str] = {}
    with suppress(BundleError):
        # A persona that cannot be read can still be removed.
        bases = {unit: model_card.base for unit, model_card in read_persona(folder).models.items()}
    _delete(folder)
    left = Library(library.folders)
    unused = [
        path
        for unit, base in bases.items()
        if not left.personas_on(base)
        for path in imported_bases(folder.parent.parent, unit)
        if path.name == f"{unit}-{base[:_ID_CHARACTERS]}"
    ]
    for path in unused:
        _delete(path)
    return [folder, *unused]


def remove_base(library: Library, name: str) -> Path:
    """Delete the base in the folder called `name`, and return the folder.

    Raises BundleError if there is none, or it is shipped, and UsageError if personas stand on it.
    """
    bases = {path.name: path for unit in reversed(UNITS) for path in reversed(library.base_folders(unit))}
    if name not in bases:
        raise BundleError(f"there is no base called {name!r}; `charbot bases list` shows them all")
    folder = bases[name]
    if folder.parent.parent == Library.shipped():
        raise BundleError(f"the base {name} comes with charbot, and stays")
    with suppress(BundleError):
        # A base that cannot be read can still be removed.
        if standing := library.personas_on(read_base_card(folder).id):
            raise UsageError(f"{', '.join(standing)} could not reply without the base {name}; remove them first")
    _delete(folder)
    return folder


def _delete(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise BundleError(f"{folder}: could not be removed: {error.strerror or error}") from error
