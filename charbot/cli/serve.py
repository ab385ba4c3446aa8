"""`charbot serve`: an endpoint for chat programs, and a page."""

import argparse

from charbot.cli.options import Commands, add_bundles, add_command, config_of, library_of, set_torch_environment
from charbot.errors import UsageError

_LAST_PORT = 65_535


def add(commands: Commands) -> None:
    serve = add_command(
        commands, "serve", "an endpoint that speaks OpenAI's protocol, and a page to chat in",
        "charbot serve                             # then open http://127.0.0.1:8642 in a browser",
        "charbot serve --mature                    # personas that swear, too",
        "charbot serve --host 0.0.0.0              # other machines too, which need CHARBOT_API_KEY",
    )  # fmt: skip
    serve.add_argument(
        "--host", default="127.0.0.1",
        help="the address to listen on (default: 127.0.0.1, this machine alone; others: set CHARBOT_API_KEY)",
    )  # fmt: skip
    serve.add_argument("--port", type=int, default=8642, help="the port to listen on (default: 8642; 0: any free one)")
    serve.add_argument("--mature", action="store_true", help="offer mature personas, which swear")
    add_bundles(serve)
    serve.set_defaults(run=_serve)


def _serve(args: argparse.Namespace) -> int:
    if not 0 <= args.port <= _LAST_PORT:
        raise UsageError(f"--port must be 0 to {_LAST_PORT}")
    set_torch_environment()
    from bots.server.run import serve

    return serve(lambda: library_of(args), config_of(args), args.host, args.port, mature=args.mature)
