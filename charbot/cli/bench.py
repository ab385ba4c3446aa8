"""`charbot bench`: how fast training and replies are on this machine."""

import argparse

from charbot.cli.options import (
    Commands,
    add_bundles,
    add_command,
    config_of,
    library_of,
    print_figures,
    set_torch_environment,
)  # fmt: skip
from charbot.errors import UsageError


def add(commands: Commands) -> None:
    bench = add_command(
        commands, "bench", "how fast this machine trains and replies",
        "charbot bench train", "charbot bench reply joey", "charbot bench serve joey",
    )  # fmt: skip
    actions = bench.add_subparsers(title="actions", metavar="ACTION", required=True)
    train = add_command(
        actions, "train", "a training step, against a plain loop and the machine's peak",
        "charbot bench train --rounds 3 --json",
    )  # fmt: skip
    train.add_argument("--rounds", type=int, default=5, metavar="N", help="how often everything is timed (default: 5)")
    train.add_argument("--steps", type=int, default=12, metavar="N", help="training steps timed in a round (default: 12)")
    train.add_argument("--json", action="store_true", help="as JSON")
    train.set_defaults(run=_train)

    reply = add_command(
        actions, "reply", "the start, and replies to one user and to many at once",
        "charbot bench reply joey",
        "charbot bench reply joey --beside 2       # while two other programs keep the machine busy",
    )  # fmt: skip
    reply.add_argument("persona", help="who replies")
    reply.add_argument(
        "--beside", type=int, default=0, metavar="N", help="start N busy processes, and measure beside them (default: 0)"
    )
    reply.add_argument("--json", action="store_true", help="as JSON")
    add_bundles(reply)
    reply.set_defaults(run=_reply)

    serve = add_command(
        actions, "serve", "a server's replies to 1, 8 and 64 clients, beside those of the engine alone",
        "charbot bench serve joey",
        "charbot bench serve joey --requests 1200  # 10,800 in all, and the memory after them",
    )  # fmt: skip
    serve.add_argument("persona", help="who replies")
    serve.add_argument(
        "--requests", type=int, default=200, metavar="N", help="requests per measurement, of which there are nine (default: 200)"
    )
    serve.add_argument("--json", action="store_true", help="as JSON")
    add_bundles(serve)
    serve.set_defaults(run=_serve)


def _train(args: argparse.Namespace) -> int:
    from trainer.bench import bench_train

    if args.rounds < 1 or args.steps < 2:
        raise UsageError("bench needs at least one round and two steps")
    print_figures(bench_train(args.rounds, args.steps), args.json)
    return 0


def _reply(args: argparse.Namespace) -> int:
    from rich.console import Console

    from charbot.cli.processes import busy_processes, start_figures
    from charbot.generation.persona import Persona

    if args.beside < 0:
        raise UsageError("--beside is the number of busy processes: 0 or more")
    set_torch_environment()
    persona = Persona(library_of(args), args.persona)
    with Console(stderr=True).status("Measuring; that takes a minute"), busy_processes(args.beside):
        started = start_figures(args.persona, _shared_options(args))
        from charbot.evaluation.everyday import everyday_messages
        from charbot.generation.bench import bench_reply

        found = bench_reply(persona, everyday_messages(), config_of(args).chat)
    print_figures({"persona": persona.card.name, "busy_processes": args.beside, **started, **found}, args.json)
    return 0


def _serve(args: argparse.Namespace) -> int:
    from rich.console import Console

    if args.requests < 1:
        raise UsageError("--requests is the number of requests: 1 or more")
    set_torch_environment()
    from bots.server.bench import Client, bench_serve
    from bots.server.run import api_key
    from charbot.cli.processes import server_process
    from charbot.evaluation.everyday import everyday_messages
    from charbot.generation.persona import Persona

    persona, messages = Persona(library_of(args), args.persona), everyday_messages()
    with Console(stderr=True).status("Measuring; that takes minutes"), server_process(_shared_options(args)) as (host, port):
        client = Client(host, port, args.persona, messages, api_key())
        found = bench_serve(client, persona, messages, config_of(args).chat, args.requests)
    print_figures({"persona": persona.card.name, **found}, args.json)
    return 0


def _shared_options(args: argparse.Namespace) -> list[str]:
    """Return those options of this command that the commands which it starts have too."""
    chosen = {"--config": args.config, "--bundles": args.bundles}
    return [word for option, value in chosen.items() if value is not None for word in (option, str(value))]
