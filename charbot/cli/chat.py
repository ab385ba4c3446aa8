"""`charbot chat` and `charbot say`."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from charbot.cli.options import (
    Commands,
    add_bundles,
    add_command,
    add_continue,
    config_of,
    library_of,
    set_torch_environment,
    standard_input,
)  # fmt: skip
from charbot.errors import UsageError

if TYPE_CHECKING:
    from charbot.config import Config


def add(commands: Commands) -> None:
    talk = add_command(
        commands, "chat", "talk to a persona in the terminal",
        "charbot chat joey                         # /help lists what you can do there, Ctrl-D leaves",
        "charbot chat cartman --seed 7 --unit char",
        "charbot chat --continue                   # go on where you left",
    )  # fmt: skip
    talk.add_argument("persona", nargs="?", help="who to talk to; without it, pick one from a list")
    # SUPPRESS, so that the default does not replace a flag before the command: `charbot -c chat`.
    add_continue(talk, default=argparse.SUPPRESS)
    talk.add_argument("--no-stream", action="store_true", help="show replies at once")
    _add_reply_options(talk)
    talk.set_defaults(run=chat)

    say = add_command(
        commands, "say", "one reply, or one for each line of a pipe",
        'charbot say joey "Are you hungry?"',
        "printf 'Hi\\nBye\\n' | charbot say monica   # one conversation, a reply for each line",
        "echo '{\"id\": 1, \"message\": \"Hi\"}' | charbot say ross --json --seed 7",
    )  # fmt: skip
    say.add_argument("persona", help="who replies")
    say.add_argument("message", nargs="?", help="what you say; without it, each line of the standard input")
    say.add_argument(
        "--json", action="store_true", help='JSON lines: {"id", "message" or "context"} in, {"id", "reply", "ms"} out'
    )
    _add_reply_options(say)
    say.set_defaults(run=_say)


def chat(args: argparse.Namespace) -> int:
    from bots.terminal.repl import chat as talk

    set_torch_environment()
    standard_input()
    if args.resume and args.persona:
        raise UsageError("--continue goes on with whoever talked last; leave the name out")
    config = _config(args)
    return talk(library_of(args), args.persona, config.chat, config.terminal, resume=args.resume, given=_given(args))


def _say(args: argparse.Namespace) -> int:
    from bots.terminal.say import answer_lines, answer_once, answer_requests
    from charbot.generation.persona import Persona

    set_torch_environment()
    persona, options = Persona(library_of(args), args.persona), _config(args).chat
    if args.json and args.message is not None:
        raise UsageError("--json reads JSON lines from the standard input; leave the message out")
    if args.message is not None:
        answer_once(persona, options, args.message, sys.stdout)
    elif args.json:
        answer_requests(persona, options, standard_input(), sys.stdout)
    else:
        answer_lines(persona, options, standard_input(), sys.stdout)
    return 0


def _add_reply_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--unit", choices=("char", "word"), help="which model writes")
    parser.add_argument("--temperature", type=float, help="0.05 to 2: low is predictable, high is wild")
    parser.add_argument("--seed", type=int, help="makes replies repeatable")
    add_bundles(parser)


def _config(args: argparse.Namespace) -> "Config":
    """Return the settings, overridden by the command line. Raises ConfigError."""
    from charbot.config import override

    terminal = {"stream": False} if getattr(args, "no_stream", False) else {}
    return override(config_of(args), {"chat": _given(args), "terminal": terminal}, "the command line")


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """Return the reply settings that the command line gives."""
    return {name: value for name in ("unit", "temperature", "seed") if (value := getattr(args, name)) is not None}
