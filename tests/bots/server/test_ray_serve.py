"""The server on a cluster of Ray that loses a replica."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI

from charbot.config import Config
from charbot.personas.library import Library
from tests.bots.server.conftest import ASKED, free_port

ray = pytest.importorskip("ray", reason="charbot[ray] is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

REQUESTS, CLIENTS = 200, 16


@pytest.fixture
def address(company: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of two replicas, each on a node of its own."""
    from ray import serve
    from ray.cluster_utils import Cluster

    from bots.server.ray_serve import Arguments, deployment

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address)
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": (port := free_port())})
        arguments = Arguments(min_replicas=2, max_replicas=2)
        serve.run(deployment(partial(Library, company.folders), Config(), None, arguments), name="charbot")
        yield f"http://127.0.0.1:{port}"
        serve.shutdown()
    finally:
        ray.shutdown()
        cluster.shutdown()


def _replicas() -> list[str]:
    actors = ray.util.list_named_actors(all_namespaces=True)
    return [actor["name"] for actor in actors if actor["name"].startswith("SERVE_REPLICA::charbot")]


def test_each_request_is_answered_though_a_replica_dies(address: str) -> None:
    answered: list[str] = []
    killed: list[str] = []

    async def ask(openai: AsyncOpenAI, number: int, places: asyncio.Semaphore) -> Any:
        async with places:
            reply = await openai.chat.completions.create(model="ann", messages=ASKED["messages"], seed=number)  # type: ignore[arg-type]
            answered.append(reply.id)
            if len(answered) == REQUESTS // 4:
                killed.append(_replicas()[0])
                ray.kill(ray.get_actor(killed[0], namespace="serve"))
            return reply

    async def run() -> list[Any]:
        async with AsyncOpenAI(base_url=f"{address}/v1", api_key="any", max_retries=5) as openai:
            places = asyncio.Semaphore(CLIENTS)
            return await asyncio.gather(*(ask(openai, number, places) for number in range(REQUESTS)))

    assert len(_replicas()) == 2
    replies = asyncio.run(run())
    assert all(reply.choices[0].message.content for reply in replies)
    assert len({reply.id for reply in replies}) == len(answered) == REQUESTS
    assert len(killed) == 1
    assert not set(killed) & set(_replicas())
    # The rules of access hold on a cluster too.
    assert httpx.get(f"{address}/v1/models", headers={"Host": "evil.example"}).status_code == 403
