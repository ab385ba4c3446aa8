"""The `charbot` command: the one place that puts the parts together.

Nothing heavy is imported until a command that needs it runs, so that `--help` answers at once.
"""

import argparse
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from charbot.errors import CharbotError, UsageError

if TYPE_CHECKING:
    from charbot.config import Config
    from charbot.personas.bundle import Fit
    from charbot.personas.library import Library

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns its exit code: 0, 1 error, 2 usage, 78 configuration, 130 interrupted."""
    parser = _parser()
    args = parser.parse_args(argv)
    for stream in (sys.stdin, sys.stdout):
        # Bytes that are no text in this locale are shown as such, and stop nothing.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code: int = args.run(args)
    except CharbotError as error:
        print(f"charbot: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\ncharbot: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone, as in `charbot say ... | head -1`: nothing is left to say, and
        # Python must not try to flush it on its way out.
        sys.stdout = None
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="charbot", description="A chatbot that talks like a TV character. Without a command: pick a persona and chat."
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (default: ./config.yaml, if there is one)")
    parser.set_defaults(run=_version_or_chat, persona=None, unit=None, temperature=None, seed=None, bundles=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    chat = commands.add_parser("chat", help="talk to a persona in the terminal")
    chat.add_argument("persona", nargs="?", help="who to talk to; without it, pick one from a list")
    _add_reply_options(chat)
    chat.set_defaults(run=_chat)

    say = commands.add_parser(
        "say", help="one reply, or one for each line of a pipe",
        epilog='examples: charbot say joey "Are you hungry?"    printf "Hi\\nBye\\n" | charbot say monica',
    )  # fmt: skip
    say.add_argument("persona", help="who replies")
    say.add_argument("message", nargs="?", help="what you say; without it, each line of the standard input")
    say.add_argument("--json", action="store_true", help='JSON lines: {"id", "message"} in, {"id", "reply", "ms"} out')
    _add_reply_options(say)
    say.set_defaults(run=_say)

    score = commands.add_parser("score", help="how likely given replies are, JSON lines in and out")
    score.add_argument("persona", help="whose replies they are")
    score.add_argument("--unit", choices=("char", "word", "both"), default="both", help="which model; both mixes them evenly")
    _add_bundles(score)
    score.set_defaults(run=_score)

    personas = commands.add_parser("personas", help="which personas there are")
    actions = personas.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all of them")
    listing.add_argument("--json", action="store_true", help="as JSON")
    _add_bundles(listing)
    listing.set_defaults(run=_personas_list)
    show = actions.add_parser("show", help="what one was fitted to, and how well")
    show.add_argument("persona")
    show.add_argument("--json", action="store_true", help="as JSON")
    _add_bundles(show)
    show.set_defaults(run=_personas_show)

    scripts = commands.add_parser("scripts", help="what scripts hold")
    actions = scripts.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="what was read, and what was passed over and why")
    check.add_argument("scripts", nargs="+", type=Path, metavar="PATH", help="script files, or folders of them")
    check.add_argument("--json", action="store_true", help="as JSON")
    check.set_defaults(run=_scripts_check)

    train = commands.add_parser(
        "train", help="fit a base or a persona; run again to resume",
        epilog="example: charbot train --scripts my_show/ --persona Alice --persona Bob",
    )  # fmt: skip
    _add_scripts(train)
    train.add_argument("--base", action="store_true", help="fit a base to all speakers")
    train.add_argument("--persona", action="append", default=[], metavar="NAME", help="fit this character (repeatable)")
    train.add_argument("--unit", choices=("char", "word", "both"), default="both", help="which models to fit")
    train.add_argument("--rating", choices=("general", "mature"), default="general", help="who a persona is fit for")
    train.add_argument("--out", type=Path, metavar="FOLDER", help="where bundles go (default: the user's data folder)")
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("eval", help="scores of bases or personas on held-out episodes")
    evaluate.add_argument("personas", nargs="*", metavar="PERSONA", help="none: the bases")
    _add_scripts(evaluate)
    evaluate.add_argument("--json", action="store_true", help="as JSON")
    _add_bundles(evaluate)
    evaluate.set_defaults(run=_eval)
    return parser


def _add_bundles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundles", type=Path, metavar="FOLDER", help="look for bundles here first")


def _add_scripts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scripts", nargs="+", type=Path, required=True, metavar="PATH", help="script files, or folders of them")


def _add_reply_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--unit", choices=("char", "word"), help="which model writes")
    parser.add_argument("--temperature", type=float, help="0.05 to 2: low is predictable, high is wild")
    parser.add_argument("--seed", type=int, help="makes replies repeatable")
    _add_bundles(parser)


def _config(args: argparse.Namespace) -> "Config":
    """The settings of the file, with what the command line says put over them."""
    from charbot.config import Config, load_config, override

    path: Path | None = args.config
    if path is None and Path("config.yaml").is_file():
        path = Path("config.yaml")
    config = Config() if path is None else load_config(path)
    given = {name: value for name in ("unit", "temperature", "seed") if (value := getattr(args, name, None)) is not None}
    # `both`, which train and score know, is no way to chat.
    return override(config, {"chat": given} if args.run in (_chat, _say) else {}, "the command line")


def _library(args: argparse.Namespace) -> "Library":
    from charbot.personas.library import Library

    default = Library.default()
    return Library((args.bundles, *default.folders)) if args.bundles else default


def _version_or_chat(args: argparse.Namespace) -> int:
    if args.version:
        from charbot import __version__

        print(f"charbot {__version__}")
        return 0
    return _chat(args)


def _chat(args: argparse.Namespace) -> int:
    from bots.terminal.chat import chat

    return chat(_library(args), args.persona, _config(args).chat)


def _say(args: argparse.Namespace) -> int:
    from bots.terminal.say import answer_lines, answer_once, answer_requests
    from charbot.replies.engine import Voice

    voice = Voice(_library(args), args.persona, _config(args).chat)
    if args.json and args.message is not None:
        raise UsageError("--json reads JSON lines from the standard input; leave the message out")
    if args.message is not None:
        answer_once(voice, args.message, sys.stdout)
    elif args.json:
        answer_requests(voice, sys.stdin, sys.stdout)
    else:
        answer_lines(voice, sys.stdin, sys.stdout)
    return 0


def _score(args: argparse.Namespace) -> int:
    from charbot.evaluation.scoring import Scorer, score_lines

    scorer = Scorer(_library(args), args.persona, args.unit)
    for line in score_lines(scorer, sys.stdin):
        print(line, flush=True)
    return 0


def _personas_list(args: argparse.Namespace) -> int:
    import json

    cards = [(path.name, card) for path, card in _library(args).cards()]
    if args.json:
        rows = [{"id": id_, "name": c.name, "show": c.show, "rating": c.rating, "units": list(c.fits)} for id_, c in cards]
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for id_, card in sorted(cards, key=lambda pair: (pair[1].show, pair[1].name)):
        print(f"{id_:14} {card.name:14} {card.show:12} {card.rating:8}", *map(_fitted, card.fits.items()), sep="  ")
    return 0


def _fitted(fit: "tuple[str, Fit]") -> str:
    """How well a unit is fitted: bits a character of held-out lines, the base's and the persona's own."""
    unit, scores = fit[0], fit[1].scores
    before, after = (scores.get(f"{prefix}test_bits_per_character") for prefix in ("base_", ""))
    return unit if before is None or after is None else f"{unit} {before:.3f} > {after:.3f}"


def _personas_show(args: argparse.Namespace) -> int:
    import dataclasses
    import json

    from charbot.personas.bundle import read_persona

    folder = _library(args).find(args.persona)
    card = read_persona(folder)
    if args.json:
        print(json.dumps(dataclasses.asdict(card), ensure_ascii=False))
        return 0
    print(f"{card.name} ({card.show}), rated {card.rating}\n  in {folder}\n  data: {json.dumps(card.data, ensure_ascii=False)}")
    for unit, fit in card.fits.items():
        scores = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in fit.scores.items())
        print(f"  {unit}: {scores}")
    return 0


def _scripts_check(args: argparse.Namespace) -> int:
    import json

    from charbot.corpus.table import corpus_table, summary
    from charbot.scripts.reading import read_scripts

    reading = read_scripts(args.scripts)
    shows = summary(corpus_table(reading.lines, _config(args).corpus))
    passed_over = [{"file": str(path), "why": why} for path, why in reading.skipped]
    if args.json:
        print(json.dumps({"files": reading.files, "shows": shows, "passed_over": passed_over}, ensure_ascii=False))
        return 0
    print(f"{reading.files} files, {len(reading.lines)} lines")
    for show, counts in shows.items():
        print(f"  {show}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    for one in passed_over:
        print("passed over {file}: {why}".format(**one))
    return 0


def _train(args: argparse.Namespace) -> int:
    if not args.base and not args.persona:
        raise UsageError("train needs --base, or --persona NAME, or both")
    from rich.console import Console

    from charbot.corpus.table import corpus_table
    from charbot.personas.library import Library, user_folder
    from charbot.scripts.reading import read_scripts
    from charbot.tokens.vocabulary import UNITS
    from trainer.fitting import fit_base, fit_persona, prepare

    config = _config(args)
    console = Console(stderr=True)
    out = args.out or user_folder()
    with console.status("Reading the scripts"):
        reading = read_scripts(args.scripts)
    for path, why in reading.skipped:
        console.print(f"passed over {path}: {why}", highlight=False)
    shop = prepare(config, corpus_table(reading.lines, config.corpus), out, console)
    units = [unit for unit in UNITS if args.unit in (unit, "both")]
    try:
        for unit in units if args.base else ():
            print(fit_base(shop, unit), flush=True)
        library = Library((out, *Library.default().folders))
        for name in args.persona:
            print(fit_persona(shop, library, name, units, args.rating), flush=True)
    except KeyboardInterrupt:
        console.print("Stopped. The same command goes on from the last checkpoint.", highlight=False)
        return INTERRUPTED
    return 0


def _eval(args: argparse.Namespace) -> int:
    import json

    from charbot.corpus.table import corpus_table
    from charbot.evaluation.report import base_report, persona_report
    from charbot.scripts.reading import read_scripts

    config = _config(args)
    table = corpus_table(read_scripts(args.scripts).lines, config.corpus)
    library = _library(args)
    rows = (
        [persona_report(library, name, table, config.chat.context_turns) for name in args.personas]
        if args.personas
        else [base_report(library, table)]
    )
    for row in rows:
        if args.json:
            print(json.dumps(row, ensure_ascii=False))
        else:
            print("  ".join(f"{key} {value:.4f}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()))
    return 0
