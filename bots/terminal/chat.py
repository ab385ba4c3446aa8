"""`charbot chat`: a conversation in the terminal."""

import shutil
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, NestedCompleter
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from bots.terminal.picker import pick
from charbot.config import ChatSettings
from charbot.errors import CharbotError, UsageError
from charbot.personas.library import Library
from charbot.replies.engine import Reply, Voice
from charbot.replies.memory import Memory

_CHARACTERS_A_SECOND = 90
_UNDOABLE = 100
"""Messages that can be taken back, one after the other."""
_HINT = "Type a message and press Enter. /help lists the commands, Ctrl-D leaves."


@dataclass
class Chat:
    """One conversation: who replies, and what is remembered of it, now and before each message."""

    library: Library
    voice: Voice
    memory: Memory = field(default_factory=Memory)
    before: list[tuple[Memory, str]] = field(default_factory=list)
    asked: int = 0

    def seed(self) -> int | None:
        """Another seed for each reply, so that a seeded conversation is repeatable as a whole."""
        self.asked += 1
        seed = self.voice.settings.seed
        return None if seed is None else seed + self.asked - 1

    def switch(self, name: str) -> None:
        """Another persona, and a new conversation. On an error the old one goes on."""
        self.voice = Voice(self.library, name, self.voice.settings)
        self.start_over()
        self.warm_up()

    def start_over(self) -> None:
        self.memory = Memory()
        self.before.clear()

    def warm_up(self) -> None:
        """Loads the models while the user types; what goes wrong is told when a reply needs them."""

        def load() -> None:
            try:
                self.voice.load(self.voice.settings.unit)
            except CharbotError:
                return

        # Not a daemon: leaving in the middle of torch's import would abort the process.
        threading.Thread(target=load).start()

    def undo(self) -> str | None:
        """Takes back the last message, which it returns, and its reply."""
        if not self.before:
            return None
        self.memory, message = self.before.pop()
        return message


def chat(library: Library, name: str | None, settings: ChatSettings) -> int:
    """Talks until the user leaves. Returns the exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("chat needs a terminal; in a pipe use `charbot say PERSONA`")
    name = name or settings.persona or pick(library)
    if name is None:
        return 0
    talk = Chat(library, Voice(library, name, settings))
    talk.warm_up()
    session: PromptSession[str] = PromptSession(
        history=_history(), auto_suggest=AutoSuggestFromHistory(), completer=_completer(library), complete_while_typing=False
    )
    _greet(talk)
    while True:
        try:
            text = session.prompt(FormattedText([("bold", "You: ")])).strip()
        except KeyboardInterrupt:
            _note("Ctrl-D, or /exit, leaves.")
            continue
        except EOFError:
            return 0
        try:
            if text.startswith("/"):
                if not _command(talk, text):
                    return 0
            elif text:
                _answer(talk, text)
        except CharbotError as error:
            _note(str(error))


def _greet(talk: Chat) -> None:
    card = talk.voice.card
    print_formatted_text(FormattedText([("bold", card.name), ("", f" from {card.show}")]))
    _note(_HINT)


def _note(text: str) -> None:
    print_formatted_text(FormattedText([("ansibrightblack", text)]))


def _history() -> History:
    folder = Path(platformdirs.user_state_dir("charbot"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "history"
        path.touch(mode=0o600)
        with path.open("r+b"):
            return FileHistory(str(path))
    except OSError:
        return InMemoryHistory()


def _completer(library: Library) -> Completer:
    choices = {f"/{name}": None for name in _COMMANDS}
    return NestedCompleter.from_nested_dict({**choices, "/persona": dict.fromkeys(library.personas)})


def _answer(talk: Chat, text: str) -> None:
    """Has the persona reply to `text`, and shows it. Ctrl-C takes the message back."""
    prefix = f"{talk.voice.card.name}: "
    print_formatted_text(FormattedText([("bold", prefix)]), end="", flush=True)
    try:
        reply = _wait(talk, talk.memory.said(text))
    except CharbotError:
        print()
        raise
    if reply is None:
        _note("(stopped)")
        return
    talk.before = [*talk.before[-_UNDOABLE:], (talk.memory, text)]
    talk.memory = reply.memory
    _type_out(reply.text, len(prefix))


def _wait(talk: Chat, memory: Memory) -> Reply | None:
    """The reply, written in another thread so that Ctrl-C is answered at once; None if that came."""
    stop = threading.Event()
    worker = ThreadPoolExecutor(1)
    future = worker.submit(talk.voice.reply, memory, seed=talk.seed(), cancelled=stop.is_set)
    # Nobody waits for a stopped reply: it ends by itself at its next token.
    worker.shutdown(wait=False)
    try:
        while not wait([future], timeout=0.1).done:
            pass
        return future.result()
    except KeyboardInterrupt:
        stop.set()
        return None


def _type_out(text: str, column: int) -> None:
    """Types a reply out, from a column on; Ctrl-C shows the rest at once."""
    width = shutil.get_terminal_size().columns
    # Wrapped here, at words: the terminal would break in the middle of one.
    text = textwrap.fill(text, max(width, 20), initial_indent=" " * column)[column:]
    shown = 0
    try:
        for char in text:
            print(char, end="", flush=True)
            shown += 1
            time.sleep(1 / _CHARACTERS_A_SECOND)
    except KeyboardInterrupt:
        print(text[shown:], end="")
    print(flush=True)


def _command(talk: Chat, text: str) -> bool:
    """Runs a command. False where it asks to leave."""
    name, _, argument = text[1:].partition(" ")
    if name in ("exit", "quit"):
        return False
    command = _COMMANDS.get(name)
    if command is None:
        raise UsageError(f"there is no command /{name}; /help lists them")
    command.run(talk, argument.strip())
    return True


def _help(talk: Chat, argument: str) -> None:
    for name, command in _COMMANDS.items():
        print(f"  /{name:12} {command.about}")


def _persona(talk: Chat, argument: str) -> None:
    chosen = argument or pick(talk.library)
    if chosen:
        talk.switch(chosen)
        _greet(talk)


def _personas(talk: Chat, argument: str) -> None:
    for _, card in sorted(talk.library.cards(), key=lambda pair: (pair[1].show, pair[1].name)):
        print(f"  {card.name:16} {card.show}")


def _reset(talk: Chat, argument: str) -> None:
    talk.start_over()
    _note("A new conversation.")


def _regenerate(talk: Chat, argument: str) -> None:
    message = talk.undo()
    if message is None:
        raise UsageError("there is no reply yet")
    _answer(talk, message)


def _undo(talk: Chat, argument: str) -> None:
    _note("The last message and its reply are taken back." if talk.undo() is not None else "There is nothing to take back.")


def _set(talk: Chat, argument: str) -> None:
    from charbot.config import Config, override

    key, _, value = argument.partition(" ")
    if key not in ("temperature", "unit", "seed") or not value:
        settings = talk.voice.settings
        raise UsageError(
            f"/set temperature|unit|seed VALUE (now {settings.temperature:g}, {settings.unit}, {settings.seed or 'none'})"
        )
    import yaml

    config = override(Config(chat=talk.voice.settings), {"chat": {key: yaml.safe_load(value)}}, "/set")
    talk.voice = Voice(talk.library, talk.voice.card.name, config.chat)
    _note(f"{key} is {value}.")


@dataclass(frozen=True)
class _Command:
    about: str
    run: Callable[[Chat, str], None]


_COMMANDS = {
    "help": _Command("this list", _help),
    "persona": _Command("NAME: talk to somebody else", _persona),
    "personas": _Command("who there is", _personas),
    "regenerate": _Command("another reply to the last message", _regenerate),
    "undo": _Command("take the last message and its reply back", _undo),
    "reset": _Command("start over with the same persona", _reset),
    "set": _Command("temperature|unit|seed VALUE: change how replies are written", _set),
    "exit": _Command("leave (so does Ctrl-D)", lambda talk, argument: None),
}
