"""Access to the server: who may send requests, how many, and how large ones."""

import asyncio
import ipaddress
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bots.bounded_dict import BoundedDict
from bots.server.errors import ProtocolError

MAX_BODY = 2**20
"""Maximum bytes of a request."""

_DISCARDED = 32 * MAX_BODY
"""Maximum bytes that are read of a too large request: clients read no response before they have sent all."""

_BODY_SECONDS = 30
"""Maximum seconds until a request has arrived."""

_REQUESTS_PER_MINUTE = 120
"""Maximum requests per minute of a client on another machine."""

_CLIENTS = 10_000
"""Maximum clients whose requests are counted."""

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

PAGE = {"/": "index.html", "/style.css": "style.css", "/page.js": "page.js"}
"""The files of the page, by path."""

_PUBLIC = {*PAGE, "/health"}
"""Paths that need no key: the page asks for it."""


@dataclass(frozen=True)
class AccessRules:
    """Who may send requests."""

    key: str | None
    """The key that requests need; None if they need none."""
    hosts: Collection[str] | None
    """Names by which the server may be addressed; None if any will do, because requests need a key."""


def access_rules(host: str, key: str | None) -> AccessRules:
    """Return the rules of a server that listens on `host`. Raises ValueError where it needs a key."""
    if not is_loopback(host) and not key:
        raise ValueError("a server that other machines reach needs a key")
    # A page of another site may have its own name resolve to this machine (DNS rebinding), but it cannot send the key.
    return AccessRules(key, None if key else {*_LOOPBACK_NAMES, host.casefold()})


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class AccessControl:
    """ASGI middleware that refuses requests that the rules forbid, that are too large, or too many."""

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app, self._rules = app, rules
        self._counts: BoundedDict[str, tuple[int, int]] = BoundedDict(_CLIENTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
            receive = await _read_body(receive)
        except ProtocolError as error:
            await error.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        """Raise ProtocolError if the rules forbid a request."""
        headers, rules = Headers(scope=scope), self._rules
        host = headers.get("host", "")
        if rules.hosts is not None and _hostname(host) not in rules.hosts:
            raise ProtocolError(403, f"this server is not called {host[:80]!r}; it is for its own machine alone")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise ProtocolError(403, f"pages of {origin[:80]!r} may not use this server")
        self._count(scope["client"][0] if scope.get("client") else "127.0.0.1")
        if rules.key and scope["path"] not in _PUBLIC and not _has_key(headers, rules.key):
            message = "the API key is missing or wrong: send the server's CHARBOT_API_KEY as `Authorization: Bearer KEY`"
            raise ProtocolError(401, message, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})

    def _count(self, client: str) -> None:
        """Count a request of a client. Raises ProtocolError if there are too many in this minute."""
        if is_loopback(client):
            return
        minute, seconds = divmod(int(time.monotonic()), 60)
        last_minute, count = self._counts.get(client, (minute, 0))
        count = count + 1 if last_minute == minute else 1
        self._counts[client] = minute, count
        if count > _REQUESTS_PER_MINUTE:
            message = f"more than {_REQUESTS_PER_MINUTE} requests in a minute; wait {60 - seconds} seconds"
            raise ProtocolError(429, message, code="rate_limit_exceeded", headers={"Retry-After": str(60 - seconds)})


def _hostname(host: str) -> str:
    """Return the name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _has_key(headers: Headers, key: str) -> bool:
    """Return whether a request has the key, compared in constant time."""
    # Starlette decodes headers as Latin-1, whatever they were encoded in; the key itself is ASCII.
    scheme, _, sent_key = headers.get("authorization", "").partition(" ")
    return scheme.casefold() == "bearer" and secrets.compare_digest(sent_key.strip().encode("latin-1"), key.encode())


async def _read_body(receive: Receive) -> Receive:
    """Read the body of a request, and return a function that receives it again.

    Raises ProtocolError if the body is too large, or does not arrive in time.
    """
    body, size, more = bytearray(), 0, True
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    break
                part = message.get("body", b"")
                size += len(part)
                if size <= MAX_BODY:
                    body += part
                more = message.get("more_body", False) and size <= _DISCARDED
    except TimeoutError:
        raise ProtocolError(408, f"the request did not arrive within {_BODY_SECONDS} seconds") from None
    if size > MAX_BODY:
        raise ProtocolError(413, f"the request is larger than {MAX_BODY:,} bytes; send fewer messages", code="request_too_large")
    messages: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
