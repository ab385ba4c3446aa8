import contextlib
import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from charbot.config import ChatSettings, CorpusSettings
from charbot.corpus.chats import ChatFiles
from charbot.dialogue import Utterance
from charbot.errors import BundleError, UsageError
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.personas.bundle import write_base
from charbot.personas.copy_guard import CopyGuard
from charbot.personas.library import Library
from charbot.personas.transfer import begin_voice, export_card, export_persona, import_persona, remove_base, remove_persona
from charbot.tokens.vocabulary import UNITS, Vocabulary
from tests.conftest import tiny_model


@pytest.fixture
def exported(library: Library, tmp_path: Path) -> Path:
    export_persona(library, "ann", tmp_path / "ann.zip")
    return tmp_path / "ann.zip"


def test_an_exported_persona_speaks_elsewhere(library: Library, exported: Path, tmp_path: Path) -> None:
    assert import_persona(exported, tmp_path / "new") == tmp_path / "new" / "personas" / "ann"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["bases", "personas"]
    settings = ChatSettings(candidates=2, max_words=4, seed=1)
    said = [
        Persona(Library((folder,)), "ann").reply(Conversation(), settings).text
        for folder in (tmp_path / "new", library.folders[0])
    ]
    assert said[0] == said[1]
    before = sorted(path for path in (tmp_path / "new").rglob("*"))
    import_persona(exported, tmp_path / "new")
    assert sorted(path for path in (tmp_path / "new").rglob("*")) == before, "again, in the place of the one before"


def test_files_without_a_date_are_exported(library: Library, tmp_path: Path) -> None:
    for file in library.find("ann").iterdir():
        os.utime(file, (0, 0))
    export_persona(library, "ann", tmp_path / "ann.zip")
    assert import_persona(tmp_path / "ann.zip", tmp_path / "new").name == "ann"


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


@pytest.mark.parametrize("damaged", ["personas/ann/persona.json", "personas/ann/voice.json.gz", "bases/word/base.json"])
def test_a_damaged_file_is_named_as_in_the_archive(exported: Path, tmp_path: Path, damaged: str) -> None:
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(exported) as good, zipfile.ZipFile(bad, "w") as archive:
        for name in good.namelist():
            archive.writestr(name, b"damage" if name == damaged else good.read(name))
    with pytest.raises(BundleError, match=f"^{bad}: {damaged}: is damaged"):
        import_persona(bad, tmp_path / "new")


@pytest.mark.parametrize(
    "name", ["../../evil/file", "/etc/evil/file", "personas/ann/deep/file", "other/ann/file", "personas/../file"]
)
def test_a_file_cannot_write_elsewhere(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(name, b"evil")
    with pytest.raises(BundleError, match="does not belong in one"):
        import_persona(tmp_path / "evil.zip", tmp_path / "new" / "bundles")
    assert not list(tmp_path.rglob("file"))


def _other_bases(library: Library, vocabularies: dict[str, Vocabulary], folder: Path) -> Library:
    """A library whose bases have other weights, and therefore another id."""
    for unit in UNITS:
        model = tiny_model(vocabularies[unit], seed=8)
        write_base(
            folder / "bases" / unit, vocabularies[unit], model.architecture.to_json(), dict(model.named_parameters()),
            CopyGuard.of([]), {}, {},
        )  # fmt: skip
    return Library((folder,))


def test_an_imported_base_is_nobody_else_s(
    library: Library, exported: Path, vocabularies: dict[str, Vocabulary], tmp_path: Path
) -> None:
    mine = _other_bases(library, vocabularies, tmp_path / "mine")
    before = {unit: mine.base(unit)[1].id for unit in UNITS}
    import_persona(exported, tmp_path / "mine")
    assert {unit: mine.base(unit)[1].id for unit in UNITS} == before, "what is trained next stands on one's own base"
    assert mine.personas_on(library.base("word")[1].id) == ["Ann"]
    assert Persona(Library(mine.folders), "ann").reply(Conversation(), ChatSettings(candidates=2, max_words=4)).text


def test_an_imported_base_alone_is_none_to_train_on(exported: Path, tmp_path: Path) -> None:
    import_persona(exported, tmp_path / "new")
    with pytest.raises(BundleError, match="there is no word base"):
        Library((tmp_path / "new",)).base("word")


def test_removing_takes_away_what_the_import_brought(
    library: Library, exported: Path, vocabularies: dict[str, Vocabulary], tmp_path: Path
) -> None:
    mine = _other_bases(library, vocabularies, tmp_path / "mine")
    before = sorted(tmp_path.rglob("mine/**/*.*"))
    folder = import_persona(exported, tmp_path / "mine")
    shutil.copytree(folder, folder.with_name("twin"))
    assert remove_persona(Library(mine.folders), "Ann") == [folder], "the twin stands on the bases too"
    removed = remove_persona(Library(mine.folders), "twin")
    assert [path.parent.name for path in removed] == ["personas", "bases", "bases"]
    assert sorted(tmp_path.rglob("mine/**/*.*")) == before


def test_a_base_that_somebody_stands_on_stays(library: Library) -> None:
    with pytest.raises(UsageError, match="Ann could not reply without the base word"):
        remove_base(library, "word")
    with pytest.raises(BundleError, match="no base called 'Word'"):
        remove_base(library, "Word")
    with pytest.raises(BundleError, match="comes with charbot"):
        remove_base(Library((Library.shipped(),)), "word")
    remove_persona(library, "ann")
    assert remove_base(Library(library.folders), "word") == library.folders[0] / "bases" / "word"


def test_another_persona_of_the_name_is_not_overwritten(library: Library, exported: Path) -> None:
    card = library.folders[0] / "personas" / "ann" / "persona.json"
    card.write_text(card.read_text().replace('"Demo"', '"Another"'))
    before = card.read_text()
    with pytest.raises(BundleError, match="is another persona called Ann"):
        import_persona(exported, library.folders[0])
    assert card.read_text() == before


def test_an_export_replaces_no_file(library: Library, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Buy tea.")
    with pytest.raises(BundleError, match="is there already"):
        export_persona(library, "ann", tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "Buy tea."


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", ""), ("name", "A\nB"), ("name", "A\x1b]0;hi\x07"), ("name", "A" * 500), ("show", "\x9b1m"), ("rating", "whatever")],
)
def test_what_no_persona_is_called_is_refused(library: Library, tmp_path: Path, key: str, value: str) -> None:
    card = library.folders[0] / "personas" / "ann" / "persona.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {key: value}))
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        for file in card.parent.iterdir():
            archive.write(file, f"personas/ann/{file.name}")
    with pytest.raises(BundleError, match="is damaged") as caught:
        import_persona(tmp_path / "odd.zip", tmp_path / "new")
    assert str(caught.value).isprintable()


def test_a_persona_is_removed_unless_it_is_shipped(library: Library) -> None:
    assert remove_persona(library, "Ann") == [library.folders[0] / "personas" / "ann"]
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


@pytest.mark.parametrize("suffix", ["png", "json"])
def test_an_import_of_a_card_names_the_command_that_reads_it(library: Library, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ann.{suffix}"
    export_card(library, "ann", path)
    with pytest.raises(BundleError, match=r"it is a character card: `charbot personas card .*/ann\."):
        import_persona(path, tmp_path / "new")
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(BundleError, match="exported") as caught:
        import_persona(path, tmp_path / "new")
    assert "personas card" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["png", "json"])
def test_a_persona_as_a_card_and_back_as_a_voice(library: Library, tmp_path: Path, suffix: str) -> None:
    path, voice = tmp_path / f"ann.{suffix}", tmp_path / "ann.jsonl"
    export_card(library, "ann", path)
    assert begin_voice(path, voice) == 2
    (collected,) = (chat.turns for chat in ChatFiles((voice,), CorpusSettings()) if "kettle" in chat.turns[0].text)
    assert collected == (Utterance("user", "Is the kettle whistling?"), Utterance("Ann", "The kettle is on!"))
    for again in (lambda: export_card(library, "ann", path), lambda: begin_voice(path, voice)):
        with pytest.raises(BundleError, match="is there already"):
            again()


def test_what_has_no_end_is_not_imported(tmp_path: Path) -> None:
    for path in (Path("/dev/zero"), tmp_path):
        with pytest.raises(BundleError, match=f"^{path}: is no file$"):
            import_persona(path, tmp_path / "out")
