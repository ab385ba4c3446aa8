"""`charbot completion`: a script that makes the shell complete commands, options and personas."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from charbot.cli.options import Commands, add_bundles, add_command, library_of

_COMPINIT = """
# Where the shell has not set up completion yet, it does now; in a file of its own this has happened.
[[ $zsh_eval_context[-1] == eval ]] && (( ! $+functions[compdef] )) && autoload -Uz compinit && compinit -i
"""


def add(commands: Commands, parser_of_all: Callable[[], argparse.ArgumentParser]) -> None:
    completion = add_command(
        commands, "completion", "have your shell complete what you type",
        'eval "$(charbot completion bash)"         # in ~/.bashrc',
        'eval "$(charbot completion zsh)"          # in ~/.zshrc',
        "charbot completion fish > ~/.config/fish/completions/charbot.fish",
    )  # fmt: skip
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    add_bundles(completion)
    completion.set_defaults(run=lambda args: _completion(args, parser_of_all()))


def _completion(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    import shtab

    for subparser in with_subparsers(parser):
        for action in subparser._actions:
            if action.dest in ("persona", "personas"):
                # The personas installed now: running charbot at every completion would be too slow.
                action.choices = list(library_of(args).personas)
            elif action.type is Path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    script = shtab.complete(parser, args.shell)
    print(script.replace("\n", _COMPINIT, 1) if args.shell == "zsh" else script)
    return 0


def with_subparsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and, recursively, those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from with_subparsers(subparser)
