"""`charbot train`: bases, personas and the speaker classifier."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from charbot.cli.options import Commands, add_command, add_scripts, config_of, read_shown, reading_of
from charbot.errors import INTERRUPTED, UsageError
from charbot.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charbot.tokens.vocabulary import Unit
    from trainer.compare_cells import Compared
    from trainer.run import TrainingRun


def add(commands: Commands) -> None:
    train = add_command(
        commands, "train", "train a base or a persona; run again to resume",
        "charbot train --scripts my_show/ --persona Alice --persona Bob",
        "charbot train --scripts my_show/ --base --persona Alice",
        "charbot train --scripts my_show/ --persona Alice --voice alice.jsonl",
        "charbot train --scripts my_show/ --base --chats chats/",
        "charbot train --scripts my_show/ --classifier",
    )  # fmt: skip
    add_scripts(train)
    train.add_argument("--base", action="store_true", help="train a base on all speakers")
    train.add_argument("--pretrain", nargs="+", type=Path, metavar="PATH", help="other scripts that a base reads too")
    train.add_argument("--chats", nargs="+", type=Path, metavar="PATH", help="conversations (JSON lines) that a base reads too")
    train.add_argument("--classifier", action="store_true", help="train what `charbot who` tells speakers apart by")
    train.add_argument("--compare-cells", action="store_true", help="train LSTM, GRU and RNN alike, and show the difference")
    train.add_argument("--steps", type=int, metavar="N", help="windows that each cell of --compare-cells reads (default: 600)")
    train.add_argument("--persona", action="append", default=[], metavar="NAME", help="train this character (repeatable)")
    train.add_argument("--voice", nargs="+", type=Path, metavar="PATH", help="conversations with the personas (JSON lines)")
    train.add_argument("--unit", choices=("char", "word", "both"), default="both", help="which models to train")
    train.add_argument("--rating", choices=("general", "mature"), help="who a persona is for (default: general)")
    train.add_argument("--out", type=Path, metavar="FOLDER", help="where bundles go (default: the user's data folder)")
    train.set_defaults(run=_train)


def _train(args: argparse.Namespace) -> int:
    if not (args.base or args.persona or args.classifier or args.compare_cells):
        raise UsageError("train needs --base, --persona NAME, --classifier, or --compare-cells")
    _refuse_unused(args)
    steps = 600 if args.steps is None else args.steps
    if steps < 1:
        raise UsageError("--steps must be at least 1")
    from dataclasses import replace

    from rich.console import Console

    from charbot.corpus.chats import ChatFiles
    from charbot.corpus.table import corpus_table
    from charbot.personas.library import Library, user_folder
    from charbot.tokens.vocabulary import UNITS
    from trainer.base import check_nobody_is_left, train_base
    from trainer.distributed import Distributed
    from trainer.persona import train_persona
    from trainer.run import prepare_run

    config = config_of(args)
    distributed = Distributed.join()
    # Names of files and people may hold brackets, which markup would take for styles.
    console = Console(stderr=True, quiet=not distributed.is_main, markup=False)
    out = args.out or user_folder()
    reading = reading_of(args, console)
    first = read_shown(args.pretrain, console) if args.pretrain else None
    for path, why in (*reading.skipped, *(first.skipped if first else ())):
        console.print(printable(f"passed over {path}: {why}"), highlight=False, soft_wrap=True)
    pretrain = corpus_table(first.lines, replace(config.corpus, valid=0.0, test=0.0)) if first else None
    chats, voices = (ChatFiles.find(paths, config.corpus) if paths else None for paths in (args.chats, args.voice))
    run = prepare_run(config, corpus_table(reading.lines, config.corpus), out, console, pretrain, chats, voices, distributed)
    units = [unit for unit in UNITS if args.unit in (unit, "both")]
    if args.base:
        check_nobody_is_left(out, units, args.persona)
    try:
        if args.compare_cells:
            _compare_cells(run, units, steps)
        done = [train_base(run, unit) for unit in units if args.base]
        library = Library((out, *Library.default().folders))
        if args.persona:
            console.print(*(f"{unit} base: {library.base(unit)[0]}" for unit in units), sep="\n", highlight=False, soft_wrap=True)
        done += [train_persona(run, library, name, units, args.rating or "general") for name in args.persona]
        if args.classifier:
            from trainer.speaker_classifier import train_classifier

            done.append(train_classifier(run, library))
    except KeyboardInterrupt:
        console.print("Stopped. The same command continues from the last checkpoint.", highlight=False)
        return INTERRUPTED
    if distributed.is_main:
        print(*done, sep="\n")
    distributed.shutdown()
    return 0


def _refuse_unused(args: argparse.Namespace) -> None:
    """Raise UsageError if an option is given that nothing among what is trained reads."""
    readers = {
        "--steps": (args.steps, ("--compare-cells", args.compare_cells)),
        "--pretrain": (args.pretrain, ("--base", args.base)),
        "--chats": (args.chats, ("--base", args.base)),
        "--voice": (args.voice, ("--persona", args.persona)),
        "--rating": (args.rating, ("--persona", args.persona)),
    }
    for option, (value, (reader, is_given)) in readers.items():
        if value is not None and not is_given:
            raise UsageError(f"{option} is for {reader}, which is not given")


def _compare_cells(run: "TrainingRun", units: "Sequence[Unit]", steps: int) -> None:
    """Compare the cells of each unit, and print and draw the differences."""
    from trainer.compare_cells import compare_cells, draw_cells

    for unit in units:
        compared = compare_cells(run, unit, steps)
        if run.distributed.is_main:
            _print_cells(compared)
            draw_cells(compared, picture := run.out / f"cells-{unit}.png")
            print(picture)


def _print_cells(compared: "Sequence[Compared]") -> None:
    for cell in compared:
        near, far = cell.gradient[0], cell.gradient[-1]
        print(
            f"{cell.cell:5} {cell.parameters:12,} parameters  {cell.bits:.4f} bits per character  {cell.seconds:6.0f} s  "
            f"gradient {far / near:.1e} after {len(cell.gradient) - 1} tokens"
        )
