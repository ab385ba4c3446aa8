"""What tests of frontends share: a library of several people."""

import json
import shutil

import pytest

from charbot.personas.library import Library


def write_copy(library: Library, name: str, **changes: object) -> None:
    """A persona that replies as Ann does, under another name, with changes of its card."""
    ann = library.find("ann")
    folder = ann.with_name(name.casefold())
    shutil.copytree(ann, folder)
    card = json.loads((folder / "persona.json").read_text())
    (folder / "persona.json").write_text(json.dumps({**card, "name": name, **changes}))


@pytest.fixture(scope="session")
def company(shared_library: Library, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Ann and Bob of one show, Cy of another, who has no char model. For tests that only read it."""
    folder = tmp_path_factory.mktemp("company") / "bundles"
    shutil.copytree(shared_library.folders[0], folder)
    library = Library((folder,))
    write_copy(library, "Bob")
    word = json.loads((library.find("ann") / "persona.json").read_text())["fits"]["word"]
    write_copy(library, "Cy", show="Other", rating="mature", fits={"word": word})
    return Library((folder,))
