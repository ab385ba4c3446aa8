from pathlib import Path

import pytest

from charbot.errors import BundleError
from charbot.personas.library import Library, slug


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


def test_a_damaged_persona_does_not_hide_the_others(library: Library) -> None:
    broken = library.folders[0] / "personas" / "broken"
    broken.mkdir()
    (broken / "persona.json").write_text("{")
    assert [card.name for _, card in Library(library.folders).cards()] == ["Ann"]
