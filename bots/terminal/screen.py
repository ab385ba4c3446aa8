"""Terminal output (styled text, notes, tables, replies typed out), and the handling of keys pressed meanwhile."""

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
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.keys import Keys
from prompt_toolkit.utils import get_cwidth, is_dumb_terminal
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charbot.text import printable

_CHARACTERS_PER_SECOND = 90


def listed(names: Sequence[str]) -> str:
    """Return the names as part of a sentence: Ross, Joey and Cartman."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


class Interrupt:
    """Flag set by Ctrl-C, for code that polls it.

    Raising KeyboardInterrupt instead could interrupt an import or a finaliser.
    """

    pressed = False


@contextmanager
def raw_mode(interrupt: Interrupt | None = None) -> Iterator[None]:
    """Hide what is typed inside the block, and leave it, Ctrl-D included, to the next prompt.

    With an `interrupt`, Ctrl-C and Ctrl-Z take effect at once; without, they wait for the prompt as well.
    """
    if interrupt:
        interrupt.pressed = False
    press = (lambda *_: setattr(interrupt, "pressed", True)) if interrupt else signal.SIG_IGN
    # NOFLSH: Ctrl-C discards neither typed text nor pending output.
    on = ("NOFLSH", "ISIG") if interrupt else ("NOFLSH",)
    # The handler comes first: from ISIG on, Ctrl-C is a signal.
    with signal_handlers({signal.SIGINT: press}), _terminal(off=("ECHO", "ICANON", "ISIG"), on=on) as apply_modes:
        resumed: dict[int, Any] = {}
        if interrupt and hasattr(signal, "SIGCONT"):
            # Some shells resume a program with their own terminal modes still set.
            resumed[signal.SIGCONT] = lambda *_: apply_modes()
        with signal_handlers(resumed), _bracketed_paste():
            yield


@contextmanager
def _bracketed_paste() -> Iterator[None]:
    """Have the terminal mark what is pasted inside the block, so that the next prompt does not take each line as a message."""
    if is_dumb_terminal():
        yield
        return
    print("\x1b[?2004h", end="", flush=True)
    try:
        yield
    finally:
        print("\x1b[?2004l", end="", flush=True)


@contextmanager
def cooked_mode() -> Iterator[None]:
    """Restore normal typing, with echo and KeyboardInterrupt on Ctrl-C, inside a `raw_mode` block."""
    with _terminal(on=("ECHO", "ICANON", "ISIG")), signal_handlers({signal.SIGINT: signal.default_int_handler}):
        yield


@contextmanager
def signal_handlers(handlers: Mapping[int, Any]) -> Iterator[None]:
    """Set signal handlers, by signal number, inside the block."""
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def _terminal(*, on: Sequence[str], off: Sequence[str] = ()) -> Iterator[Callable[[], None]]:
    """Switch local modes of the terminal (termios flags) on and off inside the block; yield a function that does so again."""
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

    def apply_modes() -> None:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, [*before[:3], flags, *before[4:]])

    apply_modes()
    try:
        yield apply_modes
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def ignore_mouse(keys: KeyBindings) -> None:
    """Bind reports of the mouse, which is not used, to nothing.

    prompt_toolkit takes pasted colours (ESC [31m) for such reports where the terminal does not mark what is pasted, and fails.
    """
    keys.add(Keys.Vt100MouseEvent)(lambda event: None)


def show(*parts: tuple[str, str], end: str = "\n") -> None:
    """Print (style, text) pairs, without styles on a dumb terminal."""
    if is_dumb_terminal():
        print(printable("".join(text for _, text in parts)), end=end, flush=True)
        return
    print_formatted_text(FormattedText(list(parts)), end=end, flush=True)


def note(text: str) -> None:
    """Print a message of charbot itself, in grey and wrapped."""
    width = max(20, shutil.get_terminal_size().columns)
    show(("ansibrightblack", "\n".join(textwrap.fill(line, width) for line in text.splitlines())))


def styled(text: str, style: str) -> Text:
    """Return a text for a table in a style of `show`."""
    return Text(printable(text), style.replace("ansi", "").replace("bright", "bright_"))


def table(columns: Iterable[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Print a table whose cells are wrapped to fit the terminal."""
    grid = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        grid.add_row(*(printable(cell) if isinstance(cell, str) else cell for cell in row))
    # Measured here, because rich assumes that a dumb terminal has 80 columns.
    size = shutil.get_terminal_size()
    Console(highlight=False, markup=False, width=size.columns, height=size.lines).print(grid)


def type_out(text: str, column: int, interrupt: Interrupt, *, stream: bool) -> None:
    """Print a reply, wrapped between words, at reading speed if `stream`; Ctrl-C prints the rest at once.

    `column` is where the cursor stands.
    """
    pause = 1 / _CHARACTERS_PER_SECOND if stream else 0.0
    for number, word in enumerate(printable(text).split(" ")):
        # Measured at each word: the window may have been resized.
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
