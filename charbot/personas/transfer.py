"""Exports personas to zip files, imports them, and removes them."""

import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from charbot.errors import BundleError
from charbot.personas.bundle import read_base, read_change, read_guard, read_persona, read_voice
from charbot.personas.library import Library, slug
from charbot.scripts.files import BROKEN_ARCHIVE
from charbot.storage import replace_file, replace_folder

_FILES = 24
"""Maximum files in an archive: more than a persona and its bases have."""
_BYTES = 1 << 30


def export_persona(library: Library, name: str, path: Path) -> None:
    """Write a persona, and those of its bases that charbot does not ship, to a zip file. Raises BundleError."""
    folder = library.find(name)
    card = read_persona(folder)
    parts = {f"personas/{slug(card.name)}": folder}
    for unit, fit in card.fits.items():
        base, *_ = library.base(unit, fit.base)
        if base.parent.parent != Library.shipped():
            parts[f"bases/{unit}"] = base

    def write(new: Path) -> None:
        with zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as archive:
            for part, source in parts.items():
                for file in sorted(source.iterdir()):
                    archive.write(file, f"{part}/{file.name}")

    try:
        replace_file(path, write)
    except OSError as error:
        raise BundleError(f"{path}: could not be written: {error.strerror or error}") from error


def import_persona(path: Path, out: Path) -> str:
    """Unpack an exported persona into a folder of bundles, and return its name.

    Everything is checked first. Raises BundleError, also if `out` contains a different base of the same unit.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory(dir=out, prefix=".import.") as folder:
            new = Path(folder)
            _unpack(archive, path, new)
            name = _checked(path, new, out)
            for unpacked in (*(new / "bases").glob("*"), *(new / "personas").glob("*")):
                with replace_folder(out / unpacked.relative_to(new)) as place:
                    shutil.copytree(unpacked, place, dirs_exist_ok=True)
    except OSError as error:
        raise BundleError(f"{path}: could not be imported: {error.strerror or error}") from error
    except BROKEN_ARCHIVE as error:
        raise BundleError(f"{path}: is no persona that charbot exported ({error})") from error
    return name


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


def _checked(path: Path, new: Path, out: Path) -> str:
    """Return the unpacked persona's name. Raises BundleError if it is damaged, incomplete or conflicts with a base in `out`."""
    folders = list((new / "personas").glob("*"))
    if len(folders) != 1:
        raise BundleError(f"{path}: is no persona that charbot exported")
    card = read_persona(folders[0])
    read_guard(folders[0], card)
    read_voice(folders[0], card)
    for fit in card.fits.values():
        read_change(folders[0], fit)
    for base in (new / "bases").glob("*"):
        there = out / "bases" / base.name
        if there.is_dir() and read_base(there)[0].id != read_base(base)[0].id:
            raise BundleError(f"{there}: is another base, on which other personas may stand; import into another folder")
    for unit, fit in card.fits.items():
        Library((new, out, Library.shipped())).base(unit, fit.base)
    return card.name


def remove_persona(library: Library, name: str) -> Path:
    """Delete a persona that the user trained or imported, and return its folder. Raises BundleError if it is a shipped one."""
    folder = library.find(name)
    if folder.parent.parent == Library.shipped():
        raise BundleError(f"{name} comes with charbot, and stays")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise BundleError(f"{folder}: could not be removed: {error.strerror or error}") from error
    return folder
