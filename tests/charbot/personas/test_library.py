import json
import re
import shutil
from pathlib import Path

import pytest

from charbot.errors import BundleError
from charbot.personas.library import Library, match_name, similar_names, slug


@pytest.fixture
def town(tmp_path: Path) -> Library:
    for name in ("chandler", "mr-garrison", "mr-mackey", "kenny"):
        (tmp_path / "personas" / name).mkdir(parents=True)
    return Library((tmp_path,))


def test_slug() -> None:
    assert slug("Mr. Garrison") == "mr-garrison"
    assert slug("  Ann ") == "ann"
    assert slug("Zoë") == "zoë"
    assert slug("../..") == ""
    assert slug("\u0930\u093e\u092e") != slug("\u0930\u094b\u092e"), "vowels are marks there"


@pytest.mark.parametrize("name", ["Mr. Garrison", "mr-garrison", "MR GARRISON", "garrison"])
def test_a_name_is_found_as_people_type_it(town: Library, name: str) -> None:
    assert town.find(name).name == "mr-garrison"


@pytest.mark.parametrize(
    ("name", "hint"), [("chandlr", "chandler"), ("mr", "mr-garrison or mr-mackey"), ("kennny", "kenny"), ("keny", "kenny")]
)
def test_the_nearest_names_are_suggested(town: Library, name: str, hint: str) -> None:
    with pytest.raises(BundleError, match=f"Did you mean {hint}"):
        town.find(name)


@pytest.mark.parametrize("name", ["", "zzz", "../personas/kenny", "/", "."])
def test_what_is_no_name_is_refused(town: Library, name: str) -> None:
    with pytest.raises(BundleError, match="no persona called"):
        town.find(name)


def test_a_name_among_others_is_matched_as_a_persona_s_is() -> None:
    names = ["Mr. Garrison", "Mr. Mackey", "Ann"]
    assert [match_name(typed, names) for typed in ("mr garrison", "MACKEY", "ann", "mr", "", "zed")] == [
        "Mr. Garrison", "Mr. Mackey", "Ann", None, None, None,
    ]  # fmt: skip
    assert similar_names("mr", names) == ["Mr. Garrison", "Mr. Mackey"]
    assert similar_names("anne", names) == ["Ann"]


def test_an_empty_library_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="charbot train"):
        Library((tmp_path,)).find("ann")
    with pytest.raises(BundleError, match="charbot train --base"):
        Library((tmp_path,)).base("word")


def test_the_folder_before_hides_the_one_after(town: Library, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "personas" / "kenny").mkdir(parents=True)
    (own / "personas" / ".half-written").mkdir()
    both = Library((own, *town.folders))
    assert both.find("kenny").parent.parent == own
    assert both.find("chandler").parent.parent == town.folders[0]
    assert len(both.personas) == 4


def test_who_cannot_be_used_and_why_is_told(library: Library, shared_library: Library) -> None:
    ann = library.find("ann")
    assert library.broken == {}
    shutil.copytree(ann, ann.with_name("bob"))
    card = json.loads((ann / "persona.json").read_text())
    (ann.with_name("bob") / "persona.json").write_text(json.dumps(card | {"data": None}))
    base = library.folders[0] / "bases/word/base.json"
    base.write_text(json.dumps(json.loads(base.read_text()) | {"format": 1}))
    broken = Library(library.folders).broken
    assert "bob/persona.json: is damaged" in broken["bob"]
    assert "`charbot train --base --unit word`" in broken["ann"]
    # The same base, elsewhere: who stands on it is in nobody's way.
    assert set(Library((*library.folders, *shared_library.folders)).broken) == {"bob"}
    shutil.rmtree(base.parent)
    assert "the word base that this persona stands on" in Library(library.folders).broken["ann"]
    assert not list(Library(library.folders).cards()), "nobody is offered who cannot reply"
    assert "`charbot train --unit word --persona NAME`" in Library(library.folders).broken["ann"]


def test_a_damaged_persona_does_not_hide_the_others(library: Library) -> None:
    broken = library.folders[0] / "personas" / "broken"
    broken.mkdir()
    (broken / "persona.json").write_text("{")
    assert [card.name for _, card in Library(library.folders).cards()] == ["Ann"]


def test_each_file_of_a_bundle_is_verified_without_loading_it(library: Library) -> None:
    library.verify()
    files = [
        path for path in library.folders[0].glob("*/*/*") if path.suffix != ".json" and path.parent.parent.name != "classifier"
    ]
    assert len(files) > 4
    for path in files:
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(BundleError, match=re.escape(f"{path}: is damaged")):
            library.verify()
        path.unlink()
        with pytest.raises(BundleError, match=re.escape(f"{path}: is missing")):
            library.verify()
        path.write_bytes(content)
