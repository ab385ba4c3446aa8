"""`charbot recipe`: well-known experiments with LSTMs, beside their published figures."""

import argparse
from pathlib import Path

from charbot.cli.options import Commands, add_command, add_scripts, config_of, reading_of
from charbot.errors import INTERRUPTED, UsageError


def add(commands: Commands) -> None:
    recipe = add_command(
        commands, "recipe", "well-known experiments with LSTMs, beside their published figures",
        "charbot recipe next-word",
        "charbot recipe words --scripts friends/",
    )  # fmt: skip
    actions = recipe.add_subparsers(title="recipes", metavar="RECIPE", required=True)
    following = add_command(
        actions, "next-word", "the next word of a short story from the three before it",
        "charbot recipe next-word story.txt --layers 1 --steps 20000",
    )  # fmt: skip
    following.add_argument("story", nargs="?", type=Path, metavar="FILE", help="a short text (default: one of charbot's own)")
    following.add_argument("--layers", type=int, choices=(1, 2), default=2, help="of 512 units each (default: 2)")
    following.add_argument("--steps", type=int, default=50_000, metavar="N", help="examples, one a step (default: 50000)")
    following.set_defaults(run=_next_word)

    folder = add_command(
        actions, "text-folder", "a small character model on a folder of plain text",
        "charbot recipe text-folder my_texts/ --epochs 10",
    )  # fmt: skip
    folder.add_argument("texts", type=Path, metavar="FOLDER", help="plain text files, or one")
    folder.add_argument("--epochs", type=int, default=30, metavar="N", help="in all; run again to continue (default: 30)")
    folder.add_argument(
        "--out", type=Path, default=Path("text-folder.safetensors"), metavar="FILE", help="the weights (default: %(default)s)"
    )
    folder.set_defaults(run=_text_folder)

    for name, what in (("words", "word model, as published on Friends"), ("characters", "character model, as on South Park")):
        published = add_command(actions, name, f"a tutorial's {what}, beside charbot's", f"charbot recipe {name} --minutes 5")
        add_scripts(published)
        published.add_argument("--minutes", type=float, default=10.0, metavar="N", help="for each of the two (default: 10)")
        published.set_defaults(run=_published, published=name)


def _next_word(args: argparse.Namespace) -> int:
    from importlib import resources

    from trainer.recipes.next_word import REFERENCE, fit_next_word, read_story

    if args.steps < 1:
        raise UsageError("--steps must be at least 1")
    shipped = Path(str(resources.files("scripts_data"))) / "stories" / "the_owl_above_the_bakery.txt"
    story = read_story(args.story or shipped)
    print(f"{len(story)} words and marks, {len(set(story))} different ones; {args.layers} layers of 512, RMSProp at 0.001")
    for standing in fit_next_word(story, args.layers, args.steps):
        print(f"{standing.step:7,} steps: {standing.accuracy:6.1%} right, loss {standing.loss:.3f}", flush=True)
    print(f"published, after 50,000 steps on another story of 112 symbols: {REFERENCE[args.layers]:.1%}")
    return 0


def _text_folder(args: argparse.Namespace) -> int:
    from trainer.recipes.text_folder import REFERENCE, TextFolder, read_folder

    text = read_folder(args.texts)
    fit = TextFolder(text, args.out)
    print(f"{len(text):,} characters, {len(set(text))} different ones; 128 units, RMSProp at 0.01")
    if fit.epochs:
        print(f"continuing after epoch {fit.epochs}, from {args.out}")
    try:
        while fit.epochs < args.epochs:
            done = fit.epoch()
            print(f"epoch {done.number}: {done.bits:.3f} bits per character, {done.seconds:.0f} s")
            for temperature, sample in done.samples.items():
                print(f"  {temperature}: {sample!r}", flush=True)
    except KeyboardInterrupt:
        print(f"\nStopped. The same command continues after epoch {fit.epochs}.")
        return INTERRUPTED
    print(f"published: {REFERENCE}")
    return 0


def _published(args: argparse.Namespace) -> int:
    from rich.console import Console

    from charbot.corpus.table import corpus_table
    from charbot.personas.library import user_folder
    from trainer.recipes.published import PUBLISHED, compare_published
    from trainer.run import prepare_run

    if not 0 < args.minutes <= 600:
        raise UsageError("--minutes must be more than 0, and 600 at most")
    config = config_of(args)
    published = PUBLISHED[args.published]
    table = corpus_table(reading_of(args).lines, config.corpus)
    run = prepare_run(config, table, user_folder(), Console(stderr=True, markup=False))
    print(f"published: 1 layer of {published.units:,}, windows of {published.window}: {published.facts}")
    measure = "perplexity per word" if published.unit == "word" else "bits per character"
    for result in compare_published(run, published, args.minutes):
        print(
            f"{result.whose}: {result.epochs:.2f} epochs in {args.minutes:g} minutes, training loss {result.loss:.3f} nats, "
            f"{result.score:.3f} {measure} on test episodes\n  {result.sample!r}",
            flush=True,
        )
    return 0
