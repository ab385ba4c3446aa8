"""What stands on the screen of a real terminal (pyte), to the letter: the replies are written down."""

import json
import os
import re
import shutil
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pexpect
import pyte
import pytest

from bots.terminal.screen import listed
from charbot.personas.library import Library

CLEARED = ("NO_COLOR", "XDG_STATE_HOME", "XDG_DATA_HOME", "REPLY", "THINK", "LOAD", "SEEDS", "FAIL_AFTER")


class _Answering(pyte.HistoryScreen):
    """Tells a program that asks where the cursor stands."""

    child: "pexpect.spawn[str]"

    def write_process_input(self, data: str) -> None:
        self.child.send(data)


class Screen:
    """A terminal of so many columns and lines that a command runs in, and what stands on it."""

    def __init__(self, command: list[str], home: Path, columns: int = 60, lines: int = 30, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in CLEARED}
        self.raw = ""
        self._screen = _Answering(columns, lines, history=1000)
        self._stream = pyte.Stream(self._screen)
        self.child: pexpect.spawn[str] = pexpect.spawn(
            command[0], command[1:], dimensions=(lines, columns), encoding="utf-8", cwd=str(home),
            env={**kept, "HOME": str(home), "TERM": "xterm-256color", **environment},
        )  # fmt: skip
        self._screen.child = self.child

    @property
    def modes(self) -> set[int]:
        """The terminal's modes that are on; private ones are shifted by five bits."""
        return set(self._screen.mode)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def wait(self, wanted: str, seconds: float = 30) -> "Screen":
        """Reads until the text stands on the screen."""
        return self.until(lambda: wanted in self.text, wanted, seconds)

    def until(self, true: Callable[[], bool], what: str, seconds: float = 30) -> "Screen":
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"no {what!r} on the screen:\n{self.text}"
            self._read(0.1)
        return self

    def _read(self, seconds: float) -> None:
        try:
            found = self.child.read_nonblocking(10_000, timeout=seconds)
        except pexpect.TIMEOUT:
            return
        self.raw += found
        self._stream.feed(found)

    def type(self, text: str) -> "Screen":
        self.child.send(text)
        return self

    def say(self, text: str) -> "Screen":
        return self.type(text + "\r")

    def resize(self, columns: int, lines: int) -> None:
        self.child.setwinsize(lines, columns)
        self._screen.resize(lines, columns)

    def ends(self, code: int | None) -> None:
        """Reads to the end, and compares the exit code; None is an end by a signal."""
        end = time.monotonic() + 30
        while True:
            assert time.monotonic() < end, f"it does not end:\n{self.text}"
            try:
                self._read(0.1)
            except pexpect.EOF:
                break
        self.child.close()
        assert self.child.exitstatus == code, self.text

    def close(self) -> None:
        if not self.child.closed:
            self.child.kill(signal.SIGKILL)
            self.child.wait()
            self.child.close()


Start = Callable[..., Screen]


@pytest.fixture
def start(company: Library, tmp_path: Path) -> Iterator[Start]:
    """Starts the chat with written replies; further words are put on its command line."""
    root = Path(__file__).parents[3]
    started = []

    def begin(*arguments: str, columns: int = 60, lines: int = 30, **environment: str) -> Screen:
        command = [sys.executable, "-m", "tests.bots.terminal.written_chat", "chat", *arguments]
        command += ["--bundles", str(company.folders[0])]
        started.append(Screen(command, tmp_path, columns, lines, PYTHONPATH=str(root), **environment))
        return started[-1]

    yield begin
    for screen in started:
        screen.close()


def _above_the_bar(screen: Screen) -> list[str]:
    """The lines on the screen without the hint, the empty ones and the bar."""
    return [line for line in screen.text.splitlines() if line and not line.startswith(("Type a", "Ctrl-D"))][:-1]


def test_a_whole_conversation(start: Start) -> None:
    screen = start("ann", "--no-stream", "--seed", "7").wait("You:")
    screen.say("Hello, Ann!").wait("I heard 1").say("Tea?")
    screen.wait("I heard 3: Tea?").say("/why").wait("Something else.")
    screen.say("/pick 2").wait("Ann: Something else.")
    screen.say("/undo").wait("taken back")
    screen.say("Mine!").wait("I heard 3: Mine!")
    screen.until(lambda: screen.text.endswith("42 ms"), "bar")
    assert _above_the_bar(screen)[:4] == ["Ann from Demo", "You: Hello, Ann!", "Ann: I heard 1: Hello, Ann!", "You: Tea?"]
    bar = screen.text.splitlines()[-1]
    assert bar.split(" · ") == ["Ann", "word", "temperature 1", "seed 7", "42 ms"]
    screen.say("/exit").ends(0)


def _kept(home: Path) -> list[Path]:
    """The files of the conversations that are kept."""
    return list((home / ".local" / "state" / "charbot" / "chats").glob("*.json"))


def _saved(screen: Screen, home: Path) -> list[str]:
    """The conversation as /save writes it, after it was found to be the same where the chat is to go on."""
    (home / "said.txt").unlink(missing_ok=True)
    screen.say("/save said.txt").until((home / "said.txt").exists, "saved file")
    title, _, *saved = (home / "said.txt").read_text().splitlines()
    assert title.startswith("Written down by charbot: ")
    (path,) = _kept(home)
    kept = json.loads(path.read_text())["session"]
    assert [f"{name or 'You'}: {text}" for name, text in kept["turns"]] == saved
    assert [f"{name or 'You'}: {text}" for name, text in kept["memory"]["turns"]] == saved[-len(kept["memory"]["turns"]) :]
    return saved


def test_another_reply_takes_the_place_of_the_last_one_alone(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream").wait("You:").say("/with bob").wait("take part")
    screen.say("Hello").wait("Ann: I heard 1").say("").wait("Bob: I heard 2").say("").wait("Ann: I heard 3")
    before = _saved(screen, tmp_path)
    assert [line.partition(":")[0] for line in before] == ["You", "Ann", "Bob", "Ann"]
    screen.say("/pick 2").wait("Ann: Something else.").say("/as cy").wait("You are Cy")
    screen.say("/regenerate").until(lambda: screen.text.count("Ann: I heard 3") == 2, "another reply")
    assert _saved(screen, tmp_path) == before


def test_a_message_stays_if_its_reply_fails_or_is_stopped(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream", THINK="0.8", FAIL_AFTER="2").wait("You:").say("Hello").wait("Ann: I heard 1")
    screen.say("Tea?").until(lambda: screen.text.count("Ann:") == 2, "reply").child.sendcontrol("c")
    screen.wait("/regenerate asks again, /undo takes")
    assert [line.partition(":")[2] for line in _saved(screen, tmp_path)] == [" Hello", " I heard 1: Hello", " Tea?"]
    screen.say("/pick 2").wait("no reply yet").say("/regenerate").wait("I heard 3: Tea?")
    screen.say("More").wait("out of breath")
    assert _saved(screen, tmp_path)[-1] == "You: More"
    screen.say("/undo").wait("The last message is taken back.")
    assert len(_saved(screen, tmp_path)) == 4
    screen.say("/undo").wait("The last message and its reply are taken back.").say("/pick 2").wait("Ann: Something else.")
    assert _saved(screen, tmp_path) == ["You: Hello", "Ann: Something else."]


def test_a_second_reply_that_fails_or_is_stopped_leaves_the_first(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream", THINK="0.8", FAIL_AFTER="2").wait("You:").say("/with bob").wait("take part")
    screen.say("Hello").wait("Ann: I heard 1").say("").wait("Bob: I heard 2")
    before = _saved(screen, tmp_path)
    screen.say("/regenerate").until(lambda: screen.text.count("Bob:") == 2, "another reply").child.sendcontrol("c")
    screen.wait("The reply before stays.")
    assert _saved(screen, tmp_path) == before
    screen.say("/regenerate").wait("out of breath")
    assert _saved(screen, tmp_path) == before


def test_whoever_was_to_reply_is_asked_again(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream", THINK="0.8").wait("You:").say("/with bob").wait("take part")
    screen.say("Hello").wait("Ann: I heard 1").say("Tea?").wait("Bob:").child.sendcontrol("c")
    screen.wait("(stopped").say("/regenerate").wait("Bob: I heard 3: Tea?")
    screen.say("").until(lambda: screen.text.count("Ann:") == 2, "reply").child.sendcontrol("c")
    screen.wait("Enter asks again.").say("").wait("Ann: I heard 4")
    assert [line.partition(":")[0] for line in _saved(screen, tmp_path)] == ["You", "Ann", "You", "Bob", "Ann"]


def test_every_conversation_is_kept_and_can_be_opened_again(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream", columns=90).wait("You:").say("/chats").wait("no conversation is kept yet")
    screen.say("Where is my kettle?").wait("I heard 1").say("/set temperature 0.5").wait("is 0.5")
    screen.say("/persona bob").wait("Bob from Demo").wait("The conversation before is kept")
    screen.say("Tea?").wait("Bob: I heard 1: Tea?").say("/reset").wait("A new conversation. The").say("/chats").wait("opens one")
    assert re.search(r"1 +Tea\? +Bob +\d.*\n2 +Where is my kettle\? +Ann ", screen.text)
    screen.say("/rename 7").wait("cannot be").say("/rename Nothing yet").wait("is called Nothing yet")
    screen.say("/chats where is my kettle?").wait("Ann: I heard 1: Where is my kettle?\nType").say("And tea?").wait(
        "I heard 3: And"
    )
    screen.until(lambda: "Ann · word · temperature 0.5" in screen.text, "settings").say("/rename Kettles").wait(
        "is called Kettles"
    )
    screen.say("/chats 3").wait("no conversation called").say("/exit").ends(0)
    assert len(_kept(tmp_path)) == 2
    start("-c", "--no-stream").wait("And tea?").say("/undo").wait("taken back").say("/chats").wait("1  Kettles")


def test_two_chats_that_continue_one_conversation_lose_nothing_and_the_second_is_told(start: Start, tmp_path: Path) -> None:
    start("ann", "--no-stream").wait("You:").say("Tea?").wait("I heard 1").say("/exit").ends(0)
    first, second = (start("-c", "--no-stream", columns=120).wait("You: Tea?").wait("Ctrl-D") for _ in range(2))
    first.say("One").wait("I heard 3: One")
    second.say("Two").wait("Another program has changed or removed this conversation").wait("I heard 3: Two")
    first.say("More").wait("I heard 5: More").say("/exit").ends(0)
    second.say("Still").wait("I heard 5: Still").say("/exit").ends(0)
    assert "Another program" not in first.text
    assert second.text.count("Another program") == 1
    kept = [json.loads(path.read_text())["session"]["turns"] for path in tmp_path.rglob("chats/*.json")]
    assert sorted([text for speaker, text in turns if speaker is None] for turns in kept) == [
        ["Tea?", "One", "More"], ["Tea?", "Two", "Still"],
    ]  # fmt: skip


def test_a_failure_to_keep_a_reply_is_told_below_it(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream", THINK="1").wait("You:").say("Hello").wait("Ann:")
    folder = tmp_path / ".local" / "state" / "charbot" / "chats"
    screen.until(folder.exists, "folder")
    shutil.rmtree(folder)
    folder.write_text("a file, where a folder would be needed")
    screen.wait("Ann: I heard 1: Hello\nThis conversation is not being kept")


def test_a_conversation_that_is_not_kept_is_told_once(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream").wait("You:")
    (tmp_path / ".local" / "state" / "charbot" / "chats").write_text("a file, where a folder would be needed")
    screen.say("Hello").wait("This conversation is not being kept: File exists.").say("Tea?").wait("I heard 3: Tea?")
    assert screen.text.count("not being kept") == 1
    (tmp_path / ".local" / "state" / "charbot" / "chats").unlink()
    screen.say("More").wait("I heard 5")
    assert len(_saved(screen, tmp_path)) == 6


def test_undo_takes_back_a_step_and_whose_turn_it_is(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream").wait("You:").say("/with bob").wait("take part")
    screen.say("").wait("Ann: I heard 0").say("Hello").wait("Bob: I heard 2").say("").wait("Ann: I heard 3")
    screen.say("/undo").wait("The last reply is taken back.")
    assert len(_saved(screen, tmp_path)) == 3
    screen.say("").until(lambda: screen.text.count("Ann: I heard 3") == 2, "Ann's turn")
    screen.say("/undo").say("/undo").wait("The last message and its reply are taken back.")
    screen.say("Hi").wait("Bob: I heard 2: Hi").say("/undo").say("/undo").say("/undo").wait("nothing to take back")
    screen.say("/regenerate").wait("there is no reply yet")


def test_a_conversation_goes_on_with_its_turn_its_past_and_its_candidates(start: Start, tmp_path: Path) -> None:
    first = start("ann", "--no-stream", "--seed", "7", SEEDS="1").wait("You:").say("/with bob").wait("take part")
    first.say("/set temperature 0.5").wait("temperature is 0.5").say("/as cy").wait("Cy:")
    first.say("Hello").wait("seed 7: Hello").say("").wait("Bob: I heard 2 with seed 8")
    before = _saved(first, tmp_path)
    first.say("/exit").ends(0)
    again = start("-c", "--no-stream", SEEDS="1").wait("Cy:").say("/why").wait("Something else.")
    again.wait(" · ".join(("Ann and Bob", "word", "temperature 0.5", "seed 7")))
    again.say("").wait("Ann: I heard 3 with seed 9").say("/undo").wait("last reply is taken back")
    assert _saved(again, tmp_path) == before
    again.say("/regenerate").wait("Bob: I heard 2 with seed 10")
    again.say("/undo").say("/undo").wait("message and its reply").say("/undo").wait("nothing to take back")
    again.say("/exit").ends(0)
    start("-c", "--no-stream", "--temperature", "0.7", SEEDS="1").wait("temperature 0.7").say("Hi").wait("with seed 11: Hi")


def test_a_reply_is_typed_out_at_reading_speed_and_ctrl_c_shows_the_rest(start: Start) -> None:
    reply = " ".join(f"word{number}" for number in range(300))
    screen = start("ann", lines=60, REPLY=reply).wait("You:")
    screen.say("Hello").wait("word5 ")
    assert "word299" not in screen.text
    screen.child.sendcontrol("c")
    # Typed out, it would take half a minute.
    screen.wait("word299", seconds=12).wait("You:")
    shown = " ".join(screen.text.split("Ann: ")[1].split("You:")[0].split())
    assert shown == reply


def test_turns_that_are_shown_again_break_no_word(start: Start) -> None:
    reply = " ".join(f"{number:03}" for number in range(40))
    first = start("ann", "--no-stream", columns=41, REPLY=reply).wait("You:").say("Hello").wait("039").say("/exit")
    first.ends(0)
    screen = start("-c", "--no-stream", columns=41).wait("039").say("/pick 2").wait("Something").say("/pick 1")
    screen.until(lambda: screen.text.count("039") == 2, "candidate")
    assert len(re.findall(r"\b\d{3}\b", screen.text)) == 80


def test_ctrl_c_stops_a_reply_that_is_being_written(start: Start) -> None:
    screen = start("ann", THINK="20").wait("You:").say("Hello").wait("Ann:")
    screen.child.sendcontrol("c")
    screen.wait("(stopped", seconds=15).say("/undo").wait("The last message is taken back")
    screen.until(lambda: screen.text.count("You:") == 3, "prompt").child.sendcontrol("d")
    screen.ends(0)


def test_what_is_typed_while_a_reply_is_written_is_not_lost_ctrl_d_neither(start: Start) -> None:
    screen = start("ann", "--no-stream", THINK="1").wait("You:").say("Hello").wait("Ann:")
    screen.say("And more").type("Bye").wait("I heard 3: And more").wait("You: Bye")
    assert "And more" not in screen.text.split("I heard 1")[0], "it does not show in the middle of a reply"
    screen.type("\r").wait("I heard 5").say("Once more").wait("Ann:")
    screen.child.sendcontrol("d")
    screen.ends(0)


def test_ctrl_c_at_any_moment_leaves_no_trace(start: Start) -> None:
    screen = start("ann", "--no-stream", THINK="0.05").wait("You:")
    for number in range(40):
        screen.say(f"Message {number}")
        time.sleep(0.013 * (number % 7))
        screen.child.sendcontrol("c")
        screen._read(0.05)
    screen.say("Still here?").wait("Still here?")
    assert "Traceback" not in screen.raw
    assert "ignored" not in screen.raw
    screen.say("/exit").ends(0)


@pytest.mark.parametrize("columns", [30, 40, 61])
def test_a_resize_while_a_reply_is_typed_out(start: Start, columns: int) -> None:
    reply = " ".join(f"{number:03}" for number in range(90))
    screen = start("ann", REPLY=reply).wait("You:").say("Hello").wait("020")
    screen.resize(columns, 40)
    screen.wait("089").wait("You:")
    words = [word for line in screen.text.splitlines() for word in re.findall(r"\b\d{3}\b", line)]
    assert words[-60:] == reply.split()[-60:], "no word is broken between lines"
    screen.say("Bye").wait("You: Bye")


def test_forty_columns_and_wide_characters(start: Start) -> None:
    screen = start("ann", "--no-stream", columns=40, REPLY="寿司" * 12 + " 😀 " + "ラーメン " * 9).wait("You:")
    screen.say("日本語で").wait("You: 日").wait("ラーメン")
    assert all(len(line.encode("utf-16-le")) <= 80 for line in screen.text.splitlines())
    screen.say("/help").wait("/exit")
    assert max(map(len, screen.text.splitlines())) <= 40


def test_no_colour_and_a_dumb_terminal(start: Start) -> None:
    plain = start("ann", "--no-stream", NO_COLOR="1").wait("You:").say("Hello").wait("I heard 1")
    assert not re.search(r"\x1b\[(\d+;)*(3[0-7]|9[0-7]|38|48)(;\d+)*m", plain.raw)
    dumb = start("ann", "--no-stream", columns=50, TERM="dumb").wait("You:").say("Hello").wait("I heard 1").say("/why")
    dumb.wait("Something else.").say("/help").wait("does Ctrl-D)")
    assert max(len(line.rstrip("\r")) for line in dumb.raw.split("\n")) <= 50, "tables are as wide as the terminal"
    dumb.say("/persona").wait("number or name").type("ann").wait("Ann) ann").say("").wait("Ann from Demo")
    assert "\x1b[3" not in dumb.raw
    assert not re.search(r"\x1b\[[\d;]*m", dumb.raw)
    dumb.say("/exit").ends(0)


def test_the_bar_leaves_out_what_it_has_no_room_for(start: Start) -> None:
    screen = start("ann", "--no-stream", "--seed", "123456", columns=40).wait("You:").say("Hello").wait("I heard 1")
    screen.until(lambda: screen.text.endswith("Ann · word · temperature 1 · seed 123456"), "bar")
    screen.resize(39, 30)
    screen.until(lambda: screen.text.endswith("Ann · word · temperature 1"), "shorter bar")
    screen.say("/with bob").say("/with cy").wait("Ann, Bob and Cy take part")
    screen.until(lambda: screen.text.endswith("Ann, Bob and Cy · word · temperature 1"), "bar of three")
    screen.resize(12, 30)
    screen.until(lambda: screen.text.endswith("Ann, Bob..."), "names alone")


def test_what_is_typed_while_a_command_works_waits_for_the_next_prompt(start: Start) -> None:
    screen = start("ann", LOAD="1").wait("You:").say("/as bob").type("typed ahead").wait("Bob: typed ahead")
    assert screen.text.count("typed ahead") == 1


def test_ctrl_d_leaves_at_once_whatever_is_being_loaded(start: Start) -> None:
    screen = start("ann", LOAD="90").wait("You:")
    screen.child.sendcontrol("d")
    screen.ends(0)
    screen = start("ann", LOAD="90").wait("You:").say("/as ann")
    screen.until(lambda: bool(termios.tcgetattr(screen.child.child_fd)[3] & termios.ISIG), "command").child.sendcontrol("c")
    screen.until(lambda: "(stopped)\nYou:" in screen.text, "prompt").say("/exit").ends(0)


def test_what_is_typed_after_a_stop_does_not_show_in_a_reply(start: Start) -> None:
    screen = start("ann", "--no-stream", THINK="60").wait("You:").say("Hello").wait("Ann:")
    assert screen.child.pid
    os.kill(screen.child.pid, signal.SIGSTOP)
    # Some shells do so with a program that goes on.
    modes = termios.tcgetattr(screen.child.child_fd)
    modes[3] |= termios.ECHO | termios.ICANON
    termios.tcsetattr(screen.child.child_fd, termios.TCSANOW, modes)
    os.kill(screen.child.pid, signal.SIGCONT)
    screen.until(lambda: not termios.tcgetattr(screen.child.child_fd)[3] & termios.ECHO, "silence")
    screen.type("typed").child.sendcontrol("c")
    screen.wait("You: typed")
    assert "Ann: (stopped)\n" in screen.text


def test_ctrl_c_stops_a_command_that_waits_for_a_model(start: Start) -> None:
    screen = start("ann", LOAD="9").wait("You:").say("/as ann")
    screen.until(lambda: bool(termios.tcgetattr(screen.child.child_fd)[3] & termios.ISIG), "command").child.sendcontrol("c")
    screen.until(lambda: "(stopped)\nYou:" in screen.text, "prompt", 5)
    screen.say("/exit").ends(0)


def test_ctrl_c_between_prompts_waits_for_the_next_one(tmp_path: Path) -> None:
    code = "from bots.terminal.screen import raw_mode\nimport os\nwith raw_mode():\n"
    code += "    print('now', flush=True)\n    print(os.read(0, 1))\n"
    screen = Screen([sys.executable, "-c", code], tmp_path, PYTHONPATH=str(Path(__file__).parents[3]))
    try:
        screen.wait("now").child.sendcontrol("c")
        screen.wait(r"b'\x03'")
    finally:
        screen.close()


def test_a_history_that_can_no_longer_be_written_is_no_obstacle(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream").wait("You:")
    history = tmp_path / ".local" / "state" / "charbot" / "history"
    history.unlink()
    history.mkdir()
    screen.say("Hello").wait("I heard 1").say("Again").wait("I heard 3").type("\x1b[A").wait("You: Again")
    assert "Traceback" not in screen.raw


def test_what_is_kept_is_for_nobody_else(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / ".local" / "state" / "charbot"
    folder.mkdir(parents=True, mode=0o755)
    start("ann", "--no-stream").wait("You:").say("Hello").wait("I heard 1").say("/exit").ends(0)
    modes = {path.suffix or path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    assert modes == {"charbot": 0o700, "chats": 0o700, "history": 0o600, "persona": 0o600, ".json": 0o600, ".lock": 0o600}


def test_a_kept_conversation_that_is_none_is_named_and_left_alone(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / ".local" / "state" / "charbot" / "chats"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text('{"cast": [], "me": null, "session": {}}')
    screen = start("-c", columns=300, lines=60)
    screen.ends(2)
    assert "1.json: is no conversation that charbot kept" in screen.text
    assert "no conversation to continue yet" in screen.text
    assert len(_kept(tmp_path)) == 1


@pytest.mark.parametrize("typed", ["", "   ", "\u200b"])
def test_an_empty_message_is_told(start: Start, typed: str) -> None:
    screen = start("ann", "--no-stream").wait("You:").say(typed).wait("Nothing was said: type a message")
    screen.say("/with bob").wait("take part").say(typed).wait("I heard 0: nothing")


def test_what_only_looks_like_a_command_is_a_message(start: Start) -> None:
    screen = start("ann", "--no-stream").wait("You:").say("/usr/bin is a folder").wait("I heard 1: /usr/bin is a folder")
    screen.say(" /help").wait("I heard 3: /help").say("/SHOW").wait("temperature    1.0").say("/regenrate")
    screen.wait("no command /regenrate").wait("mean /regenerate or /rename?").say("/Exit").ends(0)


def test_a_unit_that_somebody_lacks_is_refused_at_once(start: Start) -> None:
    screen = start("cy", "--no-stream").wait("You:").say("/set unit char").wait("Cy has no char model")
    screen.say("/set seed 2020-13-45").wait("is no value").say("/set unit word").wait("unit is word").say("Hi").wait("I heard 1")
    screen.say("/set unit char").say("/with ann").say("/show").wait("unit           word")


def test_personas_are_listed_with_their_shows_and_the_last_one_is_remembered_at_once(start: Start) -> None:
    screen = start("bob", columns=90).wait("You:").say("/personas").wait("Other")
    assert re.search(r"Cy +Other +\(mature\) trained on 9 lines", screen.text)
    screen.say("/exit").ends(0)
    start().wait("> Bob")


def test_completion_ignores_case_and_knows_settings(start: Start) -> None:
    screen = start("ann", "--no-stream").wait("You:").type("/WITH BO\t").wait("/with bob").say("").wait("Ann and Bob take part")
    screen.type("/without b\t").wait("/without Bob").say("").wait("Ann takes part")
    screen.type("/set tem\t").wait("/set temperature").type(" 0.5\r").wait("temperature is 0.5")


def test_names_are_listed_as_a_sentence_has_them() -> None:
    assert [listed(["Ann", "Bob", "Cy"][:count]) for count in (1, 2, 3)] == ["Ann", "Ann and Bob", "Ann, Bob and Cy"]


def test_history_is_searched_suggested_and_shared_by_two_chats(start: Start) -> None:
    one, other = start("ann", "--no-stream").wait("You:"), start("ann", "--no-stream").wait("You:")
    one.say("Where is my kettle?").wait("I heard 1: Where")
    other.say("No tea today.").wait("I heard 1: No tea")
    for screen in (one, other):
        screen.say("/exit").ends(0)
    third = start("ann", "--no-stream").wait("You:")
    third.child.sendcontrol("r")
    third.type("kettle").wait("Where is my kettle?").type("\r\r").wait("I heard 1: Where is my kettle?")
    third.type("No t").wait("No tea today.").type("\x1b[C\r").wait("I heard 3: No tea today.")
    third.type("\x1b[A\x1b[A").wait("You: Where is my kettle?")


def test_completion_and_a_pasted_message_of_several_lines(start: Start) -> None:
    screen = start("ann", "--no-stream").wait("You:")
    screen.type("/regen\t").wait("/regenerate").say("").wait("no reply yet")
    screen.type("/persona an\t").wait("/persona ann").say("").wait("Ann from Demo")
    screen.type("\x1b[200~One.\nTwo.\nThree.\x1b[201~").wait("Three.").say("").wait("I heard 1: One. Two. Three.")
    screen.type("More").type("\x1b\r").type("lines\r").wait("I heard 3: More lines")
    screen.type(f"\x1b[200~{'long ' * 401}end\x1b[201~").say("").wait("only its last 2,000 characters")


def test_pasted_colours_are_no_obstacle_where_pastes_are_not_marked(start: Start) -> None:
    screen = start().wait("Who do you want").type("\x1b[31man\x1b[0m").wait("> Ann").type("\r").wait("You:")
    screen.type("\x1b[31mred\x1b[0m").say("").wait(": red")


def test_pasted_lines_are_one_in_the_list_of_personas(start: Start) -> None:
    screen = start().wait("Who do you want").type("\x1b[200~an\nor\nbob\x1b[201~").wait("an or bob")
    screen.type("\x15bob").wait("> Bob").type("\r").wait("You:")


def test_what_is_pasted_during_a_reply_is_one_message(start: Start) -> None:
    screen = start("ann", "--no-stream", THINK="1").wait("You:").say("Hello").wait("Ann:")
    assert 2004 << 5 in screen.modes, "the terminal marks what is pasted"
    screen.type("\x1b[200~One.\rTwo.\x1b[201~").wait("I heard 1").wait("Two.").type("\r").wait("I heard 3: One. Two.")
    screen.say("/exit").ends(0)
    assert 2004 << 5 not in screen.modes


def test_settings_are_shown_as_they_are_set(start: Start) -> None:
    screen = start("ann", "--no-stream", "--seed", "3").wait("You:").say("/set seed none").wait("seed is none")
    screen.say("/show").wait("context_turns").wait("clean").wait("where no written answer")
    shown = dict(line.split() for line in screen.text.splitlines() if len(line.split()) == 2)
    assert {"seed": "none", "clean": "false", "max_words": "40", "top_p": "0.92"}.items() <= shown.items()
    for key in ("temperature", "top_p", "unit", "seed", "candidates", "max_words", "context_turns", "clean"):
        screen.say(f"/set {key} {shown[key]}").wait(f"{key} is {shown[key]}")
    screen.say("/set top_p none").wait("it must be a number")


def test_an_edited_message_replaces_what_came_after_it(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream").wait("You:").say("/edit").wait("no such message").say("Tea?").wait("I heard 1: Tea?")
    screen.say("Cake?").wait("I heard 3: Cake?").say("/edit 2").wait("Enter replaces").wait("You: Tea?")
    before = _saved(screen.type("\x15"), tmp_path)
    assert len(before) == 4, "nothing is gone before the message is sent"
    screen.say("/edit 2").until(lambda: screen.text.count("You: Tea?") == 2, "draft").child.sendcontrol("c")
    screen.wait("Nothing was changed.").say("/edit 0").wait("/edit NUMBER").say("/edit 3").until(
        lambda: screen.text.count("no such message") == 2, "refusal"
    )
    screen.say("/edit 2").until(lambda: screen.text.count("You: Tea?") > 2, "draft").type(" Hot?\r").wait("I heard 1: Tea? Hot?")
    assert [line.partition(": ")[2] for line in _saved(screen, tmp_path)] == ["Tea? Hot?", "I heard 1: Tea? Hot?"]
    screen.say("/undo").wait("taken back").say("/undo").wait("nothing to take back")


def test_a_message_is_written_in_the_editor(start: Start, tmp_path: Path) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text("#!/bin/sh\nprintf ' Or cake?' >> \"$1\"\n")
    editor.chmod(0o700)
    screen = start("ann", "--no-stream", VISUAL=str(editor)).wait("You:").type("Tea?\x18\x05").wait("Or cake?")
    screen.type("\r").wait("I heard 1: Tea? Or cake?")


def test_candidates_back_and_forth_with_one_key(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream").wait("You:").type("\x1bn").wait("no reply yet").say("Hello").wait("I heard 1")
    screen.type("\x1bn").wait("Ann: Something else.").type("\x1bn")
    screen.until(lambda: screen.text.count("Ann: I heard 1: Hello") == 2, "first again").type("\x1bp")
    screen.until(lambda: screen.text.count("Ann: Something else.") == 2, "the one before")
    assert _saved(screen, tmp_path) == ["You: Hello", "Ann: Something else."]


def test_about_tells_who_somebody_is(start: Start) -> None:
    screen = start("ann", "--no-stream").wait("You:").say("/about").wait("9 lines of Demo").say("/about cy").wait("Other, mature")
    screen.say("/about zed").wait("no persona called 'zed'.")


def test_a_persona_that_is_not_there_gets_hints_that_can_be_typed(start: Start) -> None:
    screen = start("ann", "--no-stream", columns=100).wait("You:")
    for command in ("persona", "with", "about"):
        screen.say(f"/{command} bbo").wait(f"Did you mean /{command} bob? /personas lists them all.")
    screen.say("/chats 7").wait("or /chats, shows them all")


def test_another_language_is_told_once(start: Start) -> None:
    screen = start("ann", "--no-stream").wait("You:").say("Hola, ¿cómo estás?").wait("Ann speaks English only.").wait("I heard 1")
    screen.say("¿Qué tal estás?").wait("I heard 3")
    assert screen.text.count("English only") == 1


def test_names_are_matched_as_personas_are(start: Start) -> None:
    screen = start("ann", "--no-stream").wait("You:").say("/as BOB.").wait("You are Bob")
    screen.say("/as cyy").wait("Did you mean Cy?").wait("Bob:").say("/as cy").wait("You are Cy")
    screen.say("/without zed").wait("'zed' does not take part; Ann does")
    screen.say("/with bob").wait("take part").say("/without zed").wait("'zed' does not take part; Ann and Bob do")
    screen.say("/without bob.").wait("Ann takes part")


def test_nobody_talks_to_the_character_that_the_user_plays(start: Start, tmp_path: Path) -> None:
    screen = start("ann", "--no-stream", columns=100).wait("You:").say("/as ann").wait("Ann takes part: you cannot be whom you")
    screen.say("/as bob").wait("You are Bob").say("/with bob").wait("you are Bob; /as alone makes you yourself again")
    screen.say("/chats").wait("no conversation is kept yet").say("Hi").wait("I heard 1").say("/persona bob")
    screen.until(lambda: screen.text.count("you are Bob; /as alone") == 2, "refusal")
    screen.say("/as").wait("You are yourself").say("/persona bob").wait("Bob from Demo").say("Tea?").wait("Bob: I heard 1")
    screen.say("/as ann").wait("You are Ann").say("/chats hi").wait("Ann: I heard 1: Hi").say("Tea?").wait("Ann: I heard 3: Tea?")
    assert "You: Tea?" in screen.text
    screen.say("/exit").ends(0)


def test_the_bar_shows_the_mode_of_vi(start: Start, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("terminal: {keys: vi}\n")
    screen = start("ann", columns=120).wait("vi: insert").type("\x1b").wait("vi: normal").type("i").wait("vi: insert")
    screen.say("/help").wait("o in normal mode begins a new line")


def test_vi_keys(start: Start, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("terminal: {keys: vi, stream: false}\n")
    screen = start("ann").wait("You:").type("Hello tea").wait("Hello tea")
    screen.type("\x1b")
    time.sleep(0.7)
    screen.type("bcwcake\x1b")
    time.sleep(0.7)
    screen.type("\r").wait("I heard 1: Hello cake")


def test_suspended_and_back(start: Start, shared_library: Library, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    shell = Screen(["/bin/bash", "--norc", "--noprofile", "-i"], tmp_path, PS1="$ ", PYTHONPATH=str(root))
    try:
        shell.say(
            f"{sys.executable} -m tests.bots.terminal.written_chat chat ann --no-stream --bundles {shared_library.folders[0]}"
        )
        shell.wait("You:").say("Hello").wait("I heard 1").child.sendcontrol("z")
        shell.wait("Stopped").say("echo meanwhile").wait("\nmeanwhile").say("fg").wait("\nYou:")
        shell.say("Again").wait("I heard 3: Again")
    finally:
        shell.close()


def test_a_closed_terminal_ends_the_chat_and_keeps_the_conversation(start: Start) -> None:
    screen = start("ann", "--no-stream").wait("You:").say("Remember me").wait("I heard 1")
    pid = screen.child.pid
    with suppress(pexpect.ExceptionPexpect):
        # It waits for a moment only.
        screen.child.close(force=False)
    end = time.monotonic() + 30
    while _alive(pid):
        assert time.monotonic() < end, "the chat outlives its terminal"
        time.sleep(0.05)
    screen.child.closed = True
    start("--continue", "--no-stream").wait("You: Remember me").say("Still there?").wait("I heard 3: Still there?")


def _alive(pid: int | None) -> bool:
    assert pid
    try:
        # The child of a process that has closed its terminal is nobody else's to wait for.
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


@pytest.mark.parametrize("damage", [b"\x00\xff\xfe\n+\x80\n", b"", b"# 2026\n+Hello before\n"])
def test_a_history_in_any_state_is_no_obstacle(start: Start, tmp_path: Path, damage: bytes) -> None:
    state = tmp_path / ".local" / "state" / "charbot"
    state.mkdir(parents=True)
    (state / "history").write_bytes(damage)
    (state / "last.json").write_bytes(damage)
    start("ann", "--no-stream").wait("You:").type("\x1b[A\x1b[B\x15").say("Hello").wait("I heard 1: Hello").say("/exit").ends(0)
    assert b"+Hello\n" in (state / "history").read_bytes()


def test_first_use_says_in_a_line_what_to_do(tmp_path: Path, start: Start) -> None:
    screen = start("nobody-at-all")
    screen.ends(1)
    assert "no persona called" in screen.text
    assert "Traceback" not in screen.raw
