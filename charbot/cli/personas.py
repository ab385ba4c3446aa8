"""`charbot personas`: list, show, export, import and remove personas."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from charbot.cli.options import Commands, add_bundles, add_command, library_of, print_json
from charbot.text import printable

if TYPE_CHECKING:
    from charbot.personas.bundle import ModelCard


def add(commands: Commands) -> None:
    personas = add_command(
        commands, "personas", "which personas there are", "charbot personas list", "charbot personas show joey"
    )
    personas.set_defaults(run=_personas_list, json=False, bundles=None)
    actions = personas.add_subparsers(title="actions (default: list)", metavar="ACTION")
    listing = add_command(actions, "list", "all of them", "charbot personas list", "charbot personas list --json")
    listing.add_argument("--json", action="store_true", help="as JSON")
    add_bundles(listing)
    listing.set_defaults(run=_personas_list)
    show = add_command(actions, "show", "what one was trained on, and how well", "charbot personas show mr-garrison")
    show.add_argument("persona")
    show.add_argument("--json", action="store_true", help="as JSON")
    add_bundles(show)
    show.set_defaults(run=_personas_show)
    export = add_command(
        actions, "export", "one as a file, to give away",
        "charbot personas export alice alice.zip",
        "charbot personas export alice alice.png   # a character card, for SillyTavern and others",
    )  # fmt: skip
    export.add_argument("persona")
    export.add_argument("path", type=Path, metavar="FILE", help="a zip file to write, or a character card: .png or .json")
    add_bundles(export)
    export.set_defaults(run=_personas_export)
    take = add_command(actions, "import", "one from such a file", "charbot personas import alice.zip")
    take.add_argument("path", type=Path, metavar="FILE")
    take.add_argument("--out", type=Path, metavar="FOLDER", help="where it goes (default: the user's data folder)")
    take.set_defaults(run=_personas_import)
    card = add_command(
        actions, "card", "begin a voice with a character card of SillyTavern and others",
        "charbot personas card alice.png alice.jsonl",
        "charbot train --persona Alice --voice alice.jsonl --scripts my_show/",
    )  # fmt: skip
    card.add_argument("path", type=Path, metavar="FILE", help="the card: .png or .json")
    card.add_argument("voice", type=Path, metavar="VOICE", help="the file of conversations to write: .jsonl")
    card.set_defaults(run=_personas_card)
    remove = add_command(actions, "remove", "delete one that you trained or imported", "charbot personas remove alice")
    remove.add_argument("persona")
    add_bundles(remove)
    remove.set_defaults(run=_personas_remove)


def _personas_list(args: argparse.Namespace) -> int:

    library = library_of(args)
    cards = [(path.name, card) for path, card in library.cards()]
    for id_, why in library.broken.items():
        print(printable(f"{id_} cannot be used: {why}"), file=sys.stderr)
    if args.json:
        rows = [{"id": id_, "name": c.name, "show": c.show, "rating": c.rating, "units": list(c.models)} for id_, c in cards]
        print_json(rows)
        return 0
    for id_, card in sorted(cards, key=lambda pair: (pair[1].show, pair[1].name)):
        print(f"{id_:14} {card.name:14} {card.show:12} {card.rating:8}", *map(_unit_scores, card.models.items()), sep="  ")
    return 0


def _unit_scores(model: "tuple[str, ModelCard]") -> str:
    """Return a unit's name, and the bits per character on held-out lines of its base and of the persona."""
    unit, scores = model[0], model[1].scores
    before, after = (scores.get(f"{prefix}test_bits_per_character") for prefix in ("base_", ""))
    return unit if before is None or after is None else f"{unit} {before:.3f} > {after:.3f}"


def _personas_show(args: argparse.Namespace) -> int:
    import json

    from charbot.personas.bundle import read_persona
    from charbot.personas.portrait import portrait

    library = library_of(args)
    folder = library.find(args.persona)
    card = read_persona(folder)
    if args.json:
        print_json(card.to_json())
        return 0
    print(f"{card.name} ({card.show}), rated {card.rating}\n  in {folder}")
    print(printable(f"  data: {json.dumps(card.data, ensure_ascii=False)}"))
    for unit, model_card in card.models.items():
        scores = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in model_card.scores.items())
        print(printable(f"  {unit}: {scores}"))
    if card.name in (usable.name for _, usable in library.cards()):
        self_portrait = portrait(library, card.name)
        print(printable(f"  says: {self_portrait.introduction or 'nothing of itself'}"))
        print(printable(f"  talks about: {', '.join(self_portrait.topics) or 'nothing in particular'}"))
    return 0


def _personas_export(args: argparse.Namespace) -> int:
    from charbot.personas.transfer import export_card, export_persona

    export = export_card if args.path.suffix.lower() in (".json", ".png") else export_persona
    export(library_of(args), args.persona, args.path)
    print(args.path)
    return 0


def _personas_import(args: argparse.Namespace) -> int:
    from charbot.personas.library import Library, user_folder
    from charbot.personas.transfer import import_persona

    folder = import_persona(args.path, args.out or user_folder())
    print(folder)
    if (Library.shipped() / "personas" / folder.name).exists():
        print(f"It replies instead of the persona that charbot ships, until `charbot personas remove {folder.name}`.")
    return 0


def _personas_card(args: argparse.Namespace) -> int:
    from charbot.personas.transfer import begin_voice

    print(f"{begin_voice(args.path, args.voice)} conversations written to {printable(str(args.voice))}.")
    print("Add some hundred of your own, as CONTRIBUTING.md describes, and train a persona with it: `charbot train --help`.")
    return 0


def _personas_remove(args: argparse.Namespace) -> int:
    from charbot.personas.transfer import remove_persona

    print(*remove_persona(library_of(args), args.persona), sep="\n")
    return 0
