"""The processes of `charbot bench`: busy ones to measure beside, fresh ones of charbot whose start is timed, and a server."""

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median
from subprocess import DEVNULL, PIPE, Popen

from charbot.errors import CharbotError

_STARTS = 3
"""How often each start is timed."""

_BUSY = """
import os, sys, threading

def end_with_parent():
    sys.stdin.read()
    os._exit(0)

threading.Thread(target=end_with_parent).start()
while True:
    pass
"""


@contextmanager
def busy_processes(count: int) -> "Iterator[list[Popen[bytes]]]":
    """Have `count` processes keep the processor busy meanwhile.

    They end with the block, and with this process, however it ends: their standard input is closed then.
    """
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            process = stack.enter_context(Popen([sys.executable, "-c", _BUSY], stdin=PIPE, stderr=DEVNULL))
            stack.callback(process.kill)
            processes.append(process)
        yield processes


@contextmanager
def server_process(options: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Have `charbot serve` run meanwhile, and return its address and port. Raises CharbotError if it does not start."""
    command = [sys.executable, "-m", "charbot", "serve", "--port", "0", "--mature", *options]
    with Popen(command, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = re.search(r"http://([\d.]+):(\d+)", process.stdout.readline())
            if address is None:
                raise CharbotError("`charbot serve` did not start; see above")
            yield address[1], int(address[2])
        finally:
            process.terminate()


def start_figures(persona: str, options: Sequence[str]) -> dict[str, float]:
    """Return the seconds from a start of charbot to the prompt of a chat, and to the first reply of `say`: medians of _STARTS.

    The prompt is left out where there are no pseudo-terminals. Raises CharbotError if charbot ends before.
    """
    timed: dict[str, Callable[[str, Sequence[str]], float]] = {"first_reply_s": _first_reply}
    if os.name == "posix":
        timed = {"prompt_s": _prompt, **timed}
    return {name: round(median(start(persona, options) for _ in range(_STARTS)), 2) for name, start in timed.items()}


def _first_reply(persona: str, options: Sequence[str]) -> float:
    started = time.perf_counter()
    with Popen([*_charbot("say", persona, options), "--seed", "0", "Hi."], stdout=PIPE) as process:
        assert process.stdout is not None
        reply = process.stdout.readline()
        seconds = time.perf_counter() - started
    if not reply:
        raise CharbotError("`charbot say` ended without a reply; see above")
    return seconds


def _prompt(persona: str, options: Sequence[str]) -> float:
    import pty
    import termios

    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    with ExitStack() as stack:
        stack.callback(os.close, screen)
        # What the terminal keeps between runs stays as it is.
        home = stack.enter_context(tempfile.TemporaryDirectory())
        started = time.perf_counter()
        process = stack.enter_context(
            Popen(
                _charbot("chat", persona, options), stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
                env={**os.environ, "XDG_STATE_HOME": home},
            )
        )  # fmt: skip
        stack.callback(process.kill)
        os.close(terminal)
        shown = b""
        while b"You:" not in shown:
            try:
                more = os.read(screen, 4_096)
            except OSError:  # Linux's end of file
                more = b""
            if not more:
                raise CharbotError(f"`charbot chat` ended before its prompt: {shown.decode(errors='replace').strip()}")
            shown += more
        return time.perf_counter() - started


def _charbot(command: str, persona: str, options: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "charbot", command, persona, *options]
