"""`charbot scripts`: check, analyse, export, download and import scripts."""

import argparse
import sys
from pathlib import Path

from charbot.cli.options import (
    Commands,
    add_command,
    add_format,
    config_of,
    confirm,
    kept_scripts,
    print_json,
    reading_of,
    standard_input,
)  # fmt: skip
from charbot.errors import UsageError
from charbot.text import printable


def add(commands: Commands) -> None:
    scripts = add_command(
        commands, "scripts", "what scripts hold",
        "charbot scripts check my_show/            # then, if it reads well:",
        "charbot scripts import my_show/",
    )  # fmt: skip
    actions = scripts.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = add_command(
        actions, "check", "what was read, and what was left out and why",
        "charbot scripts check my_show/",
        "charbot scripts check my_show/ more.zip --left-out",
    )  # fmt: skip
    check.add_argument("--left-out", action="store_true", help="show every source line that was left out")
    check.set_defaults(run=_scripts_check)
    cast = add_command(actions, "cast", "which names are one person's, and how to overrule that", "charbot scripts cast my_show/")
    cast.set_defaults(run=_scripts_cast)
    stats = add_command(actions, "stats", "lines, words, and who talks to whom", "charbot scripts stats my_show/ --plots plots/")
    stats.add_argument("--characters", type=int, default=8, metavar="N", help="how many of each show (default: 8)")
    stats.add_argument("--plots", type=Path, metavar="FOLDER", help="also draw them there, as PNG")
    stats.set_defaults(run=_scripts_stats)
    for action in (check, cast, stats):
        action.add_argument("--json", action="store_true", help="as JSON")
    export = add_command(
        actions, "export", "the lines as JSON lines, CSV or chat messages",
        "charbot scripts export my_show/ --as csv > my_show.csv",
        "charbot scripts export my_show/ --as chat --persona Alice > alice.jsonl",
    )  # fmt: skip
    export.add_argument("--as", dest="kind", choices=("jsonl", "csv", "chat"), default="jsonl", help="in which form")
    export.add_argument("--persona", metavar="NAME", help="chat: who the assistant is")
    export.set_defaults(run=_scripts_export)
    fetch = add_command(
        actions, "fetch", "download scripts from a public place",
        "charbot scripts fetch friends             # shows where from and under which licence, and asks",
        "charbot scripts fetch south-park --out south_park/ --yes",
    )  # fmt: skip
    fetch.add_argument("place", help="friends or south-park")
    fetch.add_argument("--out", type=Path, metavar="FOLDER", help="where to (default: your data folder)")
    fetch.add_argument("--yes", action="store_true", help="do not ask")
    fetch.set_defaults(run=_scripts_fetch)
    keep = add_command(
        actions, "import", "keep scripts in your data folder, where train and eval look for them",
        "charbot scripts import my_show/",
        "charbot scripts import talk.txt           # what /save has written in a chat",
    )  # fmt: skip
    keep.set_defaults(run=_scripts_import)
    for action in (check, cast, stats, export, keep):
        action.add_argument("scripts", nargs="+", type=Path, metavar="PATH", help="script files, folders or archives of them")
        add_format(action)


def _scripts_check(args: argparse.Namespace) -> int:

    from charbot.corpus.duplicates import shared_lines
    from charbot.corpus.split import MIN_UNITS
    from charbot.corpus.table import corpus_table, held_out_units, summary
    from charbot.scripts.report import import_report

    result = reading_of(args)
    table = corpus_table(result.lines, config_of(args).corpus)
    report = import_report(result) | {"shows": summary(table), "held_out": held_out_units(table)}
    shared = [(" ".join(one), " ".join(other), count) for (one, other), count in shared_lines(result.lines).items()]
    if args.json:
        omissions = [
            {"file": str(script.path), "line": omission.line, "why": omission.reason, "begins": omission.excerpt}
            for script in result.scripts
            for omission in script.omissions
        ]
        print_json(report | {"omissions": omissions, "shared_lines": shared})
        return 0
    source = report["source_lines"]
    passed_over = f"{len(report['passed_over'])} passed over, " if report["passed_over"] else ""
    lines, read = _counted(len(result.lines), "lines"), _counted(source["in"], "source lines")
    _print(f"{_counted(report['files'], 'files')}, {passed_over}{lines} of dialogue from {read}")
    for show, counts in report["shows"].items():
        _print(f"  {show}: " + ", ".join(_counted(count, what) for what, count in counts.items()))
        if (units := report["held_out"][show]) != "episodes":
            _print(f"    held out for validation and test: {units}, because it has fewer than {MIN_UNITS} episodes")
    _print("  formats: " + ", ".join(f"{count} {name}" for name, count in report["formats"].items()))
    for reason, count in {"kept": source["kept"], **source["left_out"]}.items():
        _print(f"  {count:8} {count / source['in']:6.1%}  {reason}")
    if report["merged_names"]:
        _print(f"{_counted(report['merged_names'], 'other names')} of speakers merged: `charbot scripts cast` shows them")
    for first, second, count in shared:
        _print(f"{first} and {second} share {_counted(count, 'lines')}")
    for warning in report["odd"]:
        _print(f"odd: {warning}")
    for skipped in report["passed_over"]:
        _print("passed over {file}: {why}".format(**skipped))
    if args.left_out:
        for script in result.scripts:
            for omission in script.omissions:
                _print(f"{script.path}:{omission.line}: {omission.reason}: {omission.excerpt}")
    return 0


def _scripts_cast(args: argparse.Namespace) -> int:
    import dataclasses
    from collections import Counter

    from charbot.scripts.aliases import CERTAIN

    result = reading_of(args)
    if args.json:
        of_show = {show: [*map(dataclasses.asdict, aliases)] for show, aliases in result.aliases.items()}
        print_json(of_show)
        return 0
    for show, aliases in result.aliases.items():
        counts = Counter(line.speaker for line in result.lines if line.show == show)
        _print(f"{show}: " + ", ".join(f"{name} {count}" for name, count in counts.most_common(20)))
        for alias in aliases:
            verb = "is" if alias.certainty >= CERTAIN else "may be"
            _print(f"  {alias.name} {verb} {alias.canonical} ({alias.reason}, {alias.certainty:.0%})")
    _print("Write `Show: {Name: [other name, ...]}` into cast.yaml beside the scripts to overrule; a name with [] stays apart.")
    return 0


def _scripts_stats(args: argparse.Namespace) -> int:

    from charbot.corpus.statistics import statistics
    from charbot.corpus.table import corpus_table

    figures = statistics(corpus_table(reading_of(args).lines, config_of(args).corpus), args.characters)
    if args.plots:
        from charbot.corpus.plots import draw

        for path in draw(figures, args.plots):
            print(printable(str(path)), file=sys.stderr)
    if args.json:
        print_json(figures)
        return 0
    for show, counts in figures.items():
        episodes = _counted(len(counts["episodes"]), "episodes")
        _print(f"{show}: {episodes}, {_listed(counts, 'scenes', 'lines', 'words', 'vocabulary')}")
        for name, speaker in counts["characters"].items():
            answers = ", ".join(f"{other} {count}" for other, count in list(speaker["answers"].items())[:5])
            questions = f"{speaker['questions']:.0%} questions"
            _print(f"  {name}: {_listed(speaker, 'lines', 'words', 'vocabulary')}, {questions}; answers {answers}")
    return 0


def _listed(counts: "dict[str, int]", *names: str) -> str:
    return ", ".join(_counted(counts[name], name) for name in names)


def _counted(count: int, units: str) -> str:
    """Return a count of units, which are named by a plural: "1 file", "2,000 files"."""
    return f"{count:,} {units.removesuffix('s') if count == 1 else units}"


def _scripts_export(args: argparse.Namespace) -> int:
    from charbot.corpus.export import export_chat, export_lines
    from charbot.corpus.table import corpus_table, find_speaker, scenes

    result = reading_of(args)
    if args.kind != "chat":
        export_lines(result.lines, args.kind, sys.stdout)
        return 0
    if args.persona is None:
        raise UsageError("--as chat needs --persona NAME: whose lines the assistant's are")
    table = corpus_table(result.lines, config_of(args).corpus)
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
    _print(f"{place.title}\n  from {place.address}\n  {len(place.files)} files to {folder}\n  licence: {place.licence}")
    if not args.yes:
        if not standard_input().isatty():
            raise UsageError("nobody is there to be asked; --yes downloads without asking")
        if not confirm("Download them?"):
            return 0
    with Progress(transient=True) as bar:
        task = bar.add_task("Downloading", total=len(place.files))
        came = fetch(place, folder, progress=lambda done, total: bar.update(task, completed=done))
    _print(f"{_counted(came, 'files')} came, {len(place.files) - came} were there already. Next: charbot scripts import {folder}")
    return 0


def _scripts_import(args: argparse.Namespace) -> int:
    from charbot.corpus.store import import_scripts

    result = reading_of(args)
    written, same = import_scripts(result, kept_scripts())
    _print(f"{_counted(written, 'episodes')} kept in {kept_scripts()}, {same} were there already")
    if left_out := sum(len(script.omissions) for script in result.scripts):
        _print(f"{_counted(left_out, 'source lines')} left out: `charbot scripts check --left-out` says which and why")
    for path, why in result.skipped:
        _print(f"passed over {path}: {why}")
    return 0


def _print(text: str) -> None:
    """Print a line that may hold names of files, or text from them."""
    print(printable(text))
