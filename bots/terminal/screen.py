"""What stands on the screen: names in their colours, replies typed out, notes and tables."""

import shutil
import signal
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from prompt_toolkit import print_formatted_text
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.utils import get_cwidth
from rich.console import Console
from rich.table import Table

_CHARACTERS_A_SECOND = 90
# Names of the 16 colours that every terminal has, and that its owner can read on its background.
_COLOURS = ("ansicyan", "ansigreen", "ansimagenta", "ansiyellow", "ansiblue", "ansired")


def colour(name: str, names: Sequence[str]) -> str:
    """The colour of one of `names`; neighbours differ."""
    known = list(dict.fromkeys(names))
    return _COLOURS[known.index(name) % len(_COLOURS)] if name in known else ""


@contextmanager
def typed_ahead() -> Iterator[None]:
    """What is typed meanwhile does not show: it would stand in the middle of a reply. The next prompt has it, Ctrl-D too."""
    try:
        import termios
    except ImportError:  # Windows
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    # Nor does a Ctrl-C throw away what is on its way to the screen.
    silent = [*before[:3], before[3] & ~(termios.ECHO | termios.ICANON) | termios.NOFLSH, *before[4:]]
    termios.tcsetattr(sys.stdin, termios.TCSANOW, silent)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


@contextmanager
def interrupts(*, heard: bool) -> Iterator[None]:
    """Whether Ctrl-C interrupts what is done. A prompt hears it as a key, but not in the moments in which it opens and closes."""
    ways = (signal.SIG_IGN, signal.default_int_handler)
    signal.signal(signal.SIGINT, ways[heard])
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, ways[not heard])


def show(*parts: tuple[str, str], end: str = "\n") -> None:
    """Prints parts of text, each after its style."""
    print_formatted_text(FormattedText(list(parts)), end=end, flush=True)


def note(text: str) -> None:
    """Says something that belongs to charbot, not to the conversation."""
    width = max(20, shutil.get_terminal_size().columns)
    show(("ansibrightblack", "\n".join(textwrap.fill(line, width) for line in text.splitlines())))


def table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table; what does not fit in its columns is wrapped."""
    found = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        found.add_row(*row)
    Console(highlight=False, markup=False).print(found)


def type_out(text: str, column: int, *, stream: bool) -> None:
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
            try:
                time.sleep(pause)
            except KeyboardInterrupt:
                pause = 0.0
    print(flush=True)
