"""`charbot discord`: the Discord bot."""

import argparse

from charbot.cli.options import Commands, add_bundles, add_command, config_of, library_of, set_torch_environment


def add(commands: Commands) -> None:
    discord = add_command(
        commands, "discord", "run a Discord bot, with the token in DISCORD_TOKEN or ./.env",
        "charbot discord --check                   # what is missing, and how to get it",
        "charbot discord --invite                  # the link that adds the bot to a server",
        "charbot discord                           # runs until it is told to stop",
    )  # fmt: skip
    group = discord.add_mutually_exclusive_group()
    group.add_argument("--check", action="store_true", help="say what is missing, and how to get it")
    group.add_argument("--invite", action="store_true", help="print the link that adds the bot to a server")
    discord.add_argument("--shards", metavar="FIRST-LAST/COUNT", help="serve only these of so many shards, such as 0-3/16")
    discord.add_argument("--sync", action="store_true", help="register the slash commands anew, should they be missing or old")
    add_bundles(discord)
    discord.set_defaults(run=_discord)


def _discord(args: argparse.Namespace) -> int:
    set_torch_environment()
    from bots.discord_bot.bot import ALL_SHARDS
    from bots.discord_bot.run import check, invite, serve, shards

    config = config_of(args)
    if args.invite:
        print(invite())
        return 0
    if args.check:
        return 0 if check(lambda: library_of(args), config) else 1
    which = shards(args.shards) if args.shards else ALL_SHARDS
    return serve(lambda: library_of(args), config, which, force_sync=args.sync)
