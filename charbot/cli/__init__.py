"""The `charbot` command, which joins the library, `trainer` and `bots`: entry point and error handling."""

import os
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from charbot.errors import INTERRUPTED, CharbotError
from charbot.text import printable

_EXTRA = {
    "matplotlib": "train", "scipy": "train", "sklearn": "train", "fastapi": "serve", "starlette": "serve", "uvicorn": "serve",
}  # fmt: skip
"""Packages that some commands need, each with the extra that installs it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code: 0 success, 1 error, 2 usage, 78 configuration.

    On POSIX, Ctrl-C ends the process by SIGINT, so that a shell stops its loop too.
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
    """Run one command, print its errors, and return its exit code."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        # During the imports there is nothing to clean up: end without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from charbot.cli.options import config_of
    from charbot.cli.parser import parse

    signal.signal(signal.SIGINT, handler)
    if sys.stdout is None:
        print("charbot: the standard output is closed", file=sys.stderr)
        return 1
    for stream in (sys.stdin, sys.stdout):
        # Text that the locale cannot decode or encode is replaced, instead of raising an error.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        try:
            args = parse(argv)
            if args.config is not None:
                # Now, because not every command reads its settings: a mistake in the file is told in any case.
                config_of(args)
            code: int = args.run(args)
        finally:
            # Flushed here, so that errors are reported below and not by Python at exit.
            sys.stdout.flush()
    except CharbotError as error:
        print(f"charbot: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        print(f"charbot: this needs {package}: pip install 'charbot[{_EXTRA[package]}]'", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has gone, as in `charbot say ... | head -1`. Python must not try to flush stdout at exit.
        sys.stdout = None
        return 1
    except OSError as error:
        # Commands turn errors of the files that they name into CharbotErrors: this one is of a standard stream.
        where = printable(str(error.filename or "the input or output"))
        print(f"charbot: {where}: {error.strerror or error}", file=sys.stderr)
        sys.stdout = None
        return 1
    return code
