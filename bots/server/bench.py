"""Benchmark of the server: the replies to several clients at once beside the engine's own, the first byte of a stream, memory."""

import json
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from statistics import median
from typing import Self, TypeAlias

from bots.server.metrics import COMPLETIONS
from charbot.config import ChatSettings
from charbot.errors import CharbotError
from charbot.generation.batching import BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona

_CLIENTS = (1, 8, 64)
"""Numbers of clients that wait for a reply at once."""

_ROUNDS = 3
"""How often the server and the engine are measured, in turn."""

_STREAMS = 20
"""Streamed replies of which the first byte is timed."""

Ask: TypeAlias = Callable[[int], object]
"""A function that waits for the reply to the message of that number."""


class Client:
    """A client of the server, for many threads. It keeps its connections until the end of a `with` block."""

    def __init__(self, host: str, port: int, model: str, messages: Sequence[str], key: str | None = None) -> None:
        self._host, self._port, self._model, self._messages = host, port, model, messages
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._idle: list[HTTPConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        while self._idle:
            self._idle.pop().close()

    def ask(self, number: int) -> None:
        """Wait for the reply to a message. Raises CharbotError if the server does not give it."""
        self._send("POST", COMPLETIONS, self._body(number))

    def first_byte(self, number: int) -> float:
        """Return the seconds from a request for a streamed reply to the first byte of its events. Raises CharbotError."""
        started = time.perf_counter()
        return self._send("POST", COMPLETIONS, self._body(number, stream=True))[0] - started

    def process_figures(self) -> tuple[float, float]:
        """Return the seconds of processor time and the bytes of memory that the server has used. Raises CharbotError."""
        text = self._send("GET", "/metrics")[1].decode()
        names = ("process_cpu_seconds_total", "process_resident_memory_bytes")
        found = [re.search(rf"^{name} (\S+)$", text, re.MULTILINE) for name in names]
        seconds, size = (float(match[1]) if match else float("nan") for match in found)
        return seconds, size

    def _body(self, number: int, **more: object) -> bytes:
        message = {"role": "user", "content": self._messages[number % len(self._messages)]}
        return json.dumps({"model": self._model, "messages": [message], "seed": number, **more}).encode()

    def _send(self, method: str, path: str, body: bytes | None = None) -> tuple[float, bytes]:
        """Return when the first byte of the response's body came, and the body."""
        connection = self._idle.pop() if self._idle else HTTPConnection(self._host, self._port)
        try:
            connection.request(method, path, body, self._headers)
            response = connection.getresponse()
            first = response.read(1)
            came = time.perf_counter()
            answer: bytes = first + response.read()
        except (OSError, HTTPException) as error:
            connection.close()
            raise CharbotError(f"the server stopped answering: {error}") from error
        self._idle.append(connection)
        if response.status != 200:
            raise CharbotError(f"the server answered {response.status}: {answer[:500].decode(errors='replace')}")
        return came, answer


def bench_serve(
    client: Client, persona: Persona, messages: Sequence[str], options: ChatSettings, requests: int
) -> dict[str, float]:
    """Return the figures of a server beside those of the engine in this process: replies per second and processor time per reply.

    Each of _CLIENTS clients asks again as soon as it has its reply, until all have asked `requests` times. Raises CharbotError.
    """
    found: dict[str, float] = {}
    with BatchScheduler() as scheduler:

        def ask_engine(number: int) -> None:
            conversation = Conversation().add(messages[number % len(messages)])
            scheduler.submit(persona, conversation, options, seed=number).result()

        def measure_engine(clients: int) -> tuple[float, float]:
            return measure(ask_engine, clients, requests, time.process_time)

        def measure_server(clients: int) -> tuple[float, float]:
            # A server gives up connections that nobody uses, as while the engine is measured.
            with client:
                return measure(client.ask, clients, requests, lambda: client.process_figures()[0])

        ask_engine(0)  # loads the persona, as the server does
        with client:
            client.ask(0)
        measures = {"engine": measure_engine, "server": measure_server}
        for clients in _CLIENTS:
            rounds = [{name: measure_one(clients) for name, measure_one in measures.items()} for _ in range(_ROUNDS)]
            for name in measures:
                rates, costs = zip(*(one[name] for one in rounds), strict=True)
                found[f"{name}_replies_per_second_at_{clients}"] = round(median(rates), 1)
                found[f"{name}_processor_ms_at_{clients}"] = round(median(costs) * 1e3, 1)
    with client:
        found["first_byte_ms"] = round(median(client.first_byte(number) for number in range(_STREAMS)) * 1e3, 1)
        memory = client.process_figures()[1]
    return found | {"requests": len(_CLIENTS) * _ROUNDS * requests, "memory_mb": round(memory / 2**20, 1)}


def measure(
    ask: Ask, clients: int, requests: int, processor: Callable[[], float], clock: Callable[[], float] = time.perf_counter
) -> tuple[float, float]:
    """Return replies per second of so many clients, and seconds of processor time per reply.

    `processor` returns the processor time so far, `clock` the time, in seconds.
    """
    with ThreadPoolExecutor(clients) as pool:
        used, started = processor(), clock()
        for _ in pool.map(ask, range(requests)):
            pass
        return requests / (clock() - started), (processor() - used) / requests
