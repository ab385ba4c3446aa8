"""What several commands share: options, and the settings, scripts and library that they name."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeAlias

from charbot.errors import CharbotError, ConfigError, UsageError

if TYPE_CHECKING:
    from charbot.config import Config
    from charbot.personas.library import Library
    from charbot.scripts.reading import Reading

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a group of commands adds its parsers."""


def add_command(commands: Commands, name: str, about: str, *examples: str) -> argparse.ArgumentParser:
    """A command, what it is for, and how it is used: its help teaches by example."""
    parser = commands.add_parser(
        name, help=about, description=f"{about[0].upper()}{about[1:]}.", epilog=told(*examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    # Left out here, it is what stands before the command: `charbot --config FILE chat`.
    add_config(parser, default=argparse.SUPPRESS)
    return parser


def told(*examples: str) -> str:
    """Examples as they stand below a help."""
    return "\n  ".join(("examples:", *examples))


def add_bundles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundles", type=Path, metavar="FOLDER", help="look for bundles here first")


def add_config(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--config", type=Path, default=default, metavar="FILE", help="settings (default: ./config.yaml, if there is one)"
    )


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


def before_torch() -> None:
    """What torch is to find in the environment when it is imported, where nothing is fitted; what is there already counts
    for more."""
    # Its threads spin for some microseconds while they wait for one another, and then sleep. To sleep at once doubles
    # what a reply takes; to spin for long takes the cores that they wait for, on a busy machine. Where GNU's OpenMP is
    # at work, as in torch for Linux, the count is heeded, and else the policy.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    # oneDNN, and torch above it, keep what they have set up for a thousand shapes of matrices each: a hundred megabytes
    # in 500 turns. With no more than eight in oneDNN a reply, whose batch shrinks as it goes, takes a third longer.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    os.environ.setdefault("LRU_CACHE_CAPACITY", "8")


def standard_input() -> TextIO:
    """Where a command reads what it is not given as an argument. Raises CharbotError where it is closed."""
    if sys.stdin is None:
        raise CharbotError("the standard input is closed")
    return sys.stdin


def config_of(args: argparse.Namespace) -> "Config":
    """The settings of the file that the command line names, or of ./config.yaml, or the defaults."""
    from charbot.config import Config, load_config

    if args.config is not None:
        return load_config(args.config)
    found = Path("config.yaml")
    try:
        return load_config(found) if found.exists() else Config()
    except ConfigError as error:
        # It may be another program's.
        raise ConfigError(f"{error} (this file was in the working folder; --config names another)") from error


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
