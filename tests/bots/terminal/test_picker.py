"""What the picker offers, and how it asks where there is nothing but lines of text."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest
from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.output.vt100 import Vt100_Output

from bots.terminal.picker import choices, pick
from bots.terminal.theme import THEMES
from charbot.errors import BundleError
from charbot.personas.library import Library
from charbot.storage import sha256

THEME = THEMES["terminal"]


def _person(library: Library, name: str, **changes: object) -> Path:
    """A copy of Ann under another name."""
    ann = library.folders[0] / "personas" / "ann"
    folder = Path(shutil.copytree(ann, ann.with_name(name.lower().replace(" ", "-"))))
    card = json.loads((ann / "persona.json").read_text())
    (folder / "persona.json").write_text(json.dumps(card | {"name": name} | changes))
    return folder


@pytest.fixture
def town(library: Library) -> Library:
    for name in ("Mr Owl", "Mr Fox", "Mr Fox Junior"):
        _person(library, name, rating="mature")
    return Library(library.folders)


def test_who_cannot_be_used_is_no_choice(town: Library) -> None:
    _person(town, "Broken", data=None)
    assert [one.name for one in choices(Library(town.folders))] == ["Ann", "Mr Fox", "Mr Fox Junior", "Mr Owl"]
    assert choices(town)[1].about == "(mature) trained on 9 lines"


def _introduce(library: Library, text: str) -> Path:
    """Have Ann introduce herself in a voice, and return its file."""
    folder = library.find("ann")
    voice = folder / "voice.json"
    voice.write_text(json.dumps([[["user", "Who are you?"], ["Ann", text]]]))
    card = json.loads((folder / "persona.json").read_text())
    (folder / "persona.json").write_text(json.dumps(card | {"voice": sha256(voice)}))
    return voice


def test_a_voice_says_who_somebody_is(library: Library) -> None:
    voice = _introduce(library, "Ann. I brew tea.")
    assert [choice.about for choice in choices(Library(library.folders))] == ["Ann. I brew tea."]
    voice.write_text("damaged")
    assert [choice.about for choice in choices(Library(library.folders))] == ["trained on 9 lines"]


def test_where_nobody_can_be_used_a_line_says_why(town: Library) -> None:
    for path in (town.folders[0] / "personas").glob("*/persona.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 1}))
    with pytest.raises(BundleError, match=r"^none of 4 personas can be used: .*format 1.*`charbot train --persona Ann`\.$"):
        choices(Library(town.folders))
    with pytest.raises(BundleError, match="charbot train --persona NAME"):
        choices(Library(()))


def test_forty_columns_show_who_each_is_and_who_is_missing(town: Library) -> None:
    _person(town, "Broken", data=None)
    written = io.StringIO()
    with create_pipe_input() as keys:
        output = Vt100_Output(written, lambda: Size(rows=20, columns=40), term="xterm")
        with create_app_session(input=keys, output=output):
            keys.send_text("\x1b[B\r")
            assert pick(Library(town.folders), THEME) == "Mr Fox"
    screen = pyte.Screen(40, 20)
    # In the end it clears away what it showed.
    pyte.Stream(screen).feed(written.getvalue().rpartition("\x1b[J")[0])
    shown = "\n".join(line.rstrip() for line in screen.display)
    assert "\n > Ann            trained on 9 lines\n" in shown
    assert "\ncannot be used: broken (`charbot\npersonas list` says why)" in shown


def test_what_a_row_has_no_room_for_is_below_the_list(library: Library) -> None:
    _introduce(library, "Ann. I brew tea for everybody on this street.")
    written = io.StringIO()
    with create_pipe_input() as keys:
        output = Vt100_Output(written, lambda: Size(rows=12, columns=40), term="xterm")
        with create_app_session(input=keys, output=output):
            keys.send_text("\r")
            assert pick(Library(library.folders), THEME) == "Ann"
    screen = pyte.Screen(40, 12)
    pyte.Stream(screen).feed(written.getvalue().rpartition("\x1b[J")[0])
    lines = [line.rstrip() for line in screen.display if line.strip()]
    assert lines[-2:] == ["Ann. I brew tea for everybody on this", "street."]


def test_ctrl_z_suspends_the_picker(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    suspended = []
    monkeypatch.setattr(Application, "suspend_to_background", lambda app: suspended.append(app))
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("\x1a\x03")
        assert pick(library, THEME) is None
    assert len(suspended) == 1


@pytest.fixture
def dumb(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TERM", "dumb")
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        yield


@pytest.mark.usefixtures("dumb")
@pytest.mark.parametrize(
    ("answers", "picked", "told"),
    [
        (["2"], "Mr Fox", ""),
        (["ann"], "Ann", ""),
        (["mr fox"], "Mr Fox", ""),
        (["junior"], "Mr Fox Junior", ""),
        (["mr", "owl"], "Mr Owl", "Mr Fox or Mr Fox Junior or Mr Owl?"),
        (
            ["9", "owl"],
            "Mr Owl",
            "Nobody of that name or show. Type a number from 1 to 4, or how a name or show begins; Ctrl-D leaves.",
        ),
        (["mr nobody", "demo", "1"], "Ann", "Ann or Mr Fox or Mr Fox Junior or Mr Owl?"),
        ([""], "Mr Owl", "(number or name; Enter: Mr Owl)"),
    ],
)
def test_a_dumb_terminal_is_asked_in_lines(
    town: Library, answers: list[str], picked: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _person(town, "Broken", data=None)
    left = iter(answers)

    def answer(question: str) -> str:
        print(question)
        return next(left)

    monkeypatch.setattr("builtins.input", answer)
    assert pick(Library(town.folders), THEME, "mr-owl") == picked
    shown = capsys.readouterr().out
    assert "  2  Mr Fox (Demo): (mature) trained on 9 lines\n" in shown
    assert "cannot be used: broken (`charbot personas list` says why)\n" in shown
    assert told in shown
    assert next(left, None) is None
