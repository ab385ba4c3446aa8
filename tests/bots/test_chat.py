"""The chat in a pseudo-terminal, with tiny bundles: what a person types, and what stands on the screen."""

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from charbot.personas.library import Library

PROMPT = "You:"


class Terminal:
    """A chat that runs in a pseudo-terminal of its own, its home an empty folder."""

    def __init__(self, library: Library, home: Path, *arguments: str) -> None:
        environment = {**os.environ, "HOME": str(home), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        environment.pop("XDG_STATE_HOME", None)
        environment.pop("XDG_DATA_HOME", None)
        command = ["-m", "charbot", "chat", *arguments, "--bundles", str(library.folders[0])]
        self.child: pexpect.spawn[str] = pexpect.spawn(
            sys.executable, command, env=environment, encoding="utf-8", timeout=30, dimensions=(40, 100), cwd=str(home)
        )

    def say(self, text: str) -> None:
        self.child.send(text + "\r")

    def expect(self, pattern: str) -> str:
        """Waits for a pattern; what stood before it, without the terminal's own codes."""
        self.child.expect(pattern)
        return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", str(self.child.before or ""))

    def exit_code(self) -> int | None:
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


@pytest.fixture
def chat(shared_library: Library, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(shared_library, tmp_path, "ann", "--seed", "1")
    terminal.expect(PROMPT)
    yield terminal
    terminal.child.close(force=True)


def test_a_conversation(chat: Terminal) -> None:
    chat.say("Hello there")
    chat.expect("Ann: ")
    assert chat.expect(PROMPT).strip()
    chat.say("/regenerate")
    chat.expect("Ann: ")
    chat.expect(PROMPT)
    chat.say("/undo")
    chat.expect("taken back")
    chat.say("/undo")
    chat.expect("nothing to take back")
    chat.say("/regenerate")
    chat.expect("no reply yet")
    chat.say("/exit")
    assert chat.exit_code() == 0


def test_settings_and_personas(chat: Terminal) -> None:
    chat.say("/set temperature 0.5")
    chat.expect("temperature is 0.5")
    chat.say("/set temperature hot")
    chat.expect("must be a number")
    chat.say("/set colour red")
    chat.expect("temperature.unit.seed VALUE")
    chat.say("/persona chandlr-of-nowhere")
    chat.expect("no persona called")
    chat.say("/persona ann")
    chat.expect("from Demo")
    chat.say("/nonsense")
    chat.expect("no command /nonsense")
    chat.say("/help")
    chat.expect("/regenerate")


def test_ctrl_c_clears_the_line_and_ctrl_d_leaves(chat: Terminal) -> None:
    chat.child.send("half a thou")
    chat.child.sendcontrol("c")
    chat.expect("Ctrl-D")
    chat.expect(PROMPT)
    chat.child.sendcontrol("d")
    assert chat.exit_code() == 0


@pytest.mark.parametrize("seconds", [0.2, 1.0, 1.6])
def test_leaving_while_the_models_load_is_clean(chat: Terminal, seconds: float) -> None:
    time.sleep(seconds)
    chat.child.sendcontrol("d")
    assert chat.exit_code() == 0
    assert chat.child.signalstatus is None


def test_odd_messages_get_a_sensible_answer(chat: Terminal) -> None:
    for text in ("😀" * 10, "שלום", "x" * 3_000):
        chat.say(text)
        chat.expect("Ann: ")
        chat.expect(PROMPT)
    chat.say("")
    chat.expect(PROMPT)
    assert "Traceback" not in str(chat.child.before)


def test_without_a_name_one_is_picked(shared_library: Library, tmp_path: Path) -> None:
    terminal = Terminal(shared_library, tmp_path)
    terminal.expect("Demo")
    terminal.expect("Ann")
    terminal.expect("number or name")
    terminal.say("nobody-at-all")
    terminal.expect("no persona called")
    terminal.expect("number or name")
    terminal.say("ann")
    terminal.expect("Ann.* from Demo")
    terminal.child.close(force=True)


def test_a_home_that_cannot_be_written_is_no_obstacle(shared_library: Library, tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file, where a folder would be needed")
    terminal = Terminal(shared_library, tmp_path, "ann")
    terminal.expect(PROMPT)
    terminal.say("Hello")
    terminal.expect("Ann: ")
    terminal.child.close(force=True)
