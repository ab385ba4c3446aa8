"""What tests of the server share: the application, and a real server on loopback."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openai import OpenAI

from bots.persona_pool import PersonaPool
from bots.server.access import AccessRules, access_rules
from bots.server.app import create_app
from bots.server.run import _listening
from charbot.config import DEFAULT_OPTIONS, ChatSettings
from charbot.generation.batching import BatchScheduler
from charbot.generation.persona import Persona, Reply, Request
from charbot.personas.library import Library

KEY = "a key for tests"
LOOPBACK = access_rules("127.0.0.1", None)
ASKED = {"model": "ann", "messages": [{"role": "user", "content": "More tea?"}]}
"""A request that is answered."""


@contextmanager
def application(
    library: Library, rules: AccessRules = LOOPBACK, *, mature: bool = False, waiting: int = 256, **settings: Any
) -> Iterator[FastAPI]:
    with BatchScheduler(waiting, together=1 if waiting == 1 else 32, threads=1) as scheduler:
        chat = ChatSettings(**settings)
        yield create_app(PersonaPool(lambda: Library(library.folders)), scheduler, chat, rules, mature=mature)


@contextmanager
def client(library: Library, rules: AccessRules = LOOPBACK, *, address: str = "127.0.0.1", **more: Any) -> Iterator[TestClient]:
    """A client within the process, whose requests seem to come from `address`."""
    with (
        application(library, rules, **more) as app,
        TestClient(app, "http://127.0.0.1", raise_server_exceptions=False, client=(address, 5000)) as test_client,
    ):
        yield test_client


@contextmanager
def served(library: Library, **more: Any) -> Iterator[str]:
    """The address of a real server."""
    with application(library, **more) as app, _listening("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, ws="none", log_config=None, timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def address(company: Library) -> Iterator[str]:
    with served(company, mature=True) as started:
        yield started


@pytest.fixture(scope="module")
def openai(address: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0) as client:
        yield client


@dataclass
class Gate:
    """Holds back the replies of all personas until it is opened."""

    opened: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    """Set once a batch is waiting."""
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set once a batch has noticed that nobody wants it any more."""


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    closed, reply_batch = Gate(), Persona.reply_batch

    def gated(
        persona: Persona,
        requests: Sequence[Request],
        options: ChatSettings = DEFAULT_OPTIONS,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Reply]:
        closed.entered.set()
        while not closed.opened.wait(0.01):
            if cancelled():
                closed.stopped.set()
                break
        return reply_batch(persona, requests, options, cancelled)

    monkeypatch.setattr(Persona, "reply_batch", gated)
    yield closed
    closed.opened.set()
