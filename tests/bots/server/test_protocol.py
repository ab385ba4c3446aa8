"""The protocol, as OpenAI's own client speaks it with a real server."""

import asyncio
import gc
import json
import socket
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai as sdk
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI
from starlette.types import Receive, Send

from bots.shortening import MAX_TOKENS
from charbot.generation.crisis import CRISIS_NOTE
from charbot.personas.library import Library
from tests.bots.server.conftest import ASKED, Gate, application, client, served

JSON_BODY = {"Content-Type": "application/json"}
USER: Any = [{"role": "user", "content": "More tea?"}]
SLOW = 40
"""Readers who stop: more than are answered in a batch."""


def _complete(openai: OpenAI, **request: Any) -> Any:
    return openai.chat.completions.create(**{"model": "ann", "messages": USER, "seed": 1, **request})


def test_each_persona_is_a_model_per_unit(openai: OpenAI) -> None:
    models = {model.id: model for model in openai.models.list()}
    assert list(models) == ["ann", "ann:char", "bob", "bob:char", "cy"]
    ann: Any = openai.models.retrieve("ann:char")
    assert ann == models["ann:char"]
    assert (ann.name, ann.show, ann.unit, ann.mature, ann.owned_by) == ("Ann", "Demo", "char", False, "charbot")
    assert ann.colour["dark"] != models["bob"].to_dict()["colour"]["dark"]  # type: ignore[index]


@pytest.mark.parametrize(("asked", "id_"), [("ann:word", "ann"), ("Ann:WORD", "ann"), ("ANN", "ann"), ("Ann:Char", "ann:char")])
def test_a_model_may_be_spelled_out(openai: OpenAI, asked: str, id_: str) -> None:
    assert openai.models.retrieve(asked).id == id_
    assert _complete(openai, model=asked).model == id_


@pytest.mark.parametrize("count", [1_000, 20_000])
def test_a_long_chat_is_answered_as_its_last_turns_are(openai: OpenAI, count: int) -> None:
    end = [{"role": ("assistant", "user")[turn % 2], "content": f"Tea {turn}."} for turn in range(200)]
    long, short = (_complete(openai, messages=messages) for messages in (USER * (count - len(end)) + end, end))
    assert (long.choices, long.usage) == (short.choices, short.usage)


@pytest.mark.parametrize("model", ["ann", "ann:char"])
def test_what_is_read_of_each_message_is_bounded_in_tokens(openai: OpenAI, model: str) -> None:
    emoji = [{"role": role, "content": "\N{GRINNING FACE}\N{FOX FACE}" * 900} for role in ("user", "assistant")]
    # The speaker and the end of each turn are tokens too.
    assert _complete(openai, model=model, messages=[*emoji, *USER]).usage.prompt_tokens < 3 * (MAX_TOKENS + 2)


def test_a_cry_for_help_is_heard_at_the_beginning_of_a_long_message(openai: OpenAI) -> None:
    text = f"I want to kill myself. {'Tea is nice. ' * 120}"
    assert _complete(openai, messages=[{"role": "user", "content": text}]).choices[0].message.content == CRISIS_NOTE


def test_a_reply_comes_whole_or_streamed(openai: OpenAI) -> None:
    whole = _complete(openai)
    choice = whole.choices[0]
    assert choice.message.content
    assert (choice.message.role, choice.finish_reason, whole.model) == ("assistant", "stop", "ann")
    chunks = list(_complete(openai, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == choice.message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("unit", ["", ":char"])
def test_usage_counts_tokens_of_the_unit(openai: OpenAI, company: Library, unit: str) -> None:
    from charbot.tokens import tokenizer_for

    model = f"ann{unit}"
    usage = _complete(openai, model=model).usage
    *_, last = _complete(openai, model=model, stream=True, stream_options={"include_usage": True})
    assert last.usage == usage
    assert not last.choices
    vocabulary = company.base("char" if unit else "word")[2]
    # The speaker and the end of the turn are tokens too.
    assert usage.prompt_tokens == len(tokenizer_for(vocabulary).encode("More tea?")) + 2
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_choices_are_replies_of_their_own(openai: OpenAI) -> None:
    several = [choice.message.content for choice in _complete(openai, n=3, temperature=2).choices]
    alone = [_complete(openai, seed=seed, temperature=2).choices[0].message.content for seed in (1, 2, 3)]
    assert several == alone
    streamed = ["", "", ""]
    for chunk in _complete(openai, n=3, temperature=2, stream=True):
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert streamed == several


def test_replies_end_where_the_request_says(openai: OpenAI) -> None:
    text = _complete(openai, max_tokens=200).choices[0].message.content
    (cut,) = [
        reply
        for seed in range(1, 20)
        if (reply := _complete(openai, max_completion_tokens=1, seed=seed)).choices[0].finish_reason == "length"
    ][:1]
    assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 1)
    stop = text[1]
    stopped = _complete(openai, stop=["never said", stop], max_tokens=200).choices[0]
    assert (stopped.message.content, stopped.finish_reason) == (text.partition(stop)[0], "stop")


def test_settings_of_the_protocol_are_taken_as_meant(openai: OpenAI) -> None:
    cold = [_complete(openai, temperature=0, top_p=0, seed=None, n=2).choices[0].message.content for _ in range(2)]
    assert all(cold)
    assert _complete(openai, seed=-(2**70), user="me", n=None, stop=None).choices[0].message.content


def test_the_user_is_the_character_that_a_system_message_names(openai: OpenAI) -> None:
    for text in ("bob", "You are Ann, and you talk to Bob."):
        assert not hasattr(_complete(openai, messages=[{"role": "system", "content": text}, *USER]), "warnings")
    for text, why in (("Be nice.", "names no character that Ann knows"), ("Bob and Cy are here.", "names Bob, Cy")):
        (warning,) = _complete(openai, messages=[{"role": "system", "content": text}, *USER]).warnings
        assert why in warning
        first = next(iter(_complete(openai, messages=[{"role": "system", "content": text}, *USER], stream=True)))
        assert first.warnings == [warning]


def test_a_name_of_nobody_is_ignored_with_one_warning(openai: OpenAI) -> None:
    named = [{**message, "name": name} for message in USER for name in ("zoe", "bob", "zoe", "")]
    assert _complete(openai, messages=named).warnings == ["the name 'zoe' is ignored: it is no character that Ann knows"]


def test_examples_are_ignored_with_one_warning(openai: OpenAI) -> None:
    examples = [{"role": "system", "name": f"example_{who}", "content": "Hi, Bob."} for who in ("user", "assistant")]
    (warning,) = _complete(openai, messages=[*examples, *USER]).warnings
    assert warning.startswith("examples are ignored")


def test_what_is_ignored_is_named(openai: OpenAI) -> None:
    parts = [{"type": "text", "text": "More tea?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    messages = [{"role": "user", "content": parts}, {"role": "tool", "tool_call_id": "1", "content": "7"}]
    reply = _complete(openai, messages=messages, frequency_penalty=0.5, logprobs=False, extra_body={"top_k": 3})
    assert [warning.partition(" ")[2].partition(":")[0] for warning in reply.warnings] == [
        "of the type image_url are ignored", "messages are ignored", "is ignored", "is ignored",
    ]  # fmt: skip
    assert "frequency_penalty" in reply.warnings[2]


@pytest.mark.parametrize("model", ["ann", "ann:char"])
def test_any_number_of_tokens_may_be_asked_for(openai: OpenAI, model: str) -> None:
    reply = _complete(openai, model=model, max_tokens=10**400)
    assert reply.choices[0].finish_reason == "stop"


def test_candidates_come_with_their_scores(openai: OpenAI) -> None:
    asked = _complete(openai, extra_body={"candidates": True}).choices[0]
    assert asked.candidates[0]["text"] == asked.message.content
    scores = [candidate["score"] for candidate in asked.candidates[1:]]
    assert scores == sorted(scores, reverse=True)
    *_, last = _complete(openai, extra_body={"candidates": True}, stream=True)
    assert last.choices[0].candidates == asked.candidates


@pytest.mark.parametrize(
    ("changes", "error", "param", "problem"),
    [
        ({"model": "nobody"}, sdk.NotFoundError, "model", "no model 'nobody'"),
        ({"model": "bbo"}, sdk.NotFoundError, "model", "Did you mean bob"),
        ({"model": "cy:char"}, sdk.NotFoundError, "model", "no model 'cy:char'"),
        ({"model": "ann:"}, sdk.NotFoundError, "model", "no model 'ann:'"),
        ({"model": "\ud800"}, sdk.NotFoundError, "model", "no model"),
        ({"messages": []}, sdk.BadRequestError, "messages", "at least 1 item"),
        ({"messages": [{"role": "king", "content": "x"}]}, sdk.BadRequestError, "messages[0].role", "'assistant'"),
        ({"messages": [{"role": "user", "content": 3}]}, sdk.BadRequestError, "messages[0].content", "valid string"),
        ({"temperature": 3}, sdk.BadRequestError, "temperature", "less than or equal to 2"),
        ({"n": 9}, sdk.BadRequestError, "n", "less than or equal to 8"),
        ({"stop": [1]}, sdk.BadRequestError, "stop", "valid string"),
        ({"stop": ["x"] * 5}, sdk.BadRequestError, "stop", "at most 4"),
        ({"max_tokens": 0}, sdk.BadRequestError, "max_tokens", "greater than or equal to 1"),
        ({"seed": 1.5}, sdk.BadRequestError, "seed", "valid integer"),
    ],
)  # fmt: skip
def test_mistakes_are_named(openai: OpenAI, changes: Any, error: type[sdk.APIStatusError], param: str, problem: str) -> None:
    body = json.dumps({**ASKED, **changes})
    response = httpx.post(f"{openai.base_url}chat/completions", content=body, headers=JSON_BODY)
    assert error is {400: sdk.BadRequestError, 404: sdk.NotFoundError}[response.status_code]
    told = response.json()["error"]
    assert (told["type"], told["param"]) == ("invalid_request_error", param)
    assert problem in told["message"]


def test_the_client_raises_its_own_errors(openai: OpenAI) -> None:
    with pytest.raises(sdk.NotFoundError, match="no model 'nobody'") as caught:
        _complete(openai, model="nobody")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    with pytest.raises(sdk.BadRequestError):
        _complete(openai, n=0, stream=True)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"model": ', "not JSON"),
        (b"[" * 100_000, "parsing the body"),
        (b"\xff", "parsing the body"),
        (b"[]", "must be a JSON object"),
        (b"", "must be a JSON object"),
    ],
)
def test_a_body_that_is_no_request_is_refused(address: str, body: bytes, problem: str) -> None:
    response = httpx.post(f"{address}/v1/chat/completions", content=body, headers=JSON_BODY)
    assert response.status_code == 400
    assert problem in response.json()["error"]["message"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool"])}, optional={"content": JSON, "name": JSON}
    ),
    max_size=4,
)
REQUESTS = st.fixed_dictionaries(
    {"model": st.sampled_from(["ann", "ann:char", "nobody"]) | st.text(), "messages": MESSAGES | JSON},
    optional={
        "n": st.integers(0, 3) | JSON, "temperature": st.floats(0, 2) | JSON, "top_p": st.floats(0, 1) | JSON, "seed": JSON,
        "max_tokens": st.integers(1, 50) | JSON, "stop": JSON, "user": JSON, "candidates": JSON, "stream": JSON, "other": JSON,
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def within(company: Library) -> Any:
    with client(company) as test_client:
        yield test_client


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=REQUESTS)
def test_any_request_is_answered_in_the_protocol_s_form(within: Any, body: Any) -> None:
    response = within.post("/v1/chat/completions", content=json.dumps(body), headers=JSON_BODY)
    assert response.status_code in (200, 400, 404), response.text
    if response.status_code != 200:
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    elif not body.get("stream"):
        assert response.json()["choices"]


def test_many_clients_at_once_are_all_answered(address: str) -> None:
    async def run() -> list[Any]:
        async with AsyncOpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0) as openai:
            calls = [openai.chat.completions.create(model="ann", messages=USER, seed=seed) for seed in range(64)]
            return await asyncio.gather(*calls)

    replies = asyncio.run(run())
    assert len({reply.id for reply in replies}) == 64
    assert all(reply.choices[0].message.content for reply in replies)


def _leave(address: str, body: dict[str, Any], gate: Gate) -> None:
    """Send a request, and go away while it is being answered."""
    where = urlsplit(address)
    content = json.dumps(body).encode()
    with socket.create_connection((where.hostname or "", where.port or 0)) as connection:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        assert gate.entered.wait(30)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_is_not_waited_for(
    company: Library, gate: Gate, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with served(company) as address:
        _leave(address, {**ASKED, "stream": stream, "n": 2}, gate)
        # Nobody opens the gate: only that the client has gone lets the batch end.
        assert gate.stopped.wait(30)
        gate.opened.set()
        assert httpx.post(f"{address}/v1/chat/completions", json=ASKED).status_code == 200
    gc.collect()
    assert not caplog.records


def test_a_stream_begins_before_its_reply_is_there(company: Library, gate: Gate) -> None:
    with (
        served(company) as address,
        httpx.stream("POST", f"{address}/v1/chat/completions", json={**ASKED, "stream": True}) as got,
    ):
        lines = got.iter_lines()
        assert '"role":"assistant"' in next(lines)
        assert not gate.opened.is_set()
        gate.opened.set()
        assert [line for line in lines if line][-1] == "data: [DONE]"


def test_readers_who_stop_in_mid_stream_hold_up_nobody(company: Library) -> None:
    async def run() -> None:
        waiting, read_on = asyncio.Semaphore(0), asyncio.Event()

        def read_nothing() -> tuple[Receive, Send]:
            messages: list[MutableMapping[str, Any]] = [
                {"type": "http.request", "body": json.dumps({**ASKED, "stream": True}).encode()}
            ]

            async def receive() -> MutableMapping[str, Any]:
                return messages.pop() if messages else await asyncio.Future()

            async def send(message: MutableMapping[str, Any]) -> None:
                # As when the buffers of the connection are full.
                if message["type"] == "http.response.body" and not read_on.is_set():
                    waiting.release()
                    await read_on.wait()

            return receive, send

        with application(company) as app:
            scope = {
                "type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b"",
                "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
            }  # fmt: skip
            slow = [asyncio.create_task(app(dict(scope), *read_nothing())) for _ in range(SLOW)]
            for _ in slow:
                await waiting.acquire()
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as quick:
                replies = await asyncio.gather(*(quick.post("/v1/chat/completions", json=ASKED) for _ in range(8)))
            assert {reply.status_code for reply in replies} == {200}
            assert not any(reader.done() for reader in slow)
            read_on.set()
            await asyncio.gather(*slow)

    asyncio.run(run())


def test_a_full_queue_is_told(company: Library, gate: Gate) -> None:
    with served(company, waiting=1) as address, ThreadPoolExecutor(2) as pool:
        first = pool.submit(httpx.post, f"{address}/v1/chat/completions", json=ASKED)
        assert gate.entered.wait(30)
        full = httpx.post(f"{address}/v1/chat/completions", json={**ASKED, "n": 2})
        assert (full.status_code, full.headers["Retry-After"]) == (503, "1")
        assert full.json()["error"]["type"] == "server_error"
        gate.opened.set()
        assert first.result().status_code == 200


def test_a_damaged_persona_is_told_and_the_server_goes_on(library: Library) -> None:
    (library.find("ann") / "word.safetensors").write_bytes(b"damaged")
    with client(library) as within:
        for stream in (False, True):
            broken = within.post("/v1/chat/completions", json={**ASKED, "stream": stream})
            assert broken.status_code == 500
            assert "word.safetensors" in broken.json()["error"]["message"]
        assert within.post("/v1/chat/completions", json={**ASKED, "model": "ann:char"}).status_code == 200


def test_a_fault_of_charbot_s_is_told_without_its_insides(company: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("an inside")

    monkeypatch.setattr("charbot.generation.persona.Persona.reply_batch", fail)
    with client(company) as within:
        whole = within.post("/v1/chat/completions", json=ASKED)
        assert (whole.status_code, whole.json()["error"]["type"]) == (500, "server_error")
        streamed = within.post("/v1/chat/completions", json={**ASKED, "stream": True})
        *_, error, done, _ = streamed.text.split("\n\n")
        assert (json.loads(error.removeprefix("data: ")), done) == (whole.json(), "data: [DONE]")
        assert "an inside" not in whole.text + streamed.text


def test_mature_personas_are_offered_only_when_asked_for(company: Library) -> None:
    with client(company) as within:
        assert [model["id"] for model in within.get("/v1/models").json()["data"]] == ["ann", "ann:char", "bob", "bob:char"]
        refused = within.post("/v1/chat/completions", json={**ASKED, "model": "cy"})
        assert refused.status_code == 404
        assert "--mature" in refused.json()["error"]["message"]
