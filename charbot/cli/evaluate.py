"""Commands that measure and query models: score, who, eval and bench."""

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
    print_json,
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

    bench = add_command(
        commands, "bench", "speed, as ratios to this machine's limits", "charbot bench train", "charbot bench reply joey"
    )
    actions = bench.add_subparsers(title="actions", metavar="ACTION", required=True)
    steps = add_command(
        actions, "train", "a training step, against a plain loop and the machine's peak",
        "charbot bench train --rounds 3 --json",
    )  # fmt: skip
    steps.add_argument("--rounds", type=int, default=5, metavar="N", help="how often everything is timed (default: 5)")
    steps.add_argument("--steps", type=int, default=12, metavar="N", help="training steps timed in a round (default: 12)")
    steps.add_argument("--json", action="store_true", help="as JSON")
    steps.set_defaults(run=_bench_train)

    reply = add_command(actions, "reply", "replies to one user and to many at once", "charbot bench reply joey --messages 20")
    reply.add_argument("persona", help="who replies")
    reply.add_argument("--rounds", type=int, default=3, metavar="N", help="how often everything is timed (default: 3)")
    reply.add_argument("--messages", type=int, default=40, metavar="N", help="messages of one user in a round (default: 40)")
    reply.add_argument("--json", action="store_true", help="as JSON")
    add_bundles(reply)
    reply.set_defaults(run=_bench_reply)


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
            _print_figures(row, args.json)
    return 0


def _bench_train(args: argparse.Namespace) -> int:
    from trainer.bench import bench_train

    if args.rounds < 1 or args.steps < 2:
        raise UsageError("bench needs at least one round and two steps")
    _print_figures(bench_train(args.rounds, args.steps), args.json)
    return 0


def _bench_reply(args: argparse.Namespace) -> int:
    set_torch_environment()
    from charbot.generation.persona import Persona

    if args.rounds < 1 or args.messages < 2:
        raise UsageError("bench needs at least one round and two messages")
    persona = Persona(library_of(args), args.persona)
    from charbot.evaluation.everyday import everyday_messages
    from charbot.generation.bench import bench_reply

    _print_figures(bench_reply(persona, everyday_messages()[: args.messages], args.rounds, config_of(args).chat), args.json)
    return 0


def _print_figures(figures: dict[str, object], as_json: bool) -> None:

    if as_json:
        finite = {name: None if value != value else value for name, value in figures.items()}  # JSON has no NaN
        print_json(finite)
        return
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):28} {f'{value:.4f}' if isinstance(value, float) else value}", flush=True)
    print()
