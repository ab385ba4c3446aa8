"""Options that several commands share, and the settings, scripts and library that they select."""

import argparse
import atexit
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from charbot.errors import CharbotError, ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from charbot.config import Config
    from charbot.personas.library import Library
    from charbot.scripts.formats import Format
    from charbot.scripts.results import ImportResult

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""The subparsers to which each module adds its commands."""


class Parser(argparse.ArgumentParser):
    """A parser that takes options anywhere among the words, and only whole ones: a later option may change what `--conf` means.

    argparse itself gives up on `say ross --seed 1 hi` (python/cpython#59317). It can parse in two passes, options first,
    but not where there are subparsers.
    """

    _in_passes = False

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def print_help(self, file: Any = None) -> None:
        # argparse itself ends as if all were well where the help cannot be written.
        (file or sys.stdout).write(self.format_help())

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        if self._in_passes or self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        self._in_passes = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._in_passes = False


def add_command(commands: Commands, name: str, about: str, *examples: str) -> "Parser":
    """Add a command, whose help shows examples, and return its parser."""
    parser = commands.add_parser(
        name, help=about, description=f"{about[0].upper()}{about[1:]}.", epilog=format_examples(*examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    # SUPPRESS, so that the default does not replace a value before the command: `charbot --config FILE chat`.
    add_config(parser, default=argparse.SUPPRESS)
    return parser


def format_examples(*examples: str) -> str:
    """Return the examples as the epilog of a help text."""
    return "\n  ".join(("examples:", *examples))


def add_bundles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundles", type=Path, metavar="FOLDER", help="look for bundles here first")


def add_config(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--config", type=Path, default=default, metavar="FILE", help="settings (default: ./config.yaml, if there is one)"
    )


def add_continue(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "-c", "--continue", dest="resume", action="store_true", default=default,
        help="continue the last conversation, or the last one with that persona",
    )  # fmt: skip


def add_scripts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scripts", nargs="+", type=Path, metavar="PATH",
        help="script files, folders or archives of them (default: what `charbot scripts import` has kept)",
    )  # fmt: skip
    add_format(parser)


def add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", metavar="NAME", help="read every file as this format, whatever it looks like")
    parser.add_argument(
        "--columns",
        metavar="FIELD=NAME,...",
        help="read tables with these columns: speaker=who,text=said (also season, episode, scene)",
    )


def set_torch_environment() -> None:
    """Set up this process for inference by torch: environment variables, unless they are set, and the garbage collector.

    Call it before importing torch.
    """
    # Importing torch and loading a persona make hundreds of thousands of objects, of which little is garbage.
    gc.set_threshold(50_000)
    # At its end Python looks for garbage among all of them once more, though their memory is given back all the same.
    atexit.register(gc.freeze)
    # Threads that wait for one another spin for some microseconds, then sleep. Sleeping at once doubles the time of a
    # reply; spinning for long, on a busy machine, takes the cores from the threads that are waited for. GNU OpenMP, as in
    # torch for Linux, obeys the spin count; other runtimes obey the policy.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    # By default oneDNN, and torch above it, each cache the primitives of a thousand matrix shapes: 100 MB in 500 turns.
    # With only eight in oneDNN, a reply takes a third longer, because its batch keeps shrinking.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    os.environ.setdefault("LRU_CACHE_CAPACITY", "8")


def standard_input() -> TextIO:
    """Return the standard input. Raises CharbotError where it is closed."""
    if sys.stdin is None:
        raise CharbotError("the standard input is closed")
    return sys.stdin


def confirm(question: str) -> bool:
    """Return whether the user says yes; the end of the input is a no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def print_answers(answers: "Iterable[Mapping[str, object]]") -> int:
    """Print the answers to JSON lines as they come, and return the exit code: 1 if any of them is an error."""
    code = 0
    for answer in answers:
        print_json(answer)
        code = 1 if "error" in answer else code
    return code


def print_json(value: object) -> None:
    """Print a value as one line of JSON: in UTF-8, or in ASCII where the standard output has another encoding."""
    import codecs
    import json

    is_unicode = codecs.lookup(sys.stdout.encoding).name == "utf-8"
    print(json.dumps(value, ensure_ascii=not is_unicode), flush=True)


def print_figures(figures: "Mapping[str, object]", as_json: bool) -> None:
    """Print figures by their names: a line each, or all as one line of JSON."""
    if as_json:
        print_json({name: None if value != value else value for name, value in figures.items()})  # JSON has no NaN
        return
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):28} {round(value, 4) if isinstance(value, float) else value}", flush=True)
    print()


def config_of(args: argparse.Namespace) -> "Config":
    """Return the settings of the file that --config names, else of ./config.yaml, else the defaults. Raises ConfigError."""
    from charbot.config import Config, load_config

    if args.config is not None:
        return load_config(args.config)
    path = Path("config.yaml")
    try:
        return load_config(path) if path.exists() else Config()
    except ConfigError as error:
        # The file may belong to another program.
        raise ConfigError(f"{error} (this file was in the working folder; --config names another)") from error


def library_of(args: argparse.Namespace) -> "Library":
    """Return the bundles that --bundles names, before those of the user and of charbot. Raises UsageError."""
    from charbot.personas.library import Library

    default = Library.default()
    if args.bundles is None:
        return default
    if not args.bundles.is_dir():
        raise UsageError(f"--bundles {args.bundles}: there is no such folder")
    return Library((args.bundles, *default.folders))


def reading_of(args: argparse.Namespace, console: "Console | None" = None) -> "ImportResult":
    """Return the scripts that the command line names, or else the imported ones. Raises UsageError where there are none.

    The console, by default that of the standard error, shows which file is being read.
    """
    from rich.console import Console

    from charbot.scripts.formats import find_format, table_format

    kept = kept_scripts()
    if not args.scripts and not kept.exists():
        raise UsageError("name scripts with --scripts, or keep some with `charbot scripts import` first")
    format_ = find_format(args.format) if args.format else None
    if args.columns:
        pairs = (pair.partition("=") for pair in args.columns.split(","))
        format_ = table_format({field.strip(): name.strip() for field, _, name in pairs})
    return read_shown(args.scripts or [kept], console or Console(stderr=True), format_)


def read_shown(paths: "Sequence[Path]", console: "Console", format_: "Format | None" = None) -> "ImportResult":
    """Read scripts while a console that is a terminal shows which file is being read."""
    from rich.text import Text

    from charbot.scripts.reader import read_scripts
    from charbot.text import printable

    with console.status("Reading the scripts") as status:
        return read_scripts(paths, format_, lambda path: status.update(Text(f"Reading {printable(path.name)}")))


def kept_scripts() -> Path:
    """Return the folder into which `charbot scripts import` copies scripts."""
    from charbot.personas.library import user_folder

    return user_folder().parent / "scripts"
