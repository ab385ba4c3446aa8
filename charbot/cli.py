"""The `charbot` command: the one place that puts the parts together.

Nothing heavy is imported until a command that needs it runs, so that `--help` answers at once.
"""

import argparse
import os
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
    from charbot.scripts.reading import Reading
    from trainer.cells import Compared

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns its exit code: 0, 1 error, 2 usage, 78 configuration, 130 interrupted."""
    parser = _parser()
    args = parser.parse_args(argv)
    # torch's threads are to sleep while they wait for one another. Spinning, they take the cores
    # that they wait for, and on a busy machine a reply takes seven times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
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
    check = actions.add_parser("check", help="what was read, and what was left out and why")
    check.add_argument("--left-out", action="store_true", help="show every source line that was left out")
    check.set_defaults(run=_scripts_check)
    cast = actions.add_parser("cast", help="which names are one person's, and how to overrule that")
    cast.set_defaults(run=_scripts_cast)
    stats = actions.add_parser("stats", help="lines, words, and who talks to whom")
    stats.add_argument("--characters", type=int, default=8, metavar="N", help="how many of each show (default: 8)")
    stats.add_argument("--plots", type=Path, metavar="FOLDER", help="also draw them there, as PNG")
    stats.set_defaults(run=_scripts_stats)
    for action in (check, cast, stats):
        action.add_argument("--json", action="store_true", help="as JSON")
    export = actions.add_parser(
        "export", help="the lines as JSON lines, CSV or chat messages",
        epilog="example: charbot scripts export my_show/ --as chat --persona Alice > alice.jsonl",
    )  # fmt: skip
    export.add_argument("--as", dest="kind", choices=("jsonl", "csv", "chat"), default="jsonl", help="in which form")
    export.add_argument("--persona", metavar="NAME", help="chat: who the assistant is")
    export.set_defaults(run=_scripts_export)
    fetch = actions.add_parser("fetch", help="download scripts from a public place")
    fetch.add_argument("place", help="friends or south-park")
    fetch.add_argument("--out", type=Path, metavar="FOLDER", help="where to (default: your data folder)")
    fetch.add_argument("--yes", action="store_true", help="do not ask")
    fetch.set_defaults(run=_scripts_fetch)
    keep = actions.add_parser("import", help="keep scripts in your data folder, where train and eval look for them")
    keep.set_defaults(run=_scripts_import)
    for action in (check, cast, stats, export, keep):
        action.add_argument("scripts", nargs="+", type=Path, metavar="PATH", help="script files, folders or archives of them")
        _add_format(action)

    train = commands.add_parser(
        "train", help="fit a base or a persona; run again to resume",
        epilog="example: charbot train --scripts my_show/ --persona Alice --persona Bob",
    )  # fmt: skip
    _add_scripts(train)
    train.add_argument("--base", action="store_true", help="fit a base to all speakers")
    train.add_argument("--pretrain", nargs="+", type=Path, metavar="PATH", help="other scripts that a base reads first")
    train.add_argument("--compare-cells", action="store_true", help="fit LSTM, GRU and plain RNN alike, and show the difference")
    train.add_argument("--steps", type=int, default=600, metavar="N", help="windows that each cell reads (default: 600)")
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

    recipe = commands.add_parser("recipe", help="well-known experiments with LSTMs, beside their published figures")
    actions = recipe.add_subparsers(title="recipes", metavar="RECIPE", required=True)
    following = actions.add_parser("next-word", help="the next word of a short story from the three before it")
    following.add_argument("story", nargs="?", type=Path, metavar="FILE", help="a short text (default: one of charbot's own)")
    following.add_argument("--layers", type=int, choices=(1, 2), default=2, help="of 512 units each (default: 2)")
    following.add_argument("--steps", type=int, default=50_000, metavar="N", help="examples, one a step (default: 50000)")
    following.set_defaults(run=_next_word)

    bench = commands.add_parser("bench", help="speed, as ratios to this machine's limits")
    actions = bench.add_subparsers(title="actions", metavar="ACTION", required=True)
    steps = actions.add_parser("train", help="a training step, against a plain loop and the machine's peak")
    steps.add_argument("--rounds", type=int, default=5, metavar="N", help="how often everything is timed (default: 5)")
    steps.add_argument("--steps", type=int, default=12, metavar="N", help="training steps timed in a round (default: 12)")
    steps.add_argument("--json", action="store_true", help="as JSON")
    steps.set_defaults(run=_bench_train)
    return parser


def _add_bundles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundles", type=Path, metavar="FOLDER", help="look for bundles here first")


def _add_scripts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scripts", nargs="+", type=Path, metavar="PATH",
        help="script files, folders or archives of them (default: what `charbot scripts import` has kept)",
    )  # fmt: skip
    _add_format(parser)


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", metavar="NAME", help="read every file as this format, whatever it looks like")


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

    from charbot.corpus.duplicates import shared_lines
    from charbot.corpus.table import corpus_table, summary
    from charbot.scripts.account import account

    reading = _read(args)
    found = account(reading) | {"shows": summary(corpus_table(reading.lines, _config(args).corpus))}
    shared = [(*map(" ".join, pair), count) for pair, count in shared_lines(reading.lines).items()]
    if args.json:
        omissions = [
            {"file": str(script.path), "line": one.line, "why": one.reason, "begins": one.excerpt}
            for script in reading.scripts
            for one in script.omissions
        ]
        print(json.dumps(found | {"omissions": omissions, "shared_lines": shared}, ensure_ascii=False))
        return 0
    source = found["source_lines"]
    print(f"{found['files']} files, {len(reading.lines)} lines of dialogue from {source['in']} source lines")
    for show, counts in found["shows"].items():
        print(f"  {show}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    print("  formats: " + ", ".join(f"{count} {name}" for name, count in found["formats"].items()))
    for reason, count in {"kept": source["kept"], **source["left_out"]}.items():
        print(f"  {count:8} {count / source['in']:6.1%}  {reason}")
    if found["merged_names"]:
        print(f"{found['merged_names']} other names of speakers merged: `charbot scripts cast` shows them")
    for first, second, count in shared:
        print(f"{first} and {second} share {count} lines")
    for one in found["odd"]:
        print(f"odd: {one}")
    for one in found["passed_over"]:
        print("passed over {file}: {why}".format(**one))
    if args.left_out:
        for script in reading.scripts:
            for omission in script.omissions:
                print(f"{script.path}:{omission.line}: {omission.reason}: {omission.excerpt}")
    return 0


def _scripts_cast(args: argparse.Namespace) -> int:
    import dataclasses
    import json
    from collections import Counter

    from charbot.scripts.aliases import CERTAIN

    reading = _read(args)
    if args.json:
        print(
            json.dumps({show: [*map(dataclasses.asdict, found)] for show, found in reading.aliases.items()}, ensure_ascii=False)
        )
        return 0
    for show, found in reading.aliases.items():
        counts = Counter(line.speaker for line in reading.lines if line.show == show)
        print(f"{show}: " + ", ".join(f"{name} {count}" for name, count in counts.most_common(20)))
        for alias in found:
            verb = "is" if alias.certainty >= CERTAIN else "may be"
            print(f"  {alias.name} {verb} {alias.canonical} ({alias.reason}, {alias.certainty:.0%})")
    print("Write `Show: {Name: [other name, ...]}` into cast.yaml beside the scripts to overrule; a name with [] stays apart.")
    return 0


def _scripts_stats(args: argparse.Namespace) -> int:
    import json

    from charbot.corpus.statistics import statistics
    from charbot.corpus.table import corpus_table

    found = statistics(corpus_table(_read(args).lines, _config(args).corpus), args.characters)
    if args.plots:
        from charbot.corpus.plots import draw

        for path in draw(found, args.plots):
            print(path, file=sys.stderr)
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    for show, counts in found.items():
        print(f"{show}: {len(counts['episodes'])} episodes, " + _told(counts, "scenes", "lines", "words", "vocabulary"))
        for name, own in counts["characters"].items():
            answers = ", ".join(f"{other} {count}" for other, count in list(own["answers"].items())[:5])
            print(f"  {name}: {_told(own, 'lines', 'words', 'vocabulary')}, {own['questions']:.0%} questions; answers {answers}")
    return 0


def _told(counts: "dict[str, int]", *names: str) -> str:
    return ", ".join(f"{counts[name]:,} {name}" for name in names)


def _scripts_export(args: argparse.Namespace) -> int:
    from charbot.corpus.export import export_chat, export_lines
    from charbot.corpus.table import corpus_table, find_speaker, scenes

    reading = _read(args)
    if args.kind != "chat":
        export_lines(reading.lines, args.kind, sys.stdout)
        return 0
    if args.persona is None:
        raise UsageError("--as chat needs --persona NAME: whose lines the assistant's are")
    table = corpus_table(reading.lines, _config(args).corpus)
    export_chat(scenes(table), find_speaker(table, args.persona), sys.stdout)
    return 0


def _scripts_fetch(args: argparse.Namespace) -> int:
    from rich.progress import Progress

    from charbot.personas.library import user_folder
    from charbot.scripts.fetch import catalogue, fetch

    places = catalogue()
    if args.place not in places:
        raise UsageError(f"there is no place called {args.place!r}; there are {', '.join(places)}")
    place = places[args.place]
    folder = args.out or user_folder().parent / "downloads" / args.place.replace("-", "_")
    print(f"{place.title}\n  from {place.address}\n  {len(place.files)} files to {folder}\n  licence: {place.licence}")
    if not args.yes:
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to be asked; --yes downloads without asking")
        if input("Download them? [y/N] ").strip().lower() not in ("y", "yes"):
            return 0
    with Progress(transient=True) as bar:
        task = bar.add_task("Downloading", total=len(place.files))
        came = fetch(place, folder, progress=lambda done, total: bar.update(task, completed=done))
    print(f"{came} files came, {len(place.files) - came} were there already. Next: charbot scripts import {folder}")
    return 0


def _scripts_import(args: argparse.Namespace) -> int:
    from charbot.corpus.store import store

    reading = _read(args)
    written, same = store(reading, _kept_scripts())
    print(f"{written} episodes kept in {_kept_scripts()}, {same} were there already")
    for path, why in reading.skipped:
        print(f"passed over {path}: {why}")
    return 0


def _read(args: argparse.Namespace) -> "Reading":
    """The scripts that the command line names."""
    from charbot.scripts.formats import find_format
    from charbot.scripts.reading import read_scripts

    kept = _kept_scripts()
    if not args.scripts and not kept.exists():
        raise UsageError("name scripts with --scripts, or keep some with `charbot scripts import` first")
    return read_scripts(args.scripts or [kept], find_format(args.format) if args.format else None)


def _kept_scripts() -> Path:
    from charbot.personas.library import user_folder

    return user_folder().parent / "scripts"


def _train(args: argparse.Namespace) -> int:
    if not args.base and not args.persona and not args.compare_cells:
        raise UsageError("train needs --base, --persona NAME, or --compare-cells")
    if args.steps < 1:
        raise UsageError("--steps must be 1 at the least")
    from dataclasses import replace

    from rich.console import Console

    from charbot.corpus.table import corpus_table
    from charbot.personas.library import Library, user_folder
    from charbot.scripts.reading import read_scripts
    from charbot.tokens.vocabulary import UNITS
    from trainer.base import fit_base
    from trainer.cells import compare_cells
    from trainer.persona import fit_persona
    from trainer.workshop import prepare
    from trainer.world import World

    config = _config(args)
    world = World.join()
    console = Console(stderr=True, quiet=not world.leads)
    out = args.out or user_folder()
    with console.status("Reading the scripts"):
        reading = _read(args)
        first = read_scripts(args.pretrain) if args.pretrain else None
    for path, why in (*reading.skipped, *(first.skipped if first else ())):
        console.print(f"passed over {path}: {why}", highlight=False)
    pretrain = corpus_table(first.lines, replace(config.corpus, valid=0.0, test=0.0)) if first else None
    shop = prepare(config, corpus_table(reading.lines, config.corpus), out, console, pretrain, world)
    units = [unit for unit in UNITS if args.unit in (unit, "both")]
    try:
        for unit in units if args.compare_cells else ():
            _show_cells(compare_cells(shop, unit, args.steps), out / f"cells-{unit}.png")
        done = [fit_base(shop, unit) for unit in units if args.base]
        library = Library((out, *Library.default().folders))
        done += [fit_persona(shop, library, name, units, args.rating) for name in args.persona]
    except KeyboardInterrupt:
        console.print("Stopped. The same command goes on from the last checkpoint.", highlight=False)
        return INTERRUPTED
    if world.leads:
        print(*done, sep="\n")
    world.leave()
    return 0


def _show_cells(compared: "Sequence[Compared]", picture: Path) -> None:
    from trainer.cells import draw_cells

    for one in compared:
        near, far = one.gradient[0], one.gradient[-1]
        print(
            f"{one.cell:5} {one.parameters:12,} parameters  {one.bits:.4f} bits a character  {one.seconds:6.0f} s  "
            f"gradient {far / near:.1e} after {len(one.gradient) - 1} tokens"
        )
    draw_cells(compared, picture)
    print(picture)


def _next_word(args: argparse.Namespace) -> int:
    from importlib import resources

    from trainer.next_word import REFERENCE, fit_next_word, read_story

    if args.steps < 1:
        raise UsageError("--steps must be 1 at the least")
    own = Path(str(resources.files("scripts_data"))) / "stories" / "the_owl_above_the_bakery.txt"
    story = read_story(args.story or own)
    print(f"{len(story)} words and marks, {len(set(story))} different ones; {args.layers} layers of 512, RMSProp at 0.001")
    for standing in fit_next_word(story, args.layers, args.steps):
        print(f"{standing.step:7,} steps: {standing.accuracy:6.1%} right, loss {standing.loss:.3f}", flush=True)
    print(f"published, after 50,000 steps on another story of 112 symbols: {REFERENCE[args.layers]:.1%}")
    return 0


def _bench_train(args: argparse.Namespace) -> int:
    import json

    from trainer.bench import bench_train

    if args.rounds < 1 or args.steps < 2:
        raise UsageError("bench needs one round and two steps at the least")
    found = bench_train(args.rounds, args.steps)
    print(json.dumps(found) if args.json else "\n".join(f"{name.replace('_', ' '):28} {value}" for name, value in found.items()))
    return 0


def _eval(args: argparse.Namespace) -> int:
    import json

    from charbot.corpus.table import corpus_table
    from charbot.evaluation.report import base_report, persona_report

    config = _config(args)
    table = corpus_table(_read(args).lines, config.corpus)
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
