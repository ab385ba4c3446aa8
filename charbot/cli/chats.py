"""`charbot chats`: list, open, rename and remove the conversations that the terminal keeps."""

import argparse
import sys

from charbot.cli.chat import add_chat_options, run_chat
from charbot.cli.options import Commands, add_command, confirm, print_json
from charbot.text import printable


def add(commands: Commands) -> None:
    chats = add_command(
        commands, "chats", "the conversations that you had", "charbot chats list", "charbot chats open 2",
        'charbot chats rename 2 "The sandwich affair"',
    )  # fmt: skip
    chats.set_defaults(run=_chats_list, json=False)
    actions = chats.add_subparsers(title="actions (default: list)", metavar="ACTION")
    listing = add_command(actions, "list", "all of them, the last one first", "charbot chats list", "charbot chats list --json")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(run=_chats_list)
    opening = add_command(actions, "open", "continue one", "charbot chats open 2", "charbot chats open 2 --temperature 0.7")
    _add_chat(opening)
    add_chat_options(opening)
    opening.set_defaults(run=_chats_open, persona=None)
    rename = add_command(actions, "rename", "give one a name", 'charbot chats rename 2 "The sandwich affair"')
    _add_chat(rename)
    rename.add_argument("name", help="its new name")
    rename.set_defaults(run=_chats_rename)
    remove = add_command(actions, "remove", "delete one", "charbot chats remove 2", "charbot chats remove 2 --yes")
    _add_chat(remove)
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(run=_chats_remove)


def _add_chat(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("chat", help="its number or name in `charbot chats list`")


def _chats_list(args: argparse.Namespace) -> int:
    from bots.terminal.kept_chats import ChatStore, KeptChat

    rows = []
    for number, file in enumerate(ChatStore.default().files(), start=1):
        cast, turns = (file.chat.cast, len(file.chat.session.turns)) if isinstance(file, KeptChat) else ((), 0)
        problem = None if isinstance(file, KeptChat) else file.problem
        rows.append({"name": file.title, "cast": cast, "turns": turns, "changed": file.changed.isoformat(), "problem": problem})
        if not args.json:
            what = f"{', '.join(cast):16}  {turns:4} turns" if problem is None else "(damaged)"
            print(printable(f"{number:3}  {file.changed:%Y-%m-%d %H:%M}  {what:28}  {file.title}"))
    if args.json:
        print_json(rows)
    elif not rows:
        print("No conversation is kept yet. `charbot` begins one.", file=sys.stderr)
    return 0


def _chats_open(args: argparse.Namespace) -> int:
    from bots.terminal.kept_chats import ChatStore

    return run_chat(args, ChatStore.default().find(args.chat))


def _chats_rename(args: argparse.Namespace) -> int:
    from bots.terminal.kept_chats import ChatStore

    store = ChatStore.default()
    kept = store.find(args.chat)
    print(printable(f'Renamed "{kept.title}" to "{store.rename(kept, args.name).title}".'))
    return 0


def _chats_remove(args: argparse.Namespace) -> int:
    from bots.terminal.kept_chats import ChatStore

    store = ChatStore.default()
    file = store.find_file(args.chat)
    title = printable(file.title)
    # Without a terminal nobody is there to be asked, and a script has said what it wants.
    if not args.yes and sys.stdin is not None and sys.stdin.isatty() and not confirm(f'Remove "{title}"?'):
        print("Nothing was removed.")
        return 0
    store.remove(file)
    print(f'Removed "{title}".')
    return 0
