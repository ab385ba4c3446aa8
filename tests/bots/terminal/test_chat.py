"""The chat in a pseudo-terminal, with tiny bundles: what a person types, and what stands on the screen."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from charbot.personas.library import Library
from charbot.scripts.reader import read_scripts

PROMPT = "You:"


class Terminal:
    """A chat that runs in a pseudo-terminal of its own, its home an empty folder."""

    def __init__(self, library: Library, home: Path, *arguments: str) -> None:
        self.home = home
        environment = {**os.environ, "HOME": str(home), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        environment.pop("XDG_STATE_HOME", None)
        environment.pop("XDG_DATA_HOME", None)
        command = ["-m", "charbot", "chat", *arguments, "--bundles", str(library.folders[0])]
        self.child: pexpect.spawn[str] = pexpect.spawn(
            sys.executable, command, env=environment, encoding="utf-8", timeout=90, dimensions=(40, 100), cwd=str(home)
        )

    def say(self, text: str) -> None:
        self.child.send(text + "\r")

    def expect(self, pattern: str) -> str:
        """Waits for a pattern; what stood before it, without the terminal's own codes."""
        self.child.expect(pattern)
        return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", str(self.child.before or ""))

    def close(self) -> None:
        """Ends it at once; waited for, because a busy machine takes its time to clear up."""
        self.child.kill(signal.SIGKILL)
        self.child.wait()
        self.child.close()

    def exit_code(self) -> int | None:
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


@pytest.fixture
def chat(company: Library, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(company, tmp_path, "ann", "--seed", "1")
    terminal.expect(PROMPT)
    yield terminal
    terminal.close()


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
    chat.expect("temperature.top_p.unit.seed.candidates.max_words.context_turns.clean VALUE")
    chat.say("/persona chandlr-of-nowhere")
    chat.expect("no persona called")
    chat.say("/persona ann")
    chat.expect("from .*Demo")
    chat.say("/nonsense")
    chat.expect("no command /nonsense")
    chat.say("/Regenrate now")
    chat.expect("no command /Regenrate; .* Did you mean /regenerate?")
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
    terminal.expect("Who do you want")
    terminal.expect("Ann")
    terminal.child.send("zzz")
    terminal.expect("nobody of that name or show; Backspace brings the others back, Esc leaves")
    terminal.child.send("\x7f\x7f\x7fan")
    terminal.expect("Ann")
    terminal.child.send("\r")
    terminal.expect("from")
    terminal.expect(PROMPT)
    terminal.close()


def test_the_picker_can_be_left(shared_library: Library, tmp_path: Path) -> None:
    terminal = Terminal(shared_library, tmp_path)
    terminal.expect("Who do you want")
    terminal.child.sendcontrol("c")
    assert terminal.exit_code() == 0


def test_the_candidates_are_told_and_another_can_be_picked(chat: Terminal) -> None:
    chat.say("/why")
    chat.expect("no reply yet")
    chat.say("Hello")
    chat.expect("Ann: ")
    chat.expect(PROMPT)
    chat.say("/why")
    chat.expect("score")
    chat.expect("nats per character")
    chat.say("/pick " + "9" * 5000)
    chat.expect("NUMBER: 1 to")
    chat.say("/pick 99")
    chat.expect("NUMBER: 1 to")
    chat.say("/pick 2")
    chat.expect("Ann: ")
    chat.say("/stats")
    chat.expect("bits per character")
    chat.say("/save talk.json")
    chat.expect("Saved to talk.json")
    (kept,) = chat.home.rglob("chats/*.json")
    picked = json.loads((chat.home / "talk.json").read_text())["turns"]
    assert json.loads(kept.read_text())["session"]["turns"] == [[turn["speaker"], turn["text"]] for turn in picked]


def test_nothing_that_is_typed_ends_the_chat(chat: Terminal) -> None:
    chat.say("Hello")
    chat.expect("Ann: ")
    chat.expect(PROMPT)
    chat.say("/undo")
    chat.expect("taken back")
    chat.say("/pick 1")
    chat.expect("no reply yet")
    chat.say("/regenerate")
    chat.expect("no reply yet")
    for value in ("[", '!!int ""', "!!bool x", "!!timestamp never"):
        chat.say(f"/set seed {value}")
        chat.expect(re.escape(f"{value!r} is no value"))
    chat.say("/save ~nobody-at-all/talk.md")
    chat.expect("home directory")
    chat.expect(PROMPT)


def test_a_conversation_is_saved_and_goes_on(shared_library: Library, tmp_path: Path) -> None:
    first = Terminal(shared_library, tmp_path, "ann", "--seed", "1", "--no-stream")
    first.expect(PROMPT)
    first.say("/save there.md")
    first.expect("nothing has been said")
    for text in ("Hello", "Where is my mug?"):
        first.say(text)
        first.expect("Ann: ")
        first.expect(PROMPT)
    for name in ("talk.md", "talk.json", "talk.txt"):
        first.say(f"/save {name}")
        first.expect(f"Saved to {name}")
    first.say("/save talk.md")
    first.expect("there already")
    first.say("/save talk.doc")
    first.expect("must be one of")
    first.expect(PROMPT)
    first.child.sendcontrol("d")
    assert first.exit_code() == 0
    turns = json.loads((tmp_path / "talk.json").read_text())["turns"]
    assert [turn["speaker"] for turn in turns] == [None, "Ann"] * 2
    script = [(line.speaker, line.text.replace(" ", "")) for line in read_scripts([tmp_path / "talk.txt"]).lines]
    assert script == [(turn["speaker"] or "You", turn["text"].replace(" ", "")) for turn in turns]
    assert "**You:** Where is my mug?" in (tmp_path / "talk.md").read_text()
    again = Terminal(shared_library, tmp_path, "--continue")
    again.expect("Where is my mug")
    again.expect(PROMPT)
    again.say("/undo")
    again.expect("taken back")
    again.close()


def test_without_a_conversation_none_goes_on(shared_library: Library, tmp_path: Path) -> None:
    terminal = Terminal(shared_library, tmp_path, "-c")
    terminal.expect("no conversation to continue")
    assert terminal.exit_code() == 2


def test_a_user_may_be_somebody_and_others_may_join_and_leave(chat: Terminal) -> None:
    chat.say("/as cy")
    chat.expect("You are Cy")
    chat.expect("Cy:")
    chat.say("/as cyy")
    chat.expect("Did you mean Cy")
    chat.say("/with ann")
    chat.expect("Ann takes part already")
    chat.say("/with bob")
    chat.expect("Ann and Bob take part")
    for name in ("Ann", "Bob", "Ann"):
        chat.say("")
        chat.expect(f"{name}: ")
        chat.expect("Cy:")
    chat.say("/without chandler")
    chat.expect("does not take part")
    chat.say("/without BOB")
    chat.expect("Ann takes part")
    chat.say("/without ann")
    chat.expect("alone with you")
    chat.say("Hello")
    chat.expect("Ann: ")


def test_it_counts_who_spoke_at_the_time(chat: Terminal) -> None:
    chat.say("Hello")
    chat.expect("Ann: ")
    chat.expect(PROMPT)
    chat.say("/as cy")
    chat.expect("Cy:")
    chat.say("Where is my mug?")
    chat.expect("Ann: ")
    chat.expect("Cy:")
    chat.say("/stats")
    chat.expect(r"messages +2\s+replies +2")


def test_a_conversation_goes_on_exactly(company: Library, tmp_path: Path) -> None:
    def said(name: str, *runs: tuple[list[str], list[str]]) -> str:
        home = tmp_path / name
        home.mkdir()
        for arguments, messages in runs:
            terminal = Terminal(company, home, "--no-stream", *arguments)
            for text in messages:
                terminal.expect(PROMPT)
                terminal.say(text)
            terminal.expect(PROMPT)
            terminal.say("/save talk.json")
            terminal.expect("Saved|is there already")
            terminal.say("/exit")
            assert terminal.exit_code() == 0
            saved = (home / "talk.json").read_text()
            (home / "talk.json").unlink()
        return saved

    begun = ["/with bob", "/set temperature 1.5", "Hello", "Where is my mug?", "/undo", "Tea?"]
    more = ["", "Is it hot?", "/undo", "/undo", "No tea?", "/regenerate", ""]
    whole = said("whole", (["ann", "--seed", "7"], begun + more))
    assert said("parts", (["ann", "--seed", "7"], begun), (["-c", "--seed", "7"], more)) == whole
    assert len(json.loads(whole)["turns"]) == 7


def test_a_message_of_several_lines(chat: Terminal) -> None:
    chat.child.send("\x1b[200~Where is\nmy mug?\x1b[201~")
    chat.child.send("\x1b\rReally?\r")
    chat.expect("Ann: ")
    chat.say("/stats")
    chat.expect(r"messages +1")


def test_ctrl_c_stops_a_reply(library: Library, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("chat: {candidates: 64, max_words: 200, unit: char}")
    terminal = Terminal(library, tmp_path, "ann")
    terminal.expect(PROMPT)
    terminal.say("Hello")
    terminal.expect("Ann: ")
    terminal.child.sendcontrol("c")
    # The key may come at any moment: before it is waited for, too.
    terminal.expect("stopped|leaves")
    terminal.expect(PROMPT)
    terminal.child.sendcontrol("d")
    assert terminal.exit_code() == 0


def test_a_home_that_cannot_be_written_is_no_obstacle(shared_library: Library, tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file, where a folder would be needed")
    terminal = Terminal(shared_library, tmp_path, "ann")
    terminal.expect(PROMPT)
    terminal.say("Hello")
    terminal.expect("Ann: ")
    terminal.close()
