"""The documents speak of what is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_map_has_every_module() -> None:
    for room in ("charbot", "trainer", "bots"):
        for path in (ROOT / room).rglob("*.py"):
            if not path.name.startswith("__"):
                assert re.search(rf"`[^|]*\b{re.escape(path.name)}`", README), path


def test_what_the_documents_point_to_exists() -> None:
    for name in re.findall(r"`((?:charbot|trainer|bots|tests|scripts_data)/[\w/.-]+)`", README + CONTRIBUTING):
        if "your_format" not in name:
            assert (ROOT / name).exists(), name


def test_the_first_commands_are_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    first = re.search(r"```sh\n(.*?)```", README, re.S)
    assert first is not None
    targets = re.findall(r"^make (\w+)", first[1], re.M)
    assert targets == ["chat", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M)
