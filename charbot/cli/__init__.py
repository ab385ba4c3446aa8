"""The `charbot` command: the one place that puts the parts together. How it begins, and how it ends."""

import os
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from charbot.errors import INTERRUPTED, CharbotError

_EXTRA = ("matplotlib", "scipy", "sklearn")
"""What is installed with charbot[train] alone, and some commands cannot do without."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns its exit code: 0, 1 error, 2 usage, 78 configuration.

    A command that Ctrl-C stops dies of it, as the shell has to know: it then stops its own loop too.
    """
    try:
        code = _run(argv)
    except KeyboardInterrupt:
        print("\ncharbot: interrupted", file=sys.stderr)
        code = INTERRUPTED
    if code == INTERRUPTED and os.name == "posix":
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return code


def _run(argv: Sequence[str] | None) -> int:
    """Runs one command, and tells what goes wrong."""
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:
        # There is nothing to clear up yet, and nobody wants to read where Python was.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from charbot.cli.parser import parse

    signal.signal(signal.SIGINT, heard)
    if sys.stdout is None:
        print("charbot: the standard output is closed", file=sys.stderr)
        return 1
    for stream in (sys.stdin, sys.stdout):
        # Bytes that are no text in this locale are shown as such, and stop nothing.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        try:
            args = parse(argv)
            code: int = args.run(args)
        finally:
            # What does not arrive is told here, and not by Python on its way out.
            sys.stdout.flush()
    except CharbotError as error:
        print(f"charbot: {error}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        print(f"charbot: this needs {error.name}: pip install 'charbot[train]'", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has gone, as in `charbot say ... | head -1`: nothing is left to say, and
        # Python must not try to flush it on its way out.
        sys.stdout = None
        return 1
    except OSError as error:
        # Files that a command names have errors of their own: it is one of its streams.
        print(f"charbot: {error.filename or 'the input or output'}: {error.strerror or error}", file=sys.stderr)
        sys.stdout = None
        return 1
    return code
