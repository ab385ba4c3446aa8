import contextlib
import zipfile
from pathlib import Path

import pytest

from charbot.config import ChatSettings
from charbot.errors import BundleError
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.personas.library import Library
from charbot.personas.transfer import export_persona, import_persona, remove_persona


@pytest.fixture
def exported(library: Library, tmp_path: Path) -> Path:
    export_persona(library, "ann", tmp_path / "ann.zip")
    return tmp_path / "ann.zip"


def test_an_exported_persona_speaks_elsewhere(library: Library, exported: Path, tmp_path: Path) -> None:
    assert import_persona(exported, tmp_path / "new") == "Ann"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["bases", "personas"]
    settings = ChatSettings(candidates=2, max_words=4, seed=1)
    said = [
        Persona(Library((folder,)), "ann").reply(Conversation(), settings).text
        for folder in (tmp_path / "new", library.folders[0])
    ]
    assert said[0] == said[1]
    assert import_persona(exported, tmp_path / "new") == "Ann", "again, in the place of the one before"


@pytest.mark.parametrize("deflated", [False, True])
def test_a_damaged_file_changes_nothing(exported: Path, tmp_path: Path, deflated: bool) -> None:
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(exported) as stored, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in stored.namelist():
            archive.writestr(name, stored.read(name))
    content = (packed if deflated else exported).read_bytes()
    out = tmp_path / "new"
    import_persona(exported, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for at in range(100, len(content), len(content) // 40):
        exported.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
        with contextlib.suppress(BundleError):
            import_persona(exported, out)
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    exported.write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match="is no persona that charbot exported"):
        import_persona(exported, out)


@pytest.mark.parametrize(
    "name", ["../../evil/file", "/etc/evil/file", "personas/ann/deep/file", "other/ann/file", "personas/../file"]
)
def test_a_file_cannot_write_elsewhere(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(name, b"evil")
    with pytest.raises(BundleError, match="does not belong in one"):
        import_persona(tmp_path / "evil.zip", tmp_path / "new" / "bundles")
    assert not list(tmp_path.rglob("file"))


def test_another_base_is_not_overwritten(library: Library, exported: Path, shared_library: Library) -> None:
    card = library.folders[0] / "bases/char/base.json"
    card.write_text(card.read_text().replace(library.base("char")[1].id, "0" * 64))
    with pytest.raises(BundleError, match="is another base"):
        import_persona(exported, library.folders[0])


def test_a_persona_is_removed_unless_it_is_shipped(library: Library) -> None:
    assert remove_persona(library, "Ann") == library.folders[0] / "personas" / "ann"
    with pytest.raises(BundleError, match="no persona"):
        library.__class__(library.folders).find("ann")
    with pytest.raises(BundleError, match="comes with charbot"):
        remove_persona(Library((Library.shipped(),)), "joey")


def test_nowhere_to_write_is_told(library: Library, exported: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BundleError, match="could not be written"):
        export_persona(library, "ann", tmp_path / "file" / "ann.zip")
    with pytest.raises(BundleError, match="could not be imported"):
        import_persona(exported, tmp_path / "file")
    with pytest.raises(BundleError, match="could not be imported"):
        import_persona(tmp_path / "missing.zip", tmp_path / "new")
