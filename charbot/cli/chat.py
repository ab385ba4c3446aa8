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
    print_answers,
    set_torch_environment,
    standard_input,
)  # fmt: skip
from charbot.errors import ConfigError, UsageError
from charbot.text import printable

if TYPE_CHECKING:
    from bots.terminal.kept_chats import KeptChat
    from charbot.config import Config


def add(commands: Commands) -> None:
    talk = add_command(
        commands, "chat", "talk to a persona in the terminal",
        "charbot chat joey                         # /help lists what you can do there, Ctrl-D leaves",
        "charbot chat cartman --seed 7 --unit char",
        "charbot chat joey --continue              # continue the last conversation with Joey",
    )  # fmt: skip
    talk.add_argument("persona", nargs="?", help="who to talk to; without it, pick one from a list")
    # SUPPRESS, so that the default does not replace a flag before the command: `charbot -c chat`.
    add_continue(talk, default=argparse.SUPPRESS)
    add_chat_options(talk)
    talk.set_defaults(run=chat)

    say = add_command(
        commands, "say", "one reply, or one for each line of a pipe",
        'charbot say joey "Are you hungry?"',
        "printf 'Hi\\nBye\\n' | charbot say monica   # one conversation, a reply for each line",
        "echo '{\"id\": 1, \"message\": \"Hi\"}' | charbot say ross --json --seed 7",
    )  # fmt: skip
    say.add_argument("persona", help="who replies")
    say.add_argument("message", nargs="*", default=[], help="what you say; without it, each line of the standard input")
    say.add_argument(
        "--json", action="store_true", help='JSON lines: {"id", "message" or "context"} in, {"id", "reply", "ms"} out'
    )
    _add_reply_options(say)
    say.set_defaults(run=_say)


def chat(args: argparse.Namespace) -> int:
    return run_chat(args, _newest_chat(args) if args.resume else None)


def _newest_chat(args: argparse.Namespace) -> "KeptChat":
    """Return the conversation that changed last, with the persona that the command line names if any. Raises CharbotError."""
    from bots.terminal.kept_chats import ChatStore
    from charbot.personas.bundle import read_persona

    persona = read_persona(library_of(args).find(args.persona)).name if args.persona else None
    return ChatStore.default().newest(report_problem, persona)


def run_chat(args: argparse.Namespace, kept: "KeptChat | None" = None) -> int:
    """Chat in the terminal, continuing a kept conversation if there is one, and return the exit code."""
    from bots.terminal.repl import chat

    set_torch_environment()
    standard_input()
    config = _config(args)
    return chat(library_of(args), config.chat, config.terminal, persona=args.persona, kept=kept, overridden=_chat_options(args))


def report_problem(problem: str) -> None:
    """Print what is wrong with something that is passed over, on the standard error."""
    print(printable(f"charbot: {problem}"), file=sys.stderr)


def _say(args: argparse.Namespace) -> int:
    from bots.terminal.say import answer_lines, answer_once, answer_requests
    from charbot.generation.persona import Persona

    set_torch_environment()
    persona, options = Persona(library_of(args), args.persona), _config(args).chat
    if args.json and args.message:
        raise UsageError("--json reads JSON lines from the standard input; leave the message out")
    if args.message:
        answer_once(persona, options, " ".join(args.message), sys.stdout)
        return 0
    if args.json:
        return print_answers(answer_requests(persona, options, standard_input()))
    answer_lines(persona, options, standard_input(), sys.stdout, report_problem)
    return 0


def add_chat_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-stream", action="store_true", help="show replies at once")
    _add_reply_options(parser)


def _add_reply_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--unit", choices=("char", "word"), help="which model writes")
    parser.add_argument("--temperature", type=float, help="0.05 to 2: low is predictable, high is wild")
    parser.add_argument("--seed", type=int, help="makes replies repeatable")
    add_bundles(parser)


def _config(args: argparse.Namespace) -> "Config":
    """Return the settings, overridden by the command line. Raises ConfigError, and UsageError for a value on the command line."""
    from charbot.config import override

    config, terminal = config_of(args), {"stream": False} if getattr(args, "no_stream", False) else {}
    try:
        return override(config, {"chat": _chat_options(args), "terminal": terminal}, "the command line")
    except ConfigError as error:
        raise UsageError(str(error)) from error


def _chat_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the reply settings that the command line gives."""
    return {name: value for name in ("unit", "temperature", "seed") if (value := getattr(args, name)) is not None}
