"""`charbot personas`: list, show, export, import and remove personas."""

import argparse
import sys
from pathlib import Path

from charbot.cli.options import Commands, add_bundles, add_command, library_of, print_json
from charbot.text import printable


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
    listed = sorted(cards, key=lambda pair: (pair[1].show, pair[1].name))
    for row in [("PERSONA", "NAME", "SHOW", "RATING"), *((id_, card.name, card.show, card.rating) for id_, card in listed)]:
        print(printable("{:14} {:14} {:14} {}".format(*row)))
    return 0


def _personas_show(args: argparse.Namespace) -> int:
    from charbot.personas.bundle import read_persona
    from charbot.personas.portrait import portrait

    library = library_of(args)
    folder = library.find(args.persona)
    card = read_persona(folder)
    if args.json:
        print_json(card.to_json())
        return 0
    print(printable(f"{card.name} is from {card.show} and rated {card.rating}. Its files are in {folder}."))
    if card.name in (usable.name for _, usable in library.cards()):
        self_portrait = portrait(library, card.name)
        if self_portrait.introduction:
            print(printable(f'It says: "{self_portrait.introduction}"'))
        if self_portrait.topics:
            print(printable(f"It likes to talk about {', '.join(self_portrait.topics)}."))
    read = [f"{count:,} lines of {show}" for show, count in card.data.get("lines", {}).items()]
    print(printable(f"It has read {' and '.join(read) or 'no lines'}{' and a voice written for it' if card.voice else ''}."))
    for unit, model_card in card.models.items():
        for prefix, of in (("", "lines"), ("voice_", "replies of its voice")):
            before, after = (model_card.scores.get(f"{base}{prefix}test_bits_per_character") for base in ("base_", ""))
            if after is not None:
                than = "" if before is None else f"; its base alone needs {before:.3f}"
                print(f"Its {unit} model needs {after:.3f} bits per character for {of} that it has not read{than}.")
    return 0


def _personas_export(args: argparse.Namespace) -> int:
    from charbot.personas.transfer import export_card, export_persona
    from charbot.storage import of_ending

    export = of_ending(args.path, {".zip": export_persona, ".png": export_card, ".json": export_card})
    export(library_of(args), args.persona, args.path)
    print(args.path)
    return 0


def _personas_import(args: argparse.Namespace) -> int:
    from charbot.personas.library import Library, user_folder
    from charbot.personas.transfer import import_persona

    out = args.out or user_folder()
    before = Library((out,)).personas
    folder = import_persona(args.path, out)
    print(folder)
    if folder.name in before:
        print("It replaces the same persona, which was there already.")
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
