"""`charbot completion`: a script that has the shell complete commands, options and personas."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from charbot.cli.options import Commands, add_bundles, library_of


def add(commands: Commands, parser_of_all: Callable[[], argparse.ArgumentParser]) -> None:
    completion = commands.add_parser(
        "completion", help="have your shell complete what you type",
        epilog='examples: eval "$(charbot completion bash)" in ~/.bashrc    '
        "charbot completion zsh > ~/.zfunc/_charbot    charbot completion fish > ~/.config/fish/completions/charbot.fish",
    )  # fmt: skip
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    add_bundles(completion)
    completion.set_defaults(run=lambda args: _completion(args, parser_of_all()))


def _completion(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    import shtab

    for one in _with_subparsers(parser):
        for action in one._actions:
            if action.dest in ("persona", "personas"):
                # Those that are there now: the shell has no time to ask at every key.
                action.choices = list(library_of(args).personas)
            elif action.type is Path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, args.shell))
    return 0


def _with_subparsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield from _with_subparsers(one)
