"""Record a conversation in a real terminal as the picture that the README shows: `make recording`."""

import os
import re
import sys
from itertools import groupby
from pathlib import Path

import pexpect
import pyte
from rich.console import Console
from rich.text import Text

_COLUMNS, _LINES = 92, 34
_TYPED = (
    "I have a job interview tomorrow and I am nervous.", "What should I wear?", "/why", "Thanks, that helps.",
    "/persona cartman", "Hi! Want to come to my birthday party?", "There will be cake.",
)  # fmt: skip


def main() -> None:
    screen = pyte.HistoryScreen(_COLUMNS, _LINES, history=500)
    stream = pyte.Stream(screen)
    environment = {**os.environ, "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", "HOME": "/nonexistent"}
    command = ["-m", "charbot", "chat", "chandler", "--seed", "6", "--no-stream"]
    child: pexpect.spawn[str] = pexpect.spawn(
        sys.executable, command, env=environment, encoding="utf-8", timeout=60, dimensions=(_LINES, _COLUMNS)
    )

    def wait_for(pattern: str) -> None:
        child.expect(pattern)
        stream.feed(f"{child.before}{child.after}")

    wait_for("You:")
    for text in _TYPED:
        child.send(f"{text}\r")
        wait_for("\n.*You:" if text.startswith("/") else r"\w+: .*\n(.*\n)*.*You:")
    child.sendcontrol("d")
    child.expect(pexpect.EOF)
    child.close()
    lines = [_line(line) for line in [*screen.history.top, *(screen.buffer[y] for y in range(_LINES))]]
    while not lines[-1].plain.strip():
        lines.pop()
    console = Console(record=True, width=_COLUMNS, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    for line in lines[:-1]:
        console.print(line, soft_wrap=True)
    # Without rich's fonts, which a browser would load from elsewhere.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="charbot chat"), flags=re.DOTALL)
    Path(__file__).with_name("chat.svg").write_text(picture, "utf-8")


def _line(row: "dict[int, pyte.screens.Char]") -> Text:
    """Return a row of the screen, with its colours."""
    text = Text()
    cells = [row[x] for x in range(_COLUMNS)]
    for (colour, bold), group in groupby(cells, key=lambda cell: (cell.fg, cell.bold)):
        style = " ".join(([] if colour == "default" else [colour.replace("brown", "yellow")]) + (["bold"] if bold else []))
        text.append("".join(cell.data for cell in group), style)
    text.rstrip()
    return text


if __name__ == "__main__":
    main()
