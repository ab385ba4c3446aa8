"""The server as a deployment of Ray Serve: replicas on several machines, more of them when requests wait."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel
from ray import serve

from bots.persona_pool import PersonaPool
from bots.server.access import access_rules
from bots.server.app import create_app
from bots.server.run import api_key
from charbot.config import Config, load_config
from charbot.generation.batching import MAX_BATCH, BatchScheduler
from charbot.personas.library import Library


class Arguments(BaseModel):
    """The arguments of `serve run bots.server.ray_serve:build`, given as NAME=VALUE."""

    mature: bool = False
    """Whether mature personas are offered."""
    config: Path | None = None
    """Settings; None is the defaults."""
    min_replicas: int = 1
    max_replicas: int = 8


def build(arguments: Arguments) -> serve.Application:
    """Return the deployment, whose key is CHARBOT_API_KEY. Raises ConfigError."""
    config = Config() if arguments.config is None else load_config(arguments.config)
    return deployment(Library.default, config, api_key(), arguments)


def deployment(library: Callable[[], Library], config: Config, key: str | None, arguments: Arguments) -> serve.Application:
    """Return the deployment of the application. Without a key, it can only be addressed as this machine."""

    def application() -> FastAPI:
        # Called in each replica, which has models and a batch scheduler of its own.
        rules = access_rules("127.0.0.1", key)
        return create_app(PersonaPool(library), BatchScheduler(), config.chat, rules, mature=arguments.mature)

    class Server:
        pass

    wrap = serve.deployment(
        name="charbot",
        max_ongoing_requests=2 * MAX_BATCH,
        autoscaling_config={
            "min_replicas": arguments.min_replicas,
            "max_replicas": arguments.max_replicas,
            # Full batches are the most efficient: another replica only helps when these are full.
            "target_ongoing_requests": MAX_BATCH,
        },
    )
    app: serve.Application = wrap(serve.ingress(application)(Server)).bind()
    return app
