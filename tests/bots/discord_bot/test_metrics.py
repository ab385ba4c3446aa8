import asyncio
import json
import logging
import socket
import sys

import aiohttp
import pytest

from bots.discord_bot.logs import JsonLines
from bots.discord_bot.metrics import Metrics, serve_metrics
from charbot.errors import ConfigError


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def _get(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


def test_figures_and_health_are_serve_metrics() -> None:
    async def run() -> None:
        metrics, wrong, port = Metrics(), [""], free_port()

        async def health_problem() -> str | None:
            return wrong[0] or None

        metrics.count("answered", 0.3)
        metrics.count("left")
        async with serve_metrics(metrics, health_problem, port):
            status, text = await _get(port, "/metrics")
            assert status == 200
            assert 'charbot_calls_total{outcome="answered"} 1.0' in text
            assert 'charbot_answer_seconds_bucket{le="0.2"} 0.0' in text
            assert 'charbot_answer_seconds_bucket{le="0.5"} 1.0' in text
            assert "process_resident_memory_bytes" in text
            assert await _get(port, "/health") == (200, "well\n")
            wrong[0] = "not connected"
            assert await _get(port, "/health") == (503, "not connected\n")
            with pytest.raises(ConfigError, match="metrics_port"):
                async with serve_metrics(metrics, health_problem, port):
                    pass
        with pytest.raises(aiohttp.ClientConnectionError):
            await _get(port, "/health")

    asyncio.run(run())


def test_what_does_not_answer_is_not_well() -> None:
    async def run() -> None:
        async def health_problem() -> str | None:
            await asyncio.sleep(60)
            return None

        async with serve_metrics(Metrics(), health_problem, port := free_port(), timeout=0.05):
            assert (await _get(port, "/health"))[0] == 503

    asyncio.run(run())


def test_off_where_no_port_is_given() -> None:
    async def run() -> None:
        async def health_problem() -> str | None:
            raise AssertionError("nobody asked")

        async with serve_metrics(Metrics(), health_problem, None):
            pass

    asyncio.run(run())


def test_logs_are_json_lines() -> None:
    try:
        int("on purpose")
    except ValueError:
        record = logging.LogRecord("charbot.discord", logging.ERROR, __file__, 1, "channel %d\nfailed", (7,), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["level"], said["logger"], said["message"]) == ("error", "charbot.discord", "channel 7\nfailed")
    assert said["at"].endswith("+00:00")
    assert "ValueError: invalid literal" in said["error"]
