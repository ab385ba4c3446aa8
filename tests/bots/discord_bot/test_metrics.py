import asyncio
import json
import logging
import resource
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from bots.discord_bot.metrics import Metrics, serve_metrics
from bots.logs import JsonLines
from charbot.errors import ConfigError
from charbot.personas.library import Library
from tests.bots.discord_bot.harness import ME, run, script, stage


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


async def _get(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


def test_figures_and_health_are_serve_metrics() -> None:
    async def main() -> None:
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

    asyncio.run(main())


def test_what_does_not_answer_is_not_well() -> None:
    async def main() -> None:
        async def health_problem() -> str | None:
            await asyncio.sleep(60)
            return None

        async with serve_metrics(Metrics(), health_problem, port := free_port(), timeout=0.05):
            assert (await _get(port, "/health"))[0] == 503

    asyncio.run(main())


def test_off_where_no_port_is_given() -> None:
    async def main() -> None:
        async def health_problem() -> str | None:
            raise AssertionError("nobody asked")

        async with serve_metrics(Metrics(), health_problem, None):
            pass

    asyncio.run(main())


def test_logs_are_json_lines() -> None:
    try:
        int("on purpose")
    except ValueError:
        record = logging.LogRecord("charbot.discord", logging.ERROR, __file__, 1, "channel %d\nfailed", (7,), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    record = json.loads(line)
    assert (record["level"], record["logger"], record["message"]) == ("error", "charbot.discord", "channel 7\nfailed")
    assert record["at"].endswith("+00:00")
    assert "ValueError: invalid literal" in record["error"]


@run
async def test_health_names_a_disk_that_takes_nothing_more(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        assert await on.bot.health_problem() is None
        on.store.set_meta("filled", "x" * 2**16)
        most, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**15, hard))
        try:
            wrong = await on.bot.health_problem()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        assert wrong is not None
        assert "make room on the disk" in wrong
        assert await on.bot.health_problem() is None
        assert b"charbot_database_errors 1.0" in on.bot.metrics.text()


@run
async def test_health_reports_the_error_that_keeps_all_replies_from_being_given(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        for number in range(3):
            assert await on.bot.health_problem() is None
            await on.discord.say(f"{ME} crash")
            await on.heard(number + 1)
        assert await on.bot.health_problem() == "the last 3 replies failed: RuntimeError('on purpose')"
        await on.discord.say(f"{ME} Tea?")
        await on.heard(4)
        assert await on.bot.health_problem() is None


@run
async def test_servers_latency_and_queue_are_measured(shared_library: Library, tmp_path: Path) -> None:
    async with stage(shared_library, tmp_path) as on:
        script.free.clear()
        await on.discord.say(f"{ME} Tea?")
        await on.until(lambda: script.asked, 1)
        figures = dict(line.rsplit(" ", 1) for line in on.bot.metrics.text().decode().splitlines() if line[0] != "#")
        assert (figures["charbot_servers"], figures["charbot_pending"]) == ("1.0", "1.0")
        assert 0 <= float(figures["charbot_gateway_latency_seconds"]) < 60
        script.free.set()
        await on.heard(1)


def test_an_address_that_cannot_be_used_is_named() -> None:
    async def serve() -> None:
        async def health_problem() -> str | None:
            return None

        async with serve_metrics(Metrics(), health_problem, free_port(), "203.0.113.1"):
            pass

    with pytest.raises(ConfigError, match=r"at 203\.0\.113\.1: "):
        asyncio.run(serve())
