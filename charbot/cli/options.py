"""What several commands share: options, and the settings, scripts and library that they name."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeAlias

from charbot.errors import CharbotError, UsageError

if TYPE_CHECKING:
    from charbot.config import Config
    from charbot.personas.library import Library
    from charbot.scripts.reading import Reading

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a group of commands adds its parsers."""


def add_command(commands: Commands, name: str, about: str, *examples: str) -> argparse.ArgumentParser:
    """A command, what it is for, and how it is used: its help teaches by example."""
    return commands.add_parser(
        name, help=about, description=f"{about[0].upper()}{about[1:]}.", epilog=told(*examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


def told(*examples: str) -> str:
    """Examples as they stand below a help."""
    return "\n  ".join(("examples:", *examples))


def add_bundles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundles", type=Path, metavar="FOLDER", help="look for bundles here first")


def add_continue(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "-c", "--continue", dest="resume", action="store_true", default=default, help="go on with the last conversation"
    )


def add_scripts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scripts", nargs="+", type=Path, metavar="PATH",
        help="script files, folders or archives of them (default: what `charbot scripts import` has kept)",
    )  # fmt: skip
    add_format(parser)


def add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", metavar="NAME", help="read every file as this format, whatever it looks like")


def standard_input() -> TextIO:
    """Where a command reads what it is not given as an argument. Raises CharbotError where it is closed."""
    if sys.stdin is None:
        raise CharbotError("the standard input is closed")
    return sys.stdin


def config_of(args: argparse.Namespace) -> "Config":
    """The settings of the file that the command line names, or of ./config.yaml, or the defaults."""
    from charbot.config import Config, load_config

    path: Path | None = args.config
    if path is None and Path("config.yaml").exists():
        path = Path("config.yaml")
    return Config() if path is None else load_config(path)


def library_of(args: argparse.Namespace) -> "Library":
    from charbot.personas.library import Library

    default = Library.default()
    return Library((args.bundles, *default.folders)) if args.bundles else default


def reading_of(args: argparse.Namespace) -> "Reading":
    """The scripts that the command line names."""
    from charbot.scripts.formats import find_format
    from charbot.scripts.reading import read_scripts

    kept = kept_scripts()
    if not args.scripts and not kept.exists():
        raise UsageError("name scripts with --scripts, or keep some with `charbot scripts import` first")
    return read_scripts(args.scripts or [kept], find_format(args.format) if args.format else None)


def kept_scripts() -> Path:
    from charbot.personas.library import user_folder

    return user_folder().parent / "scripts"
