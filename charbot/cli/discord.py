"""`charbot discord`."""

import argparse

from charbot.cli.options import Commands, add_bundles, config_of, library_of
from charbot.cli.talk import wait_briefly


def add(commands: Commands) -> None:
    discord = commands.add_parser(
        "discord", help="run a Discord bot",
        epilog="The token comes from DISCORD_TOKEN, in the environment or in ./.env. README.md tells how to get one.",
    )  # fmt: skip
    group = discord.add_mutually_exclusive_group()
    group.add_argument("--check", action="store_true", help="say what is missing, and how to get it")
    group.add_argument("--invite", action="store_true", help="print the link that adds the bot to a server")
    add_bundles(discord)
    discord.set_defaults(run=_discord)


def _discord(args: argparse.Namespace) -> int:
    wait_briefly()
    from bots.discord_bot.run import check, invite, serve

    config = config_of(args)
    if args.invite:
        print(invite())
        return 0
    if args.check:
        return 0 if check(lambda: library_of(args), config) else 1
    return serve(lambda: library_of(args), config)
