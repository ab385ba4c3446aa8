"""The `charbot` command: the one place that puts the parts together.

Nothing heavy is imported until a command that needs it runs, so that `--help` answers at once.
"""

import argparse
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from charbot.cli import completion, discord, fit, measure, personas, recipes, scripts, talk
from charbot.errors import INTERRUPTED, CharbotError

_EXTRA = ("matplotlib", "scipy", "sklearn")
"""What is installed with charbot[train] alone, and some commands cannot do without."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns its exit code: 0, 1 error, 2 usage, 78 configuration, 130 interrupted."""
    parser = _parser()
    args = parser.parse_args(argv)
    for stream in (sys.stdin, sys.stdout):
        # Bytes that are no text in this locale are shown as such, and stop nothing.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code: int = args.run(args)
    except CharbotError as error:
        print(f"charbot: {error}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        print(f"charbot: this needs {error.name}: pip install 'charbot[train]'", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncharbot: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone, as in `charbot say ... | head -1`: nothing is left to say, and
        # Python must not try to flush it on its way out.
        sys.stdout = None
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="charbot", description="A chatbot that talks like a TV character. Without a command: pick a persona and chat.",
        epilog='examples: charbot    charbot chat joey    charbot say ross "Are you happy?"    charbot train --scripts my_show/ '
        "--persona Alice    `charbot COMMAND --help` tells more.",
    )  # fmt: skip
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (default: ./config.yaml, if there is one)")
    parser.set_defaults(run=_version_or_chat, persona=None, unit=None, temperature=None, seed=None, bundles=None, resume=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for group in (talk, discord, personas, scripts, fit, recipes, measure):
        group.add(commands)
    completion.add(commands, _parser)
    return parser


def _version_or_chat(args: argparse.Namespace) -> int:
    if args.version:
        from charbot import __version__

        print(f"charbot {__version__}")
        return 0
    return talk.chat(args)
