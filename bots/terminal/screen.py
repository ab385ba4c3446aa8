"""What stands on the screen: names in their colours, replies typed out, notes and tables."""

import shutil
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from prompt_toolkit import print_formatted_text
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.utils import get_cwidth, is_dumb_terminal
from rich.console import Console
from rich.table import Table
from rich.text import Text

_CHARACTERS_A_SECOND = 90


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: Ross, Joey and Cartman."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


class Interrupt:
    """Whether Ctrl-C was pressed, for who can stop to look. An exception that comes at any place would show a traceback
    where Python happens to clear up, and leave behind what is imported by half."""

    pressed = False


@contextmanager
def typed_ahead(interrupt: Interrupt | None = None) -> Iterator[None]:
    """What is typed meanwhile does not show: it would stand in the middle of a reply. The next prompt has it, Ctrl-D too.
    Ctrl-C and Ctrl-Z are heard at once where there is an `interrupt`; else they wait for the prompt as well."""
    # Nor does a Ctrl-C throw away what is on its way to the screen.
    on = ("NOFLSH", "ISIG") if interrupt else ("NOFLSH",)
    with _terminal(off=("ECHO", "ICANON", "ISIG"), on=on) as again:
        ways: dict[int, Any] = {signal.SIGINT: signal.SIG_IGN}
        if interrupt:
            interrupt.pressed = False
            ways[signal.SIGINT] = lambda *_: setattr(interrupt, "pressed", True)
            if hasattr(signal, "SIGCONT"):
                # Some shells leave the terminal as they have it themselves to a program that goes on.
                ways[signal.SIGCONT] = lambda *_: again()
        with _heard(ways):
            yield


@contextmanager
def typed_plainly() -> Iterator[None]:
    """In the middle of `typed_ahead`, a line is typed as anywhere else."""
    with _terminal(on=("ECHO", "ICANON", "ISIG")), _heard({signal.SIGINT: signal.default_int_handler}):
        yield


@contextmanager
def _heard(ways: Mapping[int, Any]) -> Iterator[None]:
    """Signals that are heard in these ways."""
    before = {number: signal.signal(number, way) for number, way in ways.items()}
    try:
        yield
    finally:
        for number, way in before.items():
            signal.signal(number, way)


@contextmanager
def _terminal(*, on: Sequence[str], off: Sequence[str] = ()) -> Iterator[Callable[[], None]]:
    """The terminal with some of its local modes on and others off. What it gives sets them once more."""
    try:
        import termios
    except ImportError:  # Windows
        yield lambda: None
        return
    before = termios.tcgetattr(sys.stdin)
    flags: int = before[3]
    for name in off:
        flags &= ~getattr(termios, name)
    for name in on:
        flags |= getattr(termios, name)

    def again() -> None:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, [*before[:3], flags, *before[4:]])

    again()
    try:
        yield again
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def show(*parts: tuple[str, str], end: str = "\n") -> None:
    """Prints parts of text, each after its style."""
    if is_dumb_terminal():
        print("".join(text for _, text in parts), end=end, flush=True)
        return
    print_formatted_text(FormattedText(list(parts)), end=end, flush=True)


def note(text: str) -> None:
    """Says something that belongs to charbot, not to the conversation."""
    width = max(20, shutil.get_terminal_size().columns)
    show(("ansibrightblack", "\n".join(textwrap.fill(line, width) for line in text.splitlines())))


def styled(text: str, style: str) -> Text:
    """A text for a table, in a style that `show` knows."""
    return Text(text, style.replace("ansi", "").replace("bright", "bright_"))


def table(columns: Iterable[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Prints a table; what does not fit in its columns is wrapped."""
    found = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        found.add_row(*row)
    # Asked for here, because rich takes any dumb terminal to have eighty columns.
    size = shutil.get_terminal_size()
    Console(highlight=False, markup=False, width=size.columns, height=size.lines).print(found)


def type_out(text: str, column: int, interrupt: Interrupt, *, stream: bool) -> None:
    """Prints a reply from a column on, broken between words, at reading speed where it streams. Ctrl-C shows the rest at once."""
    pause = 1 / _CHARACTERS_A_SECOND if stream else 0.0
    for number, word in enumerate(text.split(" ")):
        # The width is asked for at each word: the window may have changed.
        room = shutil.get_terminal_size().columns - column
        width = get_cwidth(word)
        if number and width + 1 > room:
            print()
            column = 0
        elif number:
            word, width = f" {word}", width + 1
        column += width
        for char in word:
            print(char, end="", flush=pause > 0)
            pause = 0.0 if interrupt.pressed else pause
            time.sleep(pause)
    print(flush=True)
