"""The command as programs and people call it: output, errors and exit codes."""

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from bots.session import Session
from bots.terminal.kept_chats import ChatStore, SavedChat
from charbot.cli import main
from charbot.cli.completion import with_subparsers
from charbot.cli.parser import parse, parser_of_all
from charbot.config import ChatSettings
from charbot.personas.library import Library
from tests.conftest import invented_lines


@pytest.fixture
def bundles(shared_library: Library) -> str:
    return str(shared_library.folders[0])


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads this project's config.yaml by accident, or a user's bundles."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def _run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "charbot", *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=120
    )


def _wiki(folder: Path, episodes: int) -> Path:
    """The invented show as wiki dumps on disk."""
    texts: dict[str, list[str]] = {}
    for line in invented_lines(episodes):
        texts.setdefault(line.episode, ["A title", ""]).extend((line.speaker.upper(), line.text))
    folder.mkdir()
    for episode, lines in texts.items():
        (folder / f"{episode}.txt").write_text("\n".join(lines))
    return folder


def test_version_and_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("charbot 0.")
    assert main(["zzzzzz"]) == 2
    assert "no command and no persona called 'zzzzzz'. `charbot --help`" in capsys.readouterr().err


@pytest.mark.parametrize(("word", "meant"), [("joe", "joey"), ("mr", "mr-garrison or mr-mackey"), ("persona", "personas")])
def test_a_word_that_is_nearly_a_command_or_a_persona(word: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word]) == 2
    assert f"Did you mean {meant}?" in capsys.readouterr().err


def test_every_help_teaches_by_examples_that_can_be_typed() -> None:
    parsers = list(with_subparsers(parser_of_all()))
    assert len(parsers) > 25
    for parser in parsers:
        title, *examples = (parser.epilog or "").split("\n  ")
        assert title == "examples:", parser.prog
        typed = [found[0] for line in examples if (found := re.search(r"charbot\b[^|<>)#]*", line))]
        assert any(line.startswith(parser.prog) for line in typed), parser.prog
        for line in typed:
            assert "--help" in line or parse(shlex.split(line)[1:]).run
        assert "\n  ".join((title, *examples)) in parser.format_help(), "as it was written"
        assert max(map(len, parser.format_help().splitlines())) <= 100


@pytest.mark.parametrize(
    ("words", "name", "resume"),
    [
        ([], None, False),
        (["joey"], "joey", False),
        (["garrison", "--seed", "3"], "garrison", False),
        (["-c"], None, True),
        (["-c", "chat"], None, True),
        (["-c", "joey"], "joey", True),
        (["joey", "-c"], "joey", True),
        (["chat", "-c"], None, True),
        (["chat", "joey"], "joey", False),
        (["--config", "some.yaml", "joey"], "joey", False),
        (["--config=some.yaml", "joey"], "joey", False),
        (["joey", "--config", "some.yaml"], "joey", False),
    ],
)
def test_a_name_alone_is_a_chat(words: list[str], name: str | None, resume: bool) -> None:
    args = parse(words)
    assert (args.persona, args.resume, args.seed) == (name, resume, 3 if "--seed" in words else None)


def test_options_are_not_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    for parser in with_subparsers(parser_of_all()):
        assert not parser.allow_abbrev, parser.prog
    assert main(["--conf", "some.yaml", "personas", "list"]) == 2
    assert capsys.readouterr().err.startswith("charbot: --conf is no option of charbot itself; ")
    with pytest.raises(SystemExit):
        parse(["say", "ann", "--temp", "1", "Hello"])
    assert "unrecognized arguments: --temp" in capsys.readouterr().err


def test_say(bundles: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "ann", "Hello", "--seed", "1", "--bundles", bundles]) == 0
    first = capsys.readouterr().out
    assert len(first.splitlines()) == 1
    main(["say", "ann", "Hello", "--seed", "1", "--bundles", bundles])
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("arguments", "code", "names"),
    [
        (["say", "anna", "Hello"], 1, "Did you mean ann"),
        (["say", "ann", "Hello", "--temperature", "9"], 2, "0.05 to 2"),
        (["say", "ann", "Hello", "--seed", "-1"], 2, "the command line: `chat.seed`"),
        (["say", "ann", "Hello", "--json"], 2, "leave the message out"),
        (["--config", "none.yaml", "say", "ann", "Hello"], 78, "none.yaml"),
        (["say", "ann", "Hello", "--config", "none.yaml"], 78, "none.yaml"),
        (["personas", "show", "zed"], 1, "no persona called 'zed'"),
        (["personas", "export", "ann", "ann.txt"], 2, "ann.txt: its ending must be one of .zip, .png, .json"),
        (["personas", "export", "ann", "ann"], 2, "ann: its ending must be one of .zip, .png, .json"),
        (["personas", "list", "--config", "none.yaml"], 78, "none.yaml"),
        (["--config", "none.yaml", "scripts", "check", "."], 78, "none.yaml"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(
    arguments: list[str], code: int, names: str, bundles: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, *([] if "scripts" in arguments else ["--bundles", bundles])]) == code
    error = capsys.readouterr().err
    assert names in error
    assert error.startswith("charbot: ")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["train", "--persona", "Ann", "--steps", "9"], "--steps is for --compare-cells"),
        (["train", "--persona", "Ann", "--chats", "a"], "--chats is for --base"),
        (["train", "--persona", "Ann", "--pretrain", "a"], "--pretrain is for --base"),
        (["train", "--base", "--voice", "a"], "--voice is for --persona"),
        (["train", "--base", "--rating", "mature"], "--rating is for --persona"),
        (["eval", "ann", "--chats", "a"], "--chats is for the bases"),
        (["eval", "--voice", "a"], "--voice is for personas"),
        (["personas", "list", "--bundles", "nowhere"], "--bundles nowhere: there is no such folder"),
        (["say", "ann", "Hello", "--bundles", "nowhere"], "--bundles nowhere: there is no such folder"),
    ],
)
def test_an_option_that_nothing_reads_is_refused(arguments: list[str], names: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert names in capsys.readouterr().err


def test_what_is_wrong_is_printed_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["personas", "export", "joey", "\x1b]0;title\x07/joey.zip"]) == 0
    assert main(["personas", "export", "joey", "\x1b]0;title\x07/joey.zip"]) == 1
    assert "\\x1b]0;title\\x07/joey.zip is there already" in capsys.readouterr().err


def test_a_config_in_the_working_folder_is_read(bundles: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.yaml").write_text("chat:\n  unit: syllable\n")
    assert main(["say", "ann", "Hello", "--bundles", bundles]) == 78
    error = capsys.readouterr().err
    assert "`chat.unit`" in error
    assert "was in the working folder" in error


def test_a_config_that_is_a_folder_is_named(bundles: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.yaml").mkdir()
    assert main(["say", "ann", "Hello", "--bundles", bundles]) == 78
    assert "config.yaml: cannot be read" in capsys.readouterr().err


def test_personas(bundles: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["personas", "list", "--json", "--bundles", bundles]) == 0
    listed = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert listed["ann"] == {"id": "ann", "name": "Ann", "show": "Demo", "rating": "general", "units": ["char", "word"]}
    assert main(["personas", "list", "--bundles", bundles]) == 0
    header, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert header == ["PERSONA", "NAME", "SHOW", "RATING"]
    assert ["ann", "Ann", "Demo", "general"] in rows
    assert main(["personas", "show", "ann", "--bundles", bundles]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"Ann is from Demo and rated general. Its files are in {bundles}/personas/ann.",
        "It has read 9 lines of Demo and a voice written for it.",
        "Its char model needs 1.500 bits per character for lines that it has not read.",
        "Its word model needs 1.500 bits per character for lines that it has not read.",
    ]
    assert main(["personas", "show", "joey"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r'^It says: ".+"\nIt likes to talk about .+\.$', shown, re.M)
    assert re.search(r"^Its word model .* replies of its voice that it has not read; its base alone needs [\d.]+$", shown, re.M)
    assert main(["personas", "show", "ann", "--json", "--bundles", bundles]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["name"] == "Ann"
    assert set(card["fits"]) == {"char", "word"}


@pytest.mark.parametrize("what", ["personas", "bases", "chats"])
def test_without_an_action_all_are_listed(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main([what, "list"]) == 0
    listed = capsys.readouterr()
    assert main([what]) == 0
    assert capsys.readouterr() == listed


def test_bases(library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundles = str(library.folders[0])
    assert main(["personas", "export", "ann", str(tmp_path / "ann.zip"), "--bundles", bundles]) == 0
    told = []
    for _ in range(2):
        capsys.readouterr()
        assert main(["personas", "import", str(tmp_path / "ann.zip")]) == 0
        told.append(capsys.readouterr().out.splitlines()[1:])
    assert told == [[], ["It replaces the same persona, which was there already."]]
    assert main(["bases", "list"]) == 0
    listed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(name.partition("-")[0], origin, *personas) for name, origin, *personas in listed if origin != "shipped"] == [
        ("char", "imported", "Ann"), ("word", "imported", "Ann"),
    ]  # fmt: skip
    assert main(["bases", "remove", listed[0][0]]) == 2
    assert "Ann could not reply" in capsys.readouterr().err
    (library.folders[0] / "bases" / "char" / "base.json").write_text("{")
    assert main(["bases", "list", "--json", "--bundles", bundles]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert (row["name"], row["origin"], row["personas"]) == ("char", "trained", [])
    assert "is damaged" in row["problem"]
    assert main(["personas", "remove", "ann"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_chats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(["chats", "list"]) == 0
    assert "No conversation is kept yet" in capsys.readouterr().err
    assert main(["chats", "open", "1"]) == 2
    assert "no conversation called '1'" in capsys.readouterr().err
    session = Session().add_message("Tea?")
    ChatStore.default().save(SavedChat(None, ("Ann",), None, session, ChatSettings(), ChatSettings()))
    odd = tmp_path / "charbot" / "chats" / "odd.json"
    odd.write_text("{")
    os.utime(odd, ns=(10**18, 10**18))
    assert main(["chats", "list"]) == 0
    shown = capsys.readouterr().out
    assert re.fullmatch(r"  1  \S+ \S+  Ann +1 turns  Tea\?\n  2  \S+ \S+  \(damaged\) +odd\.json\n", shown)
    assert main(["chats", "list", "--json"]) == 0
    tea, damaged = json.loads(capsys.readouterr().out)
    assert (tea["problem"], damaged["problem"]) == (None, "is no conversation that charbot kept")
    for action in (["open", "2"], ["rename", "2", "Even"]):
        assert main(["chats", *action]) == 2
        assert "odd.json: is no conversation that charbot kept; `charbot chats remove 2`" in capsys.readouterr().err
    assert main(["chats", "remove", "2"]) == 0
    assert capsys.readouterr().out == 'Removed "odd.json".\n'
    assert main(["chats", "rename", "Tea?", " The kettle "]) == 0
    assert capsys.readouterr().out == 'Renamed "Tea?" to "The kettle".\n'
    assert main(["chats", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["cast"], row["turns"]) == ("The kettle", ["Ann"], 1)
    assert main(["chats", "remove", "the kettle"]) == 0
    assert main(["chats", "list"]) == 0
    assert capsys.readouterr().out == 'Removed "The kettle".\n'


def test_on_a_terminal_removing_a_conversation_is_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    session = Session().add_message("Tea?")
    for _ in range(2):
        ChatStore.default().save(SavedChat(None, ("Ann",), None, session, ChatSettings(), ChatSettings()))
    answers = io.StringIO("n\ny\n")
    monkeypatch.setattr(answers, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", answers)
    for _ in range(2):
        assert main(["chats", "remove", "1"]) == 0
    question = 'Remove "Tea?"? [y/N] '
    assert capsys.readouterr().out == f'{question}Nothing was removed.\n{question}Removed "Tea?".\n'
    assert main(["chats", "remove", "1", "--yes"]) == 0
    assert capsys.readouterr().out == 'Removed "Tea?".\n'
    assert not list(ChatStore.default().files())


def test_there_is_nothing_to_continue_with_somebody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    session = Session().add_message("Tea?")
    ChatStore.default().save(SavedChat(None, ("Ann",), None, session, ChatSettings(), ChatSettings()))
    assert main(["-c", "joey"]) == 2
    assert "no conversation with Joey to continue yet" in capsys.readouterr().err
    assert main(["chat", "-c", "joye"]) == 1
    assert "Did you mean joey or kyle?" in capsys.readouterr().err


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_list_of_personas_says_who_cannot_be_used(how: list[str], library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    (library.folders[0] / "personas" / "bob").mkdir()
    shutil.copytree(library.find("ann"), library.folders[0] / "personas" / "a\x1bnn")
    assert main(["personas", "list", *how, "--bundles", str(library.folders[0])]) == 0
    shown = capsys.readouterr()
    assert "Ann" in shown.out
    assert "\x1b" not in shown.out
    assert re.fullmatch(r"bob cannot be used: .*bob: no persona here \(persona\.json is missing\)\n", shown.err)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["say", "ross", "--seed", "1", "hi"], ["hi"]),
        (["say", "ross", "hello", "there"], ["hello", "there"]),
        (["say", "--seed", "1", "ross", "hello", "--unit", "char", "there"], ["hello", "there"]),
        (["say", "ross", "-5"], ["-5"]),
        (["say", "ross", "--", "--seed", "1"], ["--seed", "1"]),
        (["say", "ross"], []),
        (["who", "where", "is", "--cast", "joey", "ross"], ["where", "is"]),
        (["who", "--json", "--cast", "joey"], []),
    ],
)
def test_options_stand_anywhere_among_the_words(words: list[str], message: list[str]) -> None:
    args = parse(words)
    assert (args.message if words[0] == "say" else args.text) == message


def test_help_is_as_usual_wherever_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["say", "--help"], ["say", "ross", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 0
        shown = capsys.readouterr().out
        assert shown.startswith("usage: charbot say [-h]")
        assert "persona [message ...]" in " ".join(shown.split())


def test_a_bad_json_line_is_one_answer_and_the_exit_code(bundles: str) -> None:
    done = _run("score", "ann", "--bundles", bundles, stdin='{"reply": "Tea."}\n{"id": 7, "reply": 2}\n{"reply": "Tea."}\n')
    assert (done.returncode, done.stderr) == (1, "")
    before, mistake, after = map(json.loads, done.stdout.splitlines())
    assert mistake == {"id": 7, "error": "line 2: `reply` must be text"}
    assert before == after


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_answers_in_json_lose_no_letter_whatever_the_locale(encoding: str, bundles: str) -> None:
    line = json.dumps({"id": "\u00e9\u20ac", "reply": "Tea."})
    done = subprocess.run(
        [sys.executable, "-m", "charbot", "score", "ann", "--bundles", bundles], input=line.encode(), capture_output=True,
        check=False, timeout=120, env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert json.loads(done.stdout.decode("utf-8"))["id"] == "\u00e9\u20ac"


@pytest.mark.parametrize(("words", "stdin"), [(["", " "], ""), ([], " \n\n"), ([], "")])
def test_nobody_is_guessed_by_an_empty_text(words: list[str], stdin: str) -> None:
    done = _run("who", *words, stdin=stdin)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "charbot: the text is empty: there is nothing to tell its speaker by\n"


def test_bytes_that_are_no_text_are_no_obstacle(bundles: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "charbot", "say", "ann", "--bundles", bundles],
        input=b"caf\xe9\n\xff\xfe\n", capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2


def test_chat_off_a_terminal_says_what_to_use(bundles: str) -> None:
    done = _run("chat", "ann", "--bundles", bundles)
    assert done.returncode == 2
    assert "charbot say" in done.stderr


def test_a_reader_that_leaves_is_no_error_message(bundles: str) -> None:
    command = f"yes Hello | {sys.executable} -m charbot say ann --bundles {bundles} --seed 1 | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=120)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("say ann --bundles {} <&-", "the standard input is closed"),
        ("chat ann --bundles {} <&-", "the standard input is closed"),
        ("say ann --bundles {} >&-", "the standard output is closed"),
        ("say ann --bundles {} > /dev/full", "the input or output: No space left on device"),
        ("personas list --bundles {} > /dev/full", "the input or output: No space left on device"),
        ("say --help > /dev/full", "the input or output: No space left on device"),
    ],
)
def test_a_stream_that_is_closed_or_full_is_told(
    command: str, problem: str, bundles: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With it there would be nothing left to write in the end.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    whole = f"echo Hello | {sys.executable} -m charbot {command.format(bundles)}"
    done = subprocess.run(["bash", "-c", whole], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (1, f"charbot: {problem}\n")


def test_help_that_cannot_be_written_is_told_where_nothing_is_buffered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    command = f"{sys.executable} -m charbot say --help > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (1, "charbot: the input or output: No space left on device\n")


def test_ctrl_c_ends_a_command_as_a_signal_does(bundles: str) -> None:
    command = [sys.executable, "-m", "charbot", "say", "ann", "--bundles", bundles]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as said:
        assert said.stdin
        assert said.stdout
        assert said.stderr
        said.stdin.write("Hello\n")
        said.stdin.flush()
        assert said.stdout.readline()
        said.send_signal(signal.SIGINT)
        assert said.wait(60) == -signal.SIGINT
        assert "Traceback" not in said.stderr.read()


def test_ctrl_c_before_anything_runs_is_no_traceback(tmp_path: Path) -> None:
    # Found before Python's own, it stands for the moment in which that is imported.
    (tmp_path / "argparse.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", "from charbot.cli import main; main(['--version'])"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{root}"}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_ctrl_c_is_no_traceback(bundles: str) -> None:
    command = f"yes Hello | timeout -s INT 6 {sys.executable} -m charbot say ann --bundles {bundles} > /dev/null"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr


def test_scripts_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _wiki(tmp_path / "demo", 3)
    (folder / "notes.txt").write_text("nothing to see here")
    assert main(["scripts", "check", str(folder), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["files"] == 4
    counts = report["shows"]["Demo"]
    assert (counts["episodes"], counts["speakers"], counts["lines"]) == (3, 3, 72)
    assert counts["train"] + counts["valid"] + counts["test"] == 72
    assert [Path(row["file"]).name for row in report["passed_over"]] == ["notes.txt"]
    assert main(["scripts", "check", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("4 files, 1 passed over, 72 lines of dialogue from ")
    source = report["source_lines"]
    assert source["in"] == source["kept"] + sum(source["left_out"].values())
    assert len(report["omissions"]) == sum(source["left_out"].values())
    assert main(["scripts", "check", str(folder), "--left-out"]) == 0
    assert ".txt:1: title: " in capsys.readouterr().out
    assert main(["scripts", "check", str(tmp_path / "none")]) == 1
    assert "no such file or folder" in capsys.readouterr().err


def test_one_is_no_plural(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "demo.txt"
    script.write_text("ANN: Tea?\nBOB: Coffee.\n" * 5)
    for action in ("check", "stats"):
        assert main(["scripts", action, str(script)]) == 0
    assert main(["scripts", "import", str(script)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("1 file, 10 lines of dialogue from 10 source lines\n")
    assert not re.search(r"\b1 [a-z ]*s\b", shown)


def test_names_of_files_are_printed_as_they_are_but_for_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _wiki(tmp_path / "demo[", 3)
    for name in ("bold].txt", "\x1b]0;title\x07.txt"):
        (folder / name).write_text("nothing to see here")
    for words in (["scripts", "check"], ["scripts", "import"], ["train", "--persona", "Nobody", "--scripts"]):
        main([*words, str(folder)])
        shown = "".join(capsys.readouterr())
        for name in ("bold].txt", r"\x1b]0;title\x07.txt"):
            assert f"passed over {folder}/{name}: is in no format that charbot knows\n" in shown
        assert "\x1b" not in shown


def test_scripts_cast_shows_who_is_who(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _wiki(tmp_path / "demo", 3)
    (folder / "S09E01.txt").write_text("Owls\n" + "MR. OWL\nHm.\nANN\nHm?\n" * 3 + "MR OWL\nHm.\n")
    assert main(["scripts", "cast", str(folder)]) == 0
    assert "Mr Owl is Mr. Owl (spelling, 99%)" in capsys.readouterr().out
    assert main(["scripts", "cast", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["Demo"][0]["canonical"] == "Mr. Owl"


def test_scripts_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _wiki(tmp_path / "demo", 3)
    assert main(["scripts", "export", str(folder)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 72
    assert main(["scripts", "export", str(folder), "--as", "chat", "--persona", "ann"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["messages"][-1]["role"] == "assistant"
    assert main(["scripts", "export", str(folder), "--as", "chat"]) == 2
    assert "--persona NAME" in capsys.readouterr().err
    assert main(["scripts", "export", str(folder), "--format", "morse"]) == 1
    assert "there is no format called 'morse'" in capsys.readouterr().err


def test_scripts_import_keeps_what_eval_then_reads(
    tmp_path: Path, bundles: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert main(["eval", "--bundles", bundles]) == 2
    assert "charbot scripts import" in capsys.readouterr().err
    folder = _wiki(tmp_path / "demo", 3)
    assert main(["scripts", "import", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("3 episodes kept in ")
    assert main(["scripts", "import", str(folder)]) == 0
    assert "0 episodes kept" in capsys.readouterr().out
    (tmp_path / "config.yaml").write_text("corpus: {test: 0.4, valid: 0.4, split_seed: 2}")
    assert main(["--config", str(tmp_path / "config.yaml"), "eval", "ann", "--json", "--bundles", bundles]) == 0
    assert json.loads(capsys.readouterr().out)["persona"] == "Ann"


def test_scripts_fetch_shows_the_licence_and_asks_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scripts", "fetch", "south-park", "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert "CC BY-SA 3.0" in shown.out
    assert "--yes" in shown.err
    assert not (tmp_path / "out").exists()
    assert main(["scripts", "fetch", "frends"]) == 2
    assert "friends, south-park" in capsys.readouterr().err


def test_the_end_of_the_input_is_no_answer(tmp_path: Path) -> None:
    command = ["-m", "charbot", "scripts", "fetch", "friends", "--out", str(tmp_path / "out")]
    child: pexpect.spawn[str] = pexpect.spawn(sys.executable, command, encoding="utf-8", timeout=60)
    child.expect("Download them")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, "Traceback" in str(child.before)) == (0, False)
    assert not (tmp_path / "out").exists()


def test_scripts_stats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _wiki(tmp_path / "demo", 3)
    assert main(["scripts", "stats", str(folder), "--plots", str(tmp_path / "plots")]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("Demo: 3 episodes")
    assert len(shown.err.splitlines()) == 2
    assert main(["scripts", "stats", str(folder), "--json", "--characters", "1"]) == 0
    assert len(json.loads(capsys.readouterr().out)["Demo"]["characters"]) == 1


def test_train_needs_to_know_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--scripts", str(tmp_path)]) == 2
    assert "--persona NAME" in capsys.readouterr().err


@pytest.mark.slow
def test_from_scripts_to_a_conversation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _wiki(tmp_path / "demo", 40)
    sizes = "{model: {embedding: 16, hidden: 32}, base: {epochs: 1, batch: 4}, persona: {epochs: 1, batch: 4}}"
    Path("config.yaml").write_text(
        f"corpus: {{valid: 0.15, test: 0.15}}\ntrain: {{char: {sizes}, word: {sizes}, precision: fp32}}"
    )
    arguments = ["--scripts", str(folder), "--out", str(tmp_path / "out")]
    assert main(["train", "--base", "--persona", "Ann", *arguments]) == 0
    shown = capsys.readouterr()
    assert [Path(line).name for line in shown.out.splitlines()] == ["char", "word", "ann"]
    for unit in ("char", "word"):
        assert f"{unit} base: {tmp_path / 'out' / 'bases' / unit}\n" in shown.err
    assert main(["say", "ann", "Hello", "--bundles", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.strip()
    assert main(["eval", "--scripts", str(folder), "--bundles", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["char_bits_per_character"] < 8
    assert main(["train", "--persona", "Nobody", *arguments]) == 1
    assert "nobody called 'Nobody'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_training_goes_on(tmp_path: Path) -> None:
    folder = _wiki(tmp_path / "demo", 40)
    sizes = "{model: {embedding: 16, hidden: 32}, base: {epochs: 4, batch: 4, window: 16}}"
    config = tmp_path / "cwd" / "config.yaml"
    config.write_text(f"train: {{char: {sizes}, precision: fp32, threads: 1, checkpoint_minutes: 0}}")
    weights = []
    for name, kills in (("whole", 0), ("killed", 2)):
        arguments = ["train", "--base", "--unit", "char", "--scripts", str(folder), "--out", str(tmp_path / name)]
        checkpoint = tmp_path / name / "runs" / "base-char.safetensors"
        for _ in range(kills):
            before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
            process = subprocess.Popen([sys.executable, "-m", "charbot", *arguments], stderr=subprocess.DEVNULL)
            while process.poll() is None and not (checkpoint.exists() and checkpoint.stat().st_mtime_ns > before):
                os.sched_yield()
            process.kill()
            process.wait()
        assert _run(*arguments).returncode == 0
        weights.append((tmp_path / name / "bases" / "char" / "weights.safetensors").read_bytes())
    assert weights[0] == weights[1]
