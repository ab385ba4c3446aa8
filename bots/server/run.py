"""`charbot serve`: the application on a socket, until it is told to stop."""

import ipaddress
import os
import signal
import socket
from collections.abc import Callable

import uvicorn
from dotenv import dotenv_values

from bots.logs import start_logs
from bots.persona_pool import PersonaPool
from bots.server.access import AccessRules, access_rules
from bots.server.app import create_app
from charbot.config import Config
from charbot.errors import CharbotError, ConfigError
from charbot.generation.batching import BatchScheduler
from charbot.personas.library import Library

_STOPPING_SECONDS = 20
"""Seconds that replies in progress may take at shutdown."""


def api_key() -> str | None:
    """Return the key that requests need, from the environment or ./.env; None if neither has one. Raises ConfigError."""
    name = "CHARBOT_API_KEY"
    try:
        text = os.environ[name] if name in os.environ else dotenv_values(".env").get(name)
    except UnicodeDecodeError as error:
        raise ConfigError(".env: is not UTF-8 text; save it as that") from error
    if text is None:
        return None
    key = text.strip()
    # Clients send it in a header, which carries no other characters, and none at its ends that are spaces.
    if not key or not key.isascii() or not key.isprintable():
        problem = "has characters other than letters, digits and punctuation of ASCII" if key else "is empty"
        raise ConfigError(f"{name} {problem}; set a long random text, or remove it to serve without a key")
    return key


def serve(library: Callable[[], Library], config: Config, host: str, port: int, *, mature: bool) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code. Raises CharbotError."""
    rules, pool = _rules(host), PersonaPool(library)
    start_logs()
    with _listening(host, port) as listener, BatchScheduler() as scheduler:
        app = create_app(pool, scheduler, config.chat, rules, mature=mature)
        settings = uvicorn.Config(
            app, ws="none", log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_STOPPING_SECONDS
        )
        # uvicorn raises the signal again once it has stopped; to stop is all that was asked.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        _greet(listener)
        uvicorn.Server(settings).run(sockets=[listener])
    return 0


def _greet(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = socket.gethostname()
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(f"Chat at {address}, or point a chat program at {address}/v1. Ctrl-C stops the server.", flush=True)


def _rules(host: str) -> AccessRules:
    try:
        return access_rules(host, api_key())
    except ValueError as error:
        raise ConfigError(
            f"--host {host}: {error}\nput CHARBOT_API_KEY=... with a long random text into .env or the environment"
        ) from error


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises CharbotError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
    except (OSError, ValueError) as error:
        # A host with an empty or overlong label raises UnicodeError, a ValueError.
        reason = getattr(error, "strerror", None) or error
        raise CharbotError(f"{host}, port {port}: {reason}; --port chooses another port") from error
    # Connections take it over. asyncio itself sets it only where the protocol of the socket is given, and without it the body
    # of a response waits until the client has acknowledged the head: 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
