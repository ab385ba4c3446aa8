"""Commands that measure models: score, eval and bench."""

import argparse
import sys

from charbot.cli.options import Commands, add_bundles, add_scripts, config_of, library_of, reading_of
from charbot.errors import UsageError


def add(commands: Commands) -> None:
    score = commands.add_parser("score", help="how likely given replies are, JSON lines in and out")
    score.add_argument("persona", help="whose replies they are")
    score.add_argument("--unit", choices=("char", "word", "both"), default="both", help="which model, or both mixed")
    add_bundles(score)
    score.set_defaults(run=_score)

    evaluate = commands.add_parser("eval", help="scores of bases or personas on held-out episodes")
    evaluate.add_argument("personas", nargs="*", metavar="PERSONA", help="none: the bases")
    add_scripts(evaluate)
    evaluate.add_argument("--json", action="store_true", help="as JSON")
    add_bundles(evaluate)
    evaluate.set_defaults(run=_eval)

    bench = commands.add_parser("bench", help="speed, as ratios to this machine's limits")
    actions = bench.add_subparsers(title="actions", metavar="ACTION", required=True)
    steps = actions.add_parser("train", help="a training step, against a plain loop and the machine's peak")
    steps.add_argument("--rounds", type=int, default=5, metavar="N", help="how often everything is timed (default: 5)")
    steps.add_argument("--steps", type=int, default=12, metavar="N", help="training steps timed in a round (default: 12)")
    steps.add_argument("--json", action="store_true", help="as JSON")
    steps.set_defaults(run=_bench_train)


def _score(args: argparse.Namespace) -> int:
    from charbot.evaluation.scoring import Scorer, score_lines

    scorer = Scorer(library_of(args), args.persona, args.unit)
    for line in score_lines(scorer, sys.stdin):
        print(line, flush=True)
    return 0


def _eval(args: argparse.Namespace) -> int:
    import json

    from charbot.corpus.table import corpus_table
    from charbot.evaluation.report import base_report, persona_report

    config = config_of(args)
    table = corpus_table(reading_of(args).lines, config.corpus)
    library = library_of(args)
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


def _bench_train(args: argparse.Namespace) -> int:
    import json

    from trainer.bench import bench_train

    if args.rounds < 1 or args.steps < 2:
        raise UsageError("bench needs one round and two steps at the least")
    found = bench_train(args.rounds, args.steps)
    print(json.dumps(found) if args.json else "\n".join(f"{name.replace('_', ' '):28} {value}" for name, value in found.items()))
    return 0
