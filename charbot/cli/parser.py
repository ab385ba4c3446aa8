"""What the command line may say: every command, and what runs it.

Nothing heavy is imported until a command that needs it runs, so that `--help` answers at once.
"""

import argparse
from pathlib import Path

from charbot.cli import completion, discord, fit, measure, personas, recipes, scripts, talk


def parser_of_all() -> argparse.ArgumentParser:
    """The parser of `charbot`."""
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
    completion.add(commands, parser_of_all)
    return parser


def _version_or_chat(args: argparse.Namespace) -> int:
    if args.version:
        from charbot import __version__

        print(f"charbot {__version__}")
        return 0
    return talk.chat(args)
