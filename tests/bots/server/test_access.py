"""Who may use the server, and how much of it."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from bots.server.access import MAX_BODY, access_rules
from charbot.personas.library import Library
from tests.bots.server.conftest import ASKED, KEY, LOOPBACK, client, served

WITH_KEY = access_rules("0.0.0.0", KEY)
COMPLETIONS = "/v1/chat/completions"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8642", "localhost:8642", "LOCALHOST", "[::1]:8642"])
def test_the_machine_s_own_names_are_served(company: Library, host: str) -> None:
    with client(company) as within:
        assert within.get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8642", "", "[::1", "10.0.0.1", "localhost@evil.example"]
)
def test_a_name_that_was_made_to_lead_here_is_refused(company: Library, host: str) -> None:
    with client(company) as within:
        for path in ("/", "/health", "/v1/models"):
            refused = within.get(path, headers={"Host": host})
            assert refused.status_code == 403, path
            assert refused.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("rules", [LOOPBACK, WITH_KEY])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example", "http://[::1", ""]
)
def test_pages_of_other_sites_are_refused(company: Library, rules: object, origin: str) -> None:
    with client(company, rules) as within:  # type: ignore[arg-type]
        headers = {"Origin": origin, "Authorization": f"Bearer {KEY}"}
        assert within.post(COMPLETIONS, json=ASKED, headers=headers).status_code == 403
        # Nor may they ask for permission first.
        assert "Access-Control-Allow-Origin" not in within.options(COMPLETIONS, headers=headers).headers


def test_the_page_itself_is_served(company: Library) -> None:
    with client(company) as within:
        assert within.post(COMPLETIONS, json=ASKED, headers={"Origin": "http://127.0.0.1"}).status_code == 200


def test_other_machines_need_the_key(company: Library) -> None:
    with client(company, WITH_KEY) as within:
        for sent in ("", KEY, "Bearer", "Bearer wrong", "Bearer w\u00f6rong", f"Basic {KEY}", f"Bearer {KEY}."):
            refused = within.get("/v1/models", headers=[(b"Authorization", sent.encode())])
            assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key"), sent
            assert KEY not in refused.text
        for path in ("/metrics", "/openapi.json", "/nothing"):
            assert within.get(path).status_code == 401
        for path in ("/", "/style.css", "/page.js", "/health"):
            assert within.get(path, headers={"Host": "any.example"}).status_code == 200
        assert within.get("/v1/models", headers={"Authorization": f"bearer {KEY}"}).status_code == 200


def test_a_server_for_other_machines_has_a_key() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.com"):
        for key in (None, ""):
            with pytest.raises(ValueError, match="needs a key"):
                access_rules(host, key)
    assert access_rules("127.0.0.2", None).hosts == {"127.0.0.1", "127.0.0.2", "::1", "localhost"}


def test_each_client_has_its_rate(company: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.server.access._REQUESTS_PER_MINUTE", 3)
    now = [90.0]
    monkeypatch.setattr("bots.server.access.time.monotonic", lambda: now[0])
    with client(company, WITH_KEY, address="192.0.2.7") as within:
        # Those with a wrong key count: keys cannot be guessed at speed.
        assert [within.get("/v1/models").status_code for _ in range(4)] == [401, 401, 401, 429]
        refused = within.get("/v1/models")
        assert (refused.headers["Retry-After"], refused.json()["error"]["type"]) == ("30", "rate_limit_error")
        now[0] += 30
        assert within.get("/health").status_code == 200
    with client(company) as within:
        assert {within.get("/health").status_code for _ in range(9)} == {200}, "this machine has none"


@pytest.mark.parametrize("size", [MAX_BODY + 1, 10 * 2**20])
def test_what_is_too_large_is_refused(company: Library, size: int) -> None:
    with served(company) as address:
        for content in (b" " * size, (b" " * 2**16 for _ in range(size // 2**16 + 1))):
            refused = httpx.post(f"{address}{COMPLETIONS}", content=content)
            assert (refused.status_code, refused.json()["error"]["code"]) == (413, "request_too_large")
        assert httpx.post(f"{address}{COMPLETIONS}", json=ASKED).status_code == 200


def test_a_request_that_does_not_arrive_is_given_up(company: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.server.access._BODY_SECONDS", 0.05)
    with served(company) as address:
        where = urlsplit(address)
        with socket.create_connection((where.hostname or "", where.port or 0)) as connection:
            head = f"POST {COMPLETIONS} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 9\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode() + b"{")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 408 ")
