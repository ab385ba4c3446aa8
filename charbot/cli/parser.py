"""The parser of the command line.

Commands import heavy modules only when they run, so that `--help` answers at once.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence

from charbot.cli import bases, bench, chat, chats, completion, discord, evaluate, personas, recipes, scripts, serve, train
from charbot.cli.options import Parser, add_config, add_continue, format_examples
from charbot.errors import BundleError, UsageError


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; a persona's name in place of a command stands for a chat with it.

    Raises UsageError for a word that is neither, and for an unknown option before it.
    """
    parser = parser_of_all()
    words = sys.argv[1:] if argv is None else [*argv]
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    first = _first_word(words)
    for word in words[:first]:
        if word.startswith("--") and word.partition("=")[0] not in parser._option_string_actions:
            raise UsageError(f"{word} is no option of charbot itself; options of a command come after the command")
    if first < len(words) and words[first] not in commands.choices:
        _require_persona(words[first], commands.choices)
        words.insert(first, "chat")
    return parser.parse_args(words)


def _first_word(words: Sequence[str]) -> int:
    """Return the index of the first word that is neither an option nor the value of --config."""
    index = 0
    while index < len(words) and words[index].startswith("-"):
        index += 2 if words[index] == "--config" else 1
    return index


def _require_persona(name: str, commands: Iterable[str]) -> None:
    """Raise UsageError, with the commands and personas that it may mean, unless a persona is called `name`."""
    import difflib

    from charbot.personas.library import Library

    library = Library.default()
    try:
        library.find(name)
    except BundleError as error:
        meant = [*difflib.get_close_matches(name, commands, n=1), *library.similar(name)]
        hint = f" Did you mean {' or '.join(meant)}?" if meant else " `charbot --help` lists the commands."
        raise UsageError(f"there is no command and no persona called {name!r}.{hint}") from error


def parser_of_all() -> Parser:
    """Return the parser of `charbot` and all its commands."""
    parser = Parser(
        prog="charbot", description="A chatbot that talks like a TV character. Without a command: pick a persona and chat.",
        epilog=format_examples(
            "charbot                                   # pick a persona from a list, and talk",
            "charbot joey                              # talk to Joey",
            "charbot -c                                # continue the last conversation",
            "charbot -c joey                           # continue the last one with Joey",
            'charbot say ross "Are you happy?"         # one reply',
            "charbot train --scripts my_show/ --persona Alice",
            "charbot say --help                        # what a command does, by example",
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    add_config(parser, default=None)
    add_continue(parser, default=False)
    parser.set_defaults(run=_version_or_chat, persona=None, unit=None, temperature=None, seed=None, bundles=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for group in (chat, chats, discord, serve, personas, bases, scripts, train, recipes, evaluate, bench):
        group.add(commands)
    completion.add(commands, parser_of_all)
    return parser


def _version_or_chat(args: argparse.Namespace) -> int:
    if args.version:
        from charbot import __version__

        print(f"charbot {__version__}")
        return 0
    return chat.chat(args)
