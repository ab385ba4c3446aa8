"""What the server has beside the protocol: the page, health, metrics, and personas that change."""

import asyncio
import json
import re

import httpx
import pytest

from bots.server.access import PAGE
from charbot.personas.library import Library
from tests.bots.conftest import write_copy
from tests.bots.server.conftest import ASKED, Gate, client, served


def test_the_page_needs_nothing_from_elsewhere(company: Library) -> None:
    with client(company) as within:
        for path in PAGE:
            file = within.get(path)
            assert file.status_code == 200
            assert "default-src 'none'" in file.headers["Content-Security-Policy"]
            addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", file.text)) - {"http://www.w3.org"}
            assert not addresses, path


def test_health_passes_through_the_queue(company: Library, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.server.app._HEALTH_SECONDS", 0.05)

    async def run() -> None:
        async with httpx.AsyncClient(base_url=address) as within:
            well = await within.get("/health")
            assert (well.status_code, well.text) == (200, "well\n")
            reply = asyncio.create_task(within.post("/v1/chat/completions", json=ASKED))
            await asyncio.to_thread(gate.entered.wait)
            ill = await within.get("/health")
            assert (ill.status_code, ill.text) == (503, "no reply within 0.05 seconds\n")
            gate.opened.set()
            assert (await reply).status_code == 200

    with served(company) as address:
        asyncio.run(run())


def test_metrics_count_responses_and_time_replies(company: Library) -> None:
    with client(company) as within:
        within.post("/v1/chat/completions", json=ASKED)
        within.post("/v1/chat/completions", json={**ASKED, "stream": True})
        within.get("/nothing")
        text = within.get("/metrics").text
    assert 'charbot_requests_total{status="200"} 2.0' in text
    assert 'charbot_requests_total{status="404"} 1.0' in text
    assert "charbot_completion_seconds_count 2.0" in text
    assert "process_resident_memory_bytes" in text


def test_where_nothing_is_an_error_says_so(company: Library) -> None:
    with client(company) as within:
        for answer, status in ((within.get("/v1/nothing"), 404), (within.get("/v1/chat/completions"), 405)):
            assert answer.status_code == status
            assert answer.request.url.path in answer.json()["error"]["message"]
        assert within.delete("/v1/models").headers["Allow"] == "GET"


def test_new_personas_are_offered_without_a_restart(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.server.app._REFRESH_SECONDS", 0.01)
    with client(library) as within:
        write_copy(library, "Bob")
        while "bob" not in {model["id"] for model in within.get("/v1/models").json()["data"]}:
            pass


def test_the_schema_describes_the_protocol(company: Library) -> None:
    with client(company) as within:
        schema = within.get("/openapi.json").json()
    assert set(schema["paths"]) == {"/v1/models", "/v1/models/{id_}", "/v1/chat/completions"}
    responses = schema["paths"]["/v1/chat/completions"]["post"]["responses"]
    assert set(responses) == {"200", "4XX", "5XX"}
    assert "ErrorBody" in json.dumps(responses["4XX"])
