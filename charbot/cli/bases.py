"""`charbot bases`: list and remove the bases that personas stand on."""

import argparse

from charbot.cli.options import Commands, add_bundles, add_command, library_of, print_json
from charbot.text import printable


def add(commands: Commands) -> None:
    bases = add_command(
        commands, "bases", "which bases personas stand on", "charbot bases list", "charbot bases remove word-3e8736cf23ba"
    )
    bases.set_defaults(run=_bases_list, json=False, bundles=None)
    actions = bases.add_subparsers(title="actions (default: list)", metavar="ACTION")
    listing = add_command(actions, "list", "all of them", "charbot bases list", "charbot bases list --json")
    listing.add_argument("--json", action="store_true", help="as JSON")
    add_bundles(listing)
    listing.set_defaults(run=_bases_list)
    remove = add_command(actions, "remove", "delete one that no persona needs", "charbot bases remove word-3e8736cf23ba")
    remove.add_argument("base", metavar="NAME", help="its name in `charbot bases list`")
    add_bundles(remove)
    remove.set_defaults(run=_bases_remove)


def _bases_list(args: argparse.Namespace) -> int:

    from charbot.errors import BundleError
    from charbot.personas.bundle import read_base_card
    from charbot.personas.library import Library
    from charbot.tokens.vocabulary import UNITS

    library = library_of(args)
    rows: list[dict[str, object]] = []
    for unit in UNITS:
        for folder in library.base_folders(unit):
            origin = "shipped" if folder.parent.parent == Library.shipped() else "trained" if folder.name == unit else "imported"
            try:
                personas, problem = library.personas_on(read_base_card(folder).id), None
            except BundleError as error:
                personas, problem = [], str(error)
            rows.append({"name": folder.name, "unit": unit, "origin": origin, "personas": personas, "problem": problem})
            if not args.json:
                print(printable(f"{folder.name:18} {origin:9} {problem or ', '.join(personas) or 'nobody'}"))
    if args.json:
        print_json(rows)
    return 0


def _bases_remove(args: argparse.Namespace) -> int:
    from charbot.personas.transfer import remove_base

    print(remove_base(library_of(args), args.base))
    return 0
