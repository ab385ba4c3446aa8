"""Commands that measure and query models: score, who and eval."""

import argparse
from pathlib import Path

from charbot.cli.options import (
    Commands,
    add_bundles,
    add_command,
    add_scripts,
    config_of,
    library_of,
    print_answers,
    print_figures,
    reading_of,
    set_torch_environment,
    standard_input,
)  # fmt: skip
from charbot.errors import UsageError


def add(commands: Commands) -> None:
    score = add_command(
        commands, "score", "how likely given replies are, JSON lines in and out",
        "charbot score joey < replies.jsonl        # lines such as these:",
        '  {"id": 1, "context": [{"speaker": null, "text": "Hi."}], "reply": "How you doin\'?"}',
    )  # fmt: skip
    score.add_argument("persona", help="whose replies they are")
    score.add_argument("--unit", choices=("char", "word", "both"), default="both", help="which model, or both mixed")
    add_bundles(score)
    score.set_defaults(run=_score)

    who = add_command(
        commands, "who", "who would have said it",
        'charbot who "Where is my sandwich?"',
        "charbot who --cast friends < lines.txt    # all lines are one person's",
        "echo '{\"id\": 1, \"text\": \"Hi\"}' | charbot who --json --cast joey ross",
    )  # fmt: skip
    who.add_argument("text", nargs="*", default=[], help="a line; without it, all lines of the standard input are one person's")
    who.add_argument(
        "--cast", nargs="+", default=[], metavar="NAME", help="people or shows to choose from (default: all); TEXT comes before"
    )
    who.add_argument("--json", action="store_true", help='JSON lines: {"id", "text" or "lines"} in, {"id", "ranking"} out')
    add_bundles(who)
    who.set_defaults(run=_who)

    evaluate = add_command(
        commands, "eval", "scores of bases or personas on held-out episodes",
        "charbot eval --scripts friends/ south_park/",
        "charbot eval joey ross --scripts friends/ --json",
        "charbot eval --scripts friends/ --chats chats/",
    )  # fmt: skip
    evaluate.add_argument("personas", nargs="*", metavar="PERSONA", help="none: the bases")
    add_scripts(evaluate)
    evaluate.add_argument("--chats", nargs="+", type=Path, metavar="PATH", help="conversations that the bases answer in, too")
    evaluate.add_argument("--voice", nargs="+", type=Path, metavar="PATH", help="conversations that the personas answer in, too")
    evaluate.add_argument("--json", action="store_true", help="as JSON")
    add_bundles(evaluate)
    evaluate.set_defaults(run=_eval)


def _score(args: argparse.Namespace) -> int:
    set_torch_environment()
    from charbot.evaluation.scoring import Scorer, score_lines
    from charbot.jsonlines import arriving

    scorer = Scorer(library_of(args), args.persona, args.unit)
    return print_answers(score_lines(scorer, arriving(standard_input())))


def _who(args: argparse.Namespace) -> int:
    set_torch_environment()
    from charbot.speakers.identifier import SpeakerIdentifier, rank_lines

    if args.json and args.text:
        raise UsageError("--json reads JSON lines from the standard input; leave the text out")
    identifier = SpeakerIdentifier(library_of(args), args.cast)
    if args.json:
        return print_answers(rank_lines(identifier, standard_input()))
    for name, probability in identifier.rank([" ".join(args.text)] if args.text else standard_input().read().splitlines()):
        print(f"{probability:6.1%}  {name}")
    return 0


def _eval(args: argparse.Namespace) -> int:
    from rich.console import Console

    set_torch_environment()
    from charbot.corpus.chats import ChatFiles
    from charbot.corpus.table import corpus_table
    from charbot.evaluation.chats import chat_report
    from charbot.evaluation.report import base_report, persona_reports

    if args.personas and args.chats:
        raise UsageError("--chats is for the bases; leave the personas out")
    if args.voice and not args.personas:
        raise UsageError("--voice is for personas; name them")
    config = config_of(args)
    with Console(stderr=True).status("Reading the scripts") as status:
        table = corpus_table(reading_of(args).lines, config.corpus)
        library = library_of(args)
        status.update("Measuring; a persona takes some minutes")
        chats, voices = (ChatFiles.find(paths or (), config.corpus) for paths in (args.chats, args.voice))
        if args.personas:
            rows = persona_reports(library, args.personas, table, config.chat, voices)
        else:
            rows = iter(
                [base_report(library, table) | (chat_report(library, chats, config.chat.context_turns) if chats.files else {})]
            )
        for row in rows:
            print_figures(row, args.json)
    return 0
