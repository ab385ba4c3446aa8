"""The documents speak of what is there."""

import argparse
import contextlib
import io
import re
import runpy
import shlex
import tomllib
from pathlib import Path

import pytest

import charbot
from charbot.cli.parser import parse, parser_of_all

ROOT = Path(__file__).parent.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "charbot" / "bundles" / "MODEL_CARD.md")
}
README = PAGES["README.md"]
GUIDES = sorted(set(PAGES) - {"CHANGELOG.md", "EXPERIMENTS.md"})
"""Pages that speak of what is there now. The others also speak of what was."""


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_map_of_modules_is_up_to_date() -> None:
    built = runpy.run_path(str(ROOT / "docs" / "build_architecture.py"))["build"]()
    assert built == PAGES["docs/architecture.md"], "run python docs/build_architecture.py"


def test_the_map_has_every_module_and_says_what_it_is() -> None:
    for room in ("charbot", "trainer", "bots"):
        for path in (ROOT / room).rglob("*.py"):
            if not path.name.startswith("__"):
                name = re.escape(path.relative_to(ROOT).as_posix())
                assert re.search(rf"^\| `{name}` \| \S.* \|$", PAGES["docs/architecture.md"], re.M), path


@pytest.mark.parametrize("page", GUIDES)
def test_what_the_documents_point_to_exists(page: str) -> None:
    for name in re.findall(r"`((?:charbot|trainer|bots|tests|scripts_data|docs|deploy)/[\w/.-]*)`", PAGES[page]):
        if "your_format" not in name:
            assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        if not target.startswith("https://"):
            file, _, anchor = target.partition("#")
            path = (ROOT / page).parent / file if file else ROOT / page
            assert path.exists(), target
            if anchor:
                assert anchor in map(_anchor, re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.M)), target


def test_the_first_commands_are_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    first = re.search(r"```sh\n(.*?)```", README, re.S)
    assert first is not None
    targets = re.findall(r"^make (\w+)", first[1], re.M)
    assert targets == ["chat", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M)


@pytest.mark.parametrize("page", GUIDES)
def test_commands_can_be_typed_as_they_stand(page: str) -> None:
    blocks = re.findall(r"```sh\n([^`]*)```|((?:^    .*\n)+)", PAGES[page], re.M)
    for line in "\n".join(map("\n".join, blocks)).splitlines():
        for command in re.findall(r"(?:^|[|(]) *(charbot(?: [^|<>)]*)?)", line.strip()):
            words = shlex.split(command, comments=True)[1:]
            said = io.StringIO()
            try:
                with contextlib.redirect_stderr(said):
                    parse(words)
            except SystemExit:
                pytest.fail(f"{command}: {said.getvalue()}")


def test_the_man_page_has_every_command_and_its_examples_can_be_typed() -> None:
    page = (ROOT / "deploy" / "charbot.1").read_text("ascii")
    (commands,) = (action for action in parser_of_all()._actions if isinstance(action, argparse._SubParsersAction))
    listed = re.search(r"^\.SH COMMANDS\n(.*?)^\.SH", page, re.S | re.M)
    assert listed is not None
    assert sorted(re.findall(r"^\.TP\n\.B (\w+)$", listed[1], re.M)) == sorted(commands.choices)
    examples = re.search(r"^\.EX\n(.*?)^\.EE", page, re.S | re.M)
    assert examples is not None
    for command in re.findall(r"\bcharbot (.+)$", examples[1].replace("\\-", "-"), re.M):
        assert parse(shlex.split(command)).run


@pytest.mark.parametrize("page", GUIDES)
def test_python_imports_what_there_is(page: str) -> None:
    for block in re.findall(r"```python\n(.*?)```", PAGES[page], re.S):
        compile(block, page, "exec")
        for names in re.findall(r"^from charbot import (.+)$", block, re.M):
            assert set(names.split(", ")) <= set(charbot.__all__)


def test_the_api_page_has_every_public_name() -> None:
    names = re.findall(r"^\.\. auto(?:class|exception|function):: charbot\.(\w+)(?:\(.*\))?$", PAGES["docs/api.md"], re.M)
    assert sorted(names) == charbot.__all__


@pytest.mark.slow
def test_the_readme_s_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.S)
    assert block is not None
    exec(block[1], {})
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_experiments_begin_with_their_contents() -> None:
    text = PAGES["EXPERIMENTS.md"]
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert re.findall(r"^- \[(.+)\]\(#.+\)$", text[: text.index("\n## ")], re.M) == headings


def test_the_model_card_is_shipped() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]["charbot"]
    shipped = {path for pattern in data for path in (ROOT / "charbot").glob(pattern)}
    assert ROOT / "charbot" / "bundles" / "MODEL_CARD.md" in shipped
