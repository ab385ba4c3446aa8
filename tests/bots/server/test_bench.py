"""The server measured by clients of its own."""

import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from bots.server import bench
from bots.server.access import access_rules
from bots.server.bench import Client, bench_serve, measure
from charbot.config import ChatSettings
from charbot.errors import CharbotError
from charbot.generation.persona import Persona
from charbot.personas.library import Library
from tests.bots.server.conftest import KEY, free_port, served

MESSAGES = ["Hi", "More tea?"]


def _client(address: str, model: str = "ann", key: str | None = None) -> Client:
    where = urlsplit(address)
    return Client(where.hostname or "", where.port or 0, model, MESSAGES, key)


def test_the_server_and_the_engine_have_the_same_figures(company: Library, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_CLIENTS", (1, 3))
    found = bench_serve(_client(address), Persona(company, "ann"), MESSAGES, ChatSettings(), 4)
    assert found["requests"] == 2 * 3 * 4
    for clients in (1, 3):
        for who in ("engine", "server"):
            assert found[f"{who}_replies_per_second_at_{clients}"] > 0
            assert found[f"{who}_processor_ms_at_{clients}"] > 0
    assert found["first_byte_ms"] > 0
    assert found["memory_mb"] > 50


def test_each_request_is_sent_once_by_as_many_clients_as_there_are() -> None:
    asked: list[int] = []
    together = threading.Barrier(3)

    def ask(number: int) -> None:
        together.wait(30)
        asked.append(number)

    processor, clock = iter((5.0, 8.0)), iter((10.0, 12.0))
    assert measure(ask, 3, 6, lambda: next(processor), lambda: next(clock)) == (3.0, 0.5)
    assert sorted(asked) == list(range(6))


def test_connections_are_kept_until_the_end_of_the_block(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[HTTPConnection] = []
    connect = HTTPConnection.connect

    def counted(connection: HTTPConnection) -> None:
        connected.append(connection)
        connect(connection)

    monkeypatch.setattr(HTTPConnection, "connect", counted)
    client = _client(address)
    for blocks in (1, 2):
        with client:
            for number in range(3):
                client.ask(number)
        assert len(connected) == blocks
        assert not any(connection.sock for connection in connected)


def test_a_key_is_sent(company: Library) -> None:
    with served(company, rules=access_rules("0.0.0.0", KEY)) as address:
        with _client(address, key=KEY) as client:
            client.ask(0)
        with _client(address) as client, pytest.raises(CharbotError, match=r"answered 401: .*API key"):
            client.ask(0)


def test_a_server_that_gives_no_reply_is_told(address: str) -> None:
    with _client(address, "nobody") as client, pytest.raises(CharbotError, match=r"answered 404: .*no model 'nobody'"):
        client.ask(0)
    with _client(f"http://127.0.0.1:{free_port()}") as client, pytest.raises(CharbotError, match="stopped answering"):
        client.ask(0)
