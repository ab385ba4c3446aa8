"""Discord on loopback: REST and gateway, as strict as the real one where bots get it wrong."""

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from discord.utils import time_snowflake, utcnow

APP, BOT, GUILD, OWNER, ROLE = (10**16 + number for number in range(5))
TOKEN = "right.token"
_CONTENT, _PRIVILEGED = 1 << 15, (1 << 1) | (1 << 8) | (1 << 15)
_WEBHOOKS = 1 << 5
_VIEW, _SPEAK = (1 << 10) | (1 << 16), (1 << 11) | (1 << 38)
_ME = {"id": str(BOT), "username": "charbot", "discriminator": "0", "global_name": None, "avatar": None, "bot": True}
_NOW = "2026-01-01T00:00:00+00:00"

Json = dict[str, Any]


def _answer(data: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # The client insists on exactly this type, without a charset.
    return web.Response(body=json.dumps(data).encode(), status=status, content_type="application/json", headers=headers)


def _user(id_: int) -> Json:
    return {"id": str(id_), "username": f"user{id_}", "discriminator": "0", "avatar": None, "global_name": None}


def _buttons(body: Json) -> list[Json]:
    return [button for row in body.get("components", []) for button in row["components"]]


@dataclass
class _Line:
    """The gateway's side of a shard, which is one of `count`."""

    socket: web.WebSocketResponse
    count: int
    log: list[Json] = field(default_factory=list)

    async def send(self, payload: Json) -> None:
        """Send a payload, unless the line is broken."""
        if not self.socket.closed:
            with suppress(ConnectionResetError):
                await self.socket.send_json(payload)


@dataclass
class FakeDiscord:
    """It records the bot's requests in `messages`, `edits`, `callbacks`, `synced` and `faults`."""

    may_make_webhooks: bool = True
    locale: str = "en-US"
    """The language of the server and its people."""
    may_react: bool = False
    reactions: list[tuple[int, str]] = field(default_factory=list)
    """Messages that the bot reacted to, and how."""
    mute: set[int] = field(default_factory=set)
    """Channels where the bot may not write, those in their threads too."""
    granted: int = 0
    """Privileged intents that the application has."""
    rights: int = 1 << 10 | 1 << 11 | 1 << 16 | 1 << 38
    """The bot's permissions in the server: to view channels, send messages, read their history, send in threads."""
    channels: dict[int, bool] = field(default_factory=lambda: {1: False, 2: False, 18: True})
    """Channels of the server, and which are age-restricted."""
    threads: dict[int, int] = field(default_factory=dict)
    """Threads of the server, and the channels that they are in."""
    private: set[int] = field(default_factory=set)
    """Threads that are private."""
    messages: list[Json] = field(default_factory=list)
    callbacks: list[Json] = field(default_factory=list)
    edits: list[Json] = field(default_factory=list)
    synced: list[Any] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    webhooks: list[Json] = field(default_factory=list)
    heartbeats: list[float] = field(default_factory=list)
    late: bool = False
    """Commands reach the bot too late to be acknowledged."""
    forgetful: bool = False
    """Sessions cannot be resumed."""
    typed: list[int] = field(default_factory=list)
    """Channels where the bot was shown to type."""
    expired: bool = False
    """Commands are too old to be followed up."""
    port_told: int = 0
    """Where the gateway is said to be, where that is not the truth."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Contents of attached files."""
    removed: list[int] = field(default_factory=list)
    """Messages of its own that the bot deleted."""
    registered: list[Json] = field(default_factory=list)
    """The commands that it has."""
    left: list[int] = field(default_factory=list)
    """Servers that the bot left."""
    deleted: set[int] = field(default_factory=set)
    """Messages that people deleted."""
    resumed: int = 0
    identified: int = 0
    greeting: Callable[[], Coroutine[Any, Any, object]] | None = None
    """Called before the bot knows all its servers."""
    limited: bool = False
    """Keeps Discord's documented limits: 50 requests a second in all, 5 messages in 5 seconds per channel."""
    too_many: list[str] = field(default_factory=list)
    """Requests that were answered 429."""
    refuse: Callable[[str, str], web.Response | None] = lambda method, path: None
    """Answers a request in another way."""
    spoil: Callable[[str, str], web.Response | None] = lambda method, path: None
    """The same once it has had its effect."""
    _requests: deque[float] = field(default_factory=deque)
    _buckets: dict[str, deque[float]] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(time_snowflake(utcnow())))
    _asked: dict[str, float] = field(default_factory=dict)
    _lines: dict[int, _Line] = field(default_factory=dict)
    _intents: int = 0
    _nonces: dict[tuple[str, str], Json] = field(default_factory=dict)
    _pressed: dict[str, Json] = field(default_factory=dict)

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/", self._gateway)
        app.router.add_get("/files/{name}", self._file)
        app.router.add_route("*", "/api/v10/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.Response(body=self.files[name]) if name in self.files else web.Response(status=404)

    def attach(self, name: str, content: bytes | None, kind: str) -> Json:
        """A file of a message; without content it cannot be read."""
        if content is not None:
            self.files[name] = content
        url = f"http://127.0.0.1:{self.port}/files/{name}"
        size = len(content or b"")
        return {"id": str(next(self._ids)), "filename": name, "size": size, "url": url, "proxy_url": url, "content_type": kind}

    # REST

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        method, path = request.method, request.match_info["path"]
        refused = self.refuse(method, path)
        if refused is not None:
            return refused
        headers = self._count(request, method, path) if self.limited else {}
        if "Retry-After" in headers:
            self.too_many.append(f"{method} {path}")
            body = {"message": "You are being rate limited.", "retry_after": float(headers["Retry-After"])}
            return _answer({**body, "global": "X-RateLimit-Global" in headers}, 429, headers)
        answer = await self._taken(request, method, path)
        answer = self.spoil(method, path) or answer
        answer.headers.update(headers)
        return answer

    def _count(self, request: web.Request, method: str, path: str) -> dict[str, str]:
        """The headers about limits of the answer to a request; with Retry-After it is one too many."""
        now = asyncio.get_running_loop().time()
        if "Authorization" in request.headers:
            while self._requests and self._requests[0] <= now - 1:
                self._requests.popleft()
            if len(self._requests) >= 50:
                return {"Via": "1", "Retry-After": f"{self._requests[0] + 1 - now:.3f}", "X-RateLimit-Global": "true"}
            self._requests.append(now)
        if method != "POST" or not path.startswith(("channels/", "webhooks/")):
            return {}
        seconds = 5.0 if path.startswith("channels/") else 2.0
        bucket = self._buckets.setdefault(path, deque())
        while bucket and bucket[0] <= now - seconds:
            bucket.popleft()
        if len(bucket) >= 5:
            return {"Via": "1", "Retry-After": f"{bucket[0] + seconds - now:.3f}", "X-RateLimit-Scope": "user"}
        bucket.append(now)
        reset = bucket[0] + seconds - now
        return {
            "X-RateLimit-Limit": "5", "X-RateLimit-Remaining": str(5 - len(bucket)), "X-RateLimit-Bucket": path.split("/")[-1],
            "X-RateLimit-Reset-After": f"{reset:.3f}", "X-RateLimit-Reset": f"{time.time() + reset:.3f}",
        }  # fmt: skip

    async def _taken(self, request: web.Request, method: str, path: str) -> web.Response:
        parts = path.split("/")
        if parts[0] not in ("interactions", "webhooks") and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _answer({"message": "401: Unauthorized", "code": 0}, 401)
        body = await request.json() if request.can_read_body and "json" in request.content_type else {}
        match (method, *parts):
            case ("GET", "users", "@me"):
                return _answer(_ME)
            case ("GET", "users", "@me", "guilds"):
                return _answer([{"id": str(GUILD), "name": "Demo", "permissions": str(self.rights)}])
            case ("GET", "oauth2", "applications", "@me") | ("GET", "applications", "@me"):
                return _answer(
                    {"id": str(APP), "name": "charbot", "description": "", "icon": None, "bot_public": True, "flags": 0,
                     "bot_require_code_grant": False, "owner": {**_ME, "id": str(OWNER)}, "verify_key": ""}
                )  # fmt: skip
            case ("DELETE", "channels", _, "messages", message):
                hooked = [sent for sent in self.messages if sent["id"] == message and sent["hook"]]
                if hooked:
                    return _answer({"message": "Missing Permissions", "code": 50013}, 403)
                self.removed.append(int(message))
                return web.Response(status=204)
            case ("POST", "users", "@me", "channels"):
                return _answer({"id": "9", "type": 1, "recipients": [_user(int(body["recipient_id"]))], "last_message_id": None})
            case ("DELETE", "users", "@me", "guilds", guild):
                self.left.append(int(guild))
                return web.Response(status=204)
            case ("GET", "gateway", "bot"):
                limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
                return _answer(
                    {"url": f"ws://127.0.0.1:{self.port_told or self.port}/", "shards": 1, "session_start_limit": limit}
                )
            case ("GET", "applications", _, "commands"):
                return _answer(self.registered)
            case ("PUT", "applications", _, "commands"):
                self.synced.append(body)
                new = {"application_id": str(APP), "version": "1", "default_member_permissions": None, "description": ""}
                self.registered = [{**new, **one, "id": str(next(self._ids))} for one in body]
                return _answer(self.registered)
            case ("POST", "channels", channel, "typing" | "messages") if int(channel) in self.mute:
                self.faults.append(f"{method} {path} without permission")
                return _answer({"message": "Missing Permissions", "code": 50013}, 403)
            case ("POST", "channels", channel, "typing"):
                self.typed.append(int(channel))
                return web.Response(status=204)
            case ("PUT", "channels", _, "messages", _, "reactions", _, "@me") if not self.may_react:
                return _answer({"message": "Missing Permissions", "code": 50013}, 403)
            case ("PUT", "channels", _, "messages", message, "reactions", emoji, "@me"):
                self.reactions.append((int(message), emoji))
                return web.Response(status=204)
            case ("GET", "channels", channel, "messages"):
                after = int(request.query["after"])
                later = [one for one in self.messages if one["channel"] == int(channel) and int(one["id"]) > after]
                return _answer([self._read(sent) for sent in reversed(later)])
            case ("GET" | "DELETE", "webhooks", id_, _, "messages", _) if id_ not in [str(APP), *self._hook_ids()]:
                return _answer({"message": "Unknown Webhook", "code": 10015}, 404)
            case ("GET", "webhooks", id_, _, "messages", message):
                found = [one for one in self.messages if (one["hook"], one["id"]) == (id_, message)]
                return _answer({**self._read(found[0]), "content": found[0]["content"]}) if found else _answer({}, 404)
            case ("GET", "channels", channel, "webhooks"):
                return _answer([hook for hook in self.webhooks if hook["channel_id"] == channel])
            case ("POST", "channels", channel, "webhooks"):
                if sum(hook["channel_id"] == channel for hook in self.webhooks) >= 15:
                    return _answer({"message": "Maximum number of webhooks reached (15)", "code": 30007}, 400)
                return _answer(self.add_webhook(int(channel)))
            case ("POST", "webhooks", id_, token) if id_ != str(APP):
                return self._by_webhook(id_, token, body, request.query)
            case ("DELETE", "webhooks", id_, _, "messages", message) if id_ != str(APP):
                if message not in [sent["id"] for sent in self.messages if sent["hook"] == id_]:
                    return _answer({"message": "Unknown Message", "code": 10008}, 404)
                self.messages[:] = [sent for sent in self.messages if sent["id"] != message]
                return web.Response(status=204)
            case ("POST", "channels", channel, "messages"):
                return self._message(channel, body)
            case ("POST", "interactions", id_, _, "callback"):
                return self._callback(id_, body)
            case ("PATCH", "webhooks", _, token, "messages", "@original"):
                self._check(body)
                self.edits.append({**body, "token": token})
                if pressed := self._pressed.get(token):
                    pressed["content"] = body["content"]
                return _answer(self._made(0, body.get("content", "")))
            case ("POST", "webhooks", _, token) if self.expired:
                return _answer({"message": "Invalid Webhook Token", "code": 50027}, 401)
            case ("POST", "webhooks", _, token):
                self._check(body)
                self.edits.append({**body, "token": token})
                return _answer(self._made(0, body.get("content", "")))
        self.faults.append(f"no such call: {method} {path}")
        return _answer({"message": "404: Not Found", "code": 0}, 404)

    def _hook_ids(self) -> list[str]:
        return [hook["id"] for hook in self.webhooks]

    def _message(self, channel: str, body: Json) -> web.Response:
        content = body.get("content") or ""
        self._check(body)
        if not 0 < len(content) <= 2000:
            return _answer({"code": 50035 if content else 50006, "message": "Invalid Form Body"}, 400)
        reference = body.get("message_reference") or {}
        if int(reference.get("message_id", 0)) in self.deleted and reference.get("fail_if_not_exists", True):
            return _answer({"code": 50035, "message": "Unknown message"}, 400)
        nonce = str(body.get("nonce"))
        if body.get("enforce_nonce") and (channel, nonce) in self._nonces:
            return _answer(self._nonces[channel, nonce])
        made = self._made(int(channel), content)
        self._nonces[channel, nonce] = made
        answers = (body.get("message_reference") or {}).get("message_id")
        answers = answers and int(answers)
        sent = {"channel": int(channel), "content": content, "answers": answers, "id": made["id"], "hook": None}
        self.messages.append({**sent, "buttons": _buttons(body)})
        return _answer(made)

    def _by_webhook(self, id_: str, token: str, body: Json, query: Any) -> web.Response:
        self._check(body)
        hook = next((one for one in self.webhooks if one["id"] == id_ and one["token"] == token), None)
        if hook is None:
            return _answer({"message": "Unknown Webhook", "code": 10015}, 404)
        if any(name in body["username"].lower() for name in ("clyde", "discord")) or not 0 < len(body["content"]) <= 2000:
            return _answer({"code": 50035, "message": "Invalid Form Body"}, 400)
        channel = int(query.get("thread_id", hook["channel_id"]))
        if self.threads.get(channel, int(hook["channel_id"])) != int(hook["channel_id"]):
            return _answer({"message": "Unknown Channel", "code": 10003}, 404)
        if body.get("components") and not hook["application_id"]:
            self.faults.append("a button by a webhook of somebody else's")
        made = self._made(channel, body["content"], hook=id_)
        sent = {"channel": channel, "content": body["content"], "answers": None, "id": made["id"], "hook": id_}
        self.messages.append({**sent, "name": body["username"], "avatar": body.get("avatar_url"), "buttons": _buttons(body)})
        return _answer(made)

    def _read(self, sent: Json) -> Json:
        """Return a message as Discord shows it to those who read a channel: those of webhooks are not the bot's."""
        hidden = sent["hook"] and not self._intents & _CONTENT
        found = self._made(sent["channel"], "" if hidden else sent["content"], sent["id"], sent["hook"])
        reference = {"message_id": str(sent["answers"]), "channel_id": str(sent["channel"])}
        return found | ({"message_reference": reference, "type": 19} if sent["answers"] else {})

    def add_webhook(self, channel: int, *, own: bool = True) -> Json:
        """A channel has a webhook more: charbot's, or one that somebody made by hand, whose token it is shown too."""
        hook = {"id": str(next(self._ids)), "type": 1, "channel_id": str(channel), "guild_id": str(GUILD), "name": "charbot",
                "avatar": None, "user": _ME if own else _user(OWNER), "application_id": str(APP) if own else None}  # fmt: skip
        self.webhooks.append({**hook, "token": "secret"})
        return self.webhooks[-1]

    async def move_webhook(self, number: int, channel: int, *, told: bool = True) -> None:
        """Somebody moves a webhook to another channel; the bot is told so, as far as it listens."""
        before = self.webhooks[number]["channel_id"]
        self.webhooks[number]["channel_id"] = str(channel)
        if told and self._intents & _WEBHOOKS:
            for one in (before, channel):
                await self._dispatch("WEBHOOKS_UPDATE", {"guild_id": str(GUILD), "channel_id": str(one)})

    def _check(self, body: Json) -> None:
        if body.get("content") and body.get("allowed_mentions", {}).get("parse") != []:
            self.faults.append(f"a message that may ping: {body}")

    def _made(self, channel: int, content: str, id_: str = "", hook: str | None = None) -> Json:
        by = {"webhook_id": hook, "application_id": str(APP)} if hook else {}
        return {
            **by, "id": id_ or str(next(self._ids)), "type": 0, "content": content, "channel_id": str(channel), "author": _ME,
            "embeds": [], "attachments": [], "components": [], "mentions": [], "mention_roles": [], "mention_everyone": False,
            "pinned": False, "tts": False,
            "timestamp": _NOW, "edited_timestamp": None,
        }  # fmt: skip

    def _callback(self, id_: str, body: Json) -> web.Response:
        asked = self._asked.pop(id_, None)
        if asked is None:
            return _answer({"code": 40060, "message": "Interaction has already been acknowledged."}, 400)
        took = asyncio.get_running_loop().time() - asked
        if took > 3 or self.late:
            return _answer({"code": 10062, "message": "Unknown interaction"}, 404)
        if body["type"] == 4:
            self._check(body["data"])
        self.callbacks.append({"id": int(id_), **body})
        return _answer({"interaction": {"id": id_, "type": 2}, "resource": {"type": body["type"], "message": self._made(1, "")}})

    # The gateway

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 1000}})
        async for frame in socket:
            if frame.type != WSMsgType.TEXT:
                continue
            payload = json.loads(frame.data)
            match payload["op"]:
                case 1:
                    self.heartbeats.append(asyncio.get_running_loop().time())
                    await socket.send_json({"op": 11})
                case 2:
                    self.identified += 1
                    self._intents = payload["d"]["intents"]
                    if payload["d"]["token"] != TOKEN:
                        await socket.close(code=4004)
                        break
                    if self._intents & _PRIVILEGED & ~self.granted:
                        await socket.close(code=4014)
                        break
                    shard, count = payload["d"].get("shard") or (0, 1)
                    self._lines[shard] = _Line(socket, count)
                    await self._greet(shard)
                case 6 if self.forgetful:
                    await socket.send_json({"op": 9, "d": False})
                case 6:
                    shard, sent = int(payload["d"]["session_id"]), payload["d"]["seq"]
                    # What happens meanwhile comes after what was missed.
                    while sent < len(self._lines[shard].log):
                        await socket.send_json(self._lines[shard].log[sent])
                        sent += 1
                    self._lines[shard].socket = socket
                    self.resumed += 1
                    await self._dispatch("RESUMED", {}, shard)
        return socket

    async def _greet(self, shard: int) -> None:
        count = self._lines[shard].count
        ours = self._shard(GUILD) == shard
        ready: Json = {
            "v": 10, "user": _ME, "guilds": [{"id": str(GUILD), "unavailable": True}] if ours else [], "session_id": str(shard),
            "resume_gateway_url": f"ws://127.0.0.1:{self.port}/", "application": {"id": str(APP), "flags": 0},
            "shard": [shard, count],
        }  # fmt: skip
        await self._dispatch("READY", ready, shard)
        if not ours:
            return
        muted = [{"id": str(GUILD), "type": 0, "allow": "0", "deny": str(_SPEAK)}]
        channels = [
            {"id": str(one), "type": 0, "name": f"channel-{one}", "position": 0, "nsfw": nsfw,
             "permission_overwrites": muted if one in self.mute else []}
            for one, nsfw in self.channels.items()
        ]  # fmt: skip
        me = {"user": _ME, "roles": [], "flags": 0, "joined_at": _NOW}
        await self._dispatch(
            "GUILD_CREATE",
            {"id": str(GUILD), "name": "Demo", "owner_id": str(OWNER), "member_count": 2, "unavailable": False,
             "channels": channels, "preferred_locale": self.locale,
             "roles": [{"id": str(GUILD), "name": "@everyone", "permissions": str(_SPEAK | _VIEW), "position": 0, "color": 0,
                        "hoist": False, "managed": False, "mentionable": False},
                       {"id": str(ROLE), "name": "charbot", "permissions": "0", "position": 1, "color": 0, "hoist": False,
                        "managed": True, "mentionable": False, "tags": {"bot_id": _ME["id"]}}],
             "members": [me], "emojis": [], "features": [],
             "threads": [self._thread(one) for one in self.threads]},
            shard,
        )  # fmt: skip
        if self.greeting:
            await self.greeting()

    def _thread(self, id_: int) -> Json:
        about = {"archived": False, "auto_archive_duration": 60, "archive_timestamp": _NOW, "locked": False}
        return {
            "id": str(id_), "type": 12 if id_ in self.private else 11,
            "guild_id": str(GUILD), "parent_id": str(self.threads[id_]), "owner_id": str(OWNER),
            "name": f"thread-{id_}", "last_message_id": None, "message_count": 0, "member_count": 1, "thread_metadata": about,
        }  # fmt: skip

    def _shard(self, guild: int) -> int:
        """The shard that hears of a server, or of direct messages (0)."""
        return (guild >> 22) % next(iter(self._lines.values())).count

    async def _dispatch(self, name: str, data: Json, shard: int | None = None) -> None:
        line = self._lines[self._shard(int(data.get("guild_id") or 0)) if shard is None else shard]
        event = {"op": 0, "t": name, "s": len(line.log) + 1, "d": data}
        line.log.append(event)
        await line.send(event)

    # What people do

    async def say(
        self,
        text: str,
        channel: int = 1,
        author: int = 4000,
        *,
        bot: bool = False,
        answers: Json | None = None,
        webhook: bool = False,
        ping: bool = True,
        twice: bool = False,
        **more: object,
    ) -> int:
        """Somebody writes a message, which the bot may be told `twice`. Its id. In channel 9 it is a direct one; it has
        `more` fields of Discord's."""
        id_ = next(self._ids)
        mentioned = f"<@{BOT}>" in text or (ping and answers is not None)
        to_me = mentioned or channel == 9
        user = {**_user(author), "bot": bot}
        data = {
            **self._made(channel, text if to_me or self._intents & _CONTENT else ""), "id": str(id_), "author": user,
            "mentions": [{**_ME, "member": {"roles": [], "flags": 0, "joined_at": _NOW}}] if mentioned else [],
            "mention_roles": [str(ROLE)] if f"<@&{ROLE}>" in text else [],
        }  # fmt: skip
        if channel != 9:
            data |= {"guild_id": str(GUILD), "member": {"roles": [], "flags": 0, "joined_at": _NOW}}
        if answers:
            reference = {"message_id": answers["id"], "channel_id": str(channel)}
            data |= {"type": 19, "message_reference": reference, "referenced_message": answers}
        if webhook:
            data["webhook_id"] = "77"
        data |= more
        await self._dispatch("MESSAGE_CREATE", data)
        if twice:
            await self._dispatch("MESSAGE_CREATE", data)
        return id_

    async def edit(self, id_: int, text: str, channel: int = 1, author: int = 4000, **more: object) -> None:
        """Somebody edits a message, which mentions the bot and has `more` fields of Discord's."""
        data = {**self._made(channel, text), "id": str(id_), "author": _user(author), "guild_id": str(GUILD), "mentions": [_ME]}
        await self._dispatch("MESSAGE_UPDATE", {**data, "edited_timestamp": _NOW, **more})

    async def delete(self, *ids: int, channel: int = 1) -> None:
        """Somebody deletes messages, one or several at once."""
        self.deleted.update(ids)
        place = {"channel_id": str(channel), "guild_id": str(GUILD)}
        if len(ids) == 1:
            await self._dispatch("MESSAGE_DELETE", {"id": str(ids[0]), **place})
        else:
            await self._dispatch("MESSAGE_DELETE_BULK", {"ids": [str(id_) for id_ in ids], **place})

    async def command(
        self,
        name: str,
        /,
        channel: int = 1,
        author: int = 4000,
        *,
        manager: bool = False,
        where: str = "",
        sub: str = "",
        complete: str = "",
        **options: object,
    ) -> int:
        """Somebody uses a slash command, or has one of its options completed: in the server or else `where`, in a group, or
        in a server that the bot is not in. The interaction's id."""
        id_ = next(self._ids)
        kinds = {str: 3, int: 4, bool: 5, float: 10}
        given: list[Json] = [
            {"name": key, "type": kinds[type(value)], "value": value, **({"focused": True} if key == complete else {})}
            for key, value in options.items()
        ]
        given = [{"name": sub, "type": 1, "options": given}] if sub else given
        data = {"id": "1", "name": name, "type": 1, "options": given}
        more: Json = {"data": data}
        if where == "group":
            more |= {"guild_id": None, "member": None, "user": _user(author), "context": 2,
                     "channel": {"id": str(channel), "type": 3, "recipients": [_user(author)], "name": None, "icon": None,
                                 "owner_id": str(author)}}  # fmt: skip
        elif where:
            more |= {"guild_id": str(GUILD + 9), "guild": {"id": str(GUILD + 9), "locale": "en-US", "features": []}}
        await self._interact(id_, 4 if complete else 2, channel, author, manager, more)
        return id_

    async def press(self, message: Json, author: int = 4000) -> int:
        """Somebody presses the button under a message that the bot sent. The interaction's id."""
        id_ = next(self._ids)
        (button,) = message["buttons"]
        self._pressed[f"token{id_}"] = message
        made = self._made(message["channel"], message["content"], message["id"], message["hook"])
        made["components"] = [{"type": 1, "components": message["buttons"]}]
        data = {"data": {"custom_id": button["custom_id"], "component_type": button["type"]}, "message": made}
        await self._interact(id_, 3, message["channel"], author, False, data)
        return id_

    async def _interact(self, id_: int, kind: int, channel: int, author: int, manager: bool, more: Json) -> None:
        rights = str((1 << 4) | (1 << 11)) if manager else str(1 << 11)
        own = str((0 if channel in self.mute else _SPEAK) | (1 << 29 if self.may_make_webhooks else 0))
        data: Json = {
            "id": str(id_), "application_id": str(APP), "type": kind, "token": f"token{id_}", "version": 1,
            "attachment_size_limit": 1, "guild_id": str(GUILD), "channel_id": str(channel), "locale": self.locale,
            "entitlements": [],
            "channel": {"id": str(channel), "type": 0, "name": f"channel-{channel}", "position": 0, "permissions": rights,
                        "nsfw": self.channels.get(channel, False), "guild_id": str(GUILD)},
            "member": {"user": _user(author), "roles": [], "flags": 0, "permissions": rights, "joined_at": _NOW},
            "app_permissions": own, "authorizing_integration_owners": {}, **more,
        }  # fmt: skip
        self._asked[str(id_)] = asyncio.get_running_loop().time()
        await self._dispatch("INTERACTION_CREATE", {key: value for key, value in data.items() if value is not None})

    async def drop(self, code: int = 4000) -> None:
        """The line to the gateway breaks."""
        await self._lines[self._shard(GUILD)].socket.close(code=code)

    async def reconnect(self) -> None:
        """The gateway asks the bot to connect anew."""
        await self._lines[self._shard(GUILD)].send({"op": 7, "d": None})

    def told(self, id_: int) -> list[str]:
        """Return the answers to a command, immediate and deferred."""
        at_once = [one["data"]["content"] for one in self.callbacks if one["id"] == id_ and one["type"] == 4]
        return at_once + [edit["content"] for edit in self.edits if edit["token"] == f"token{id_}"]

    def said_to(self, id_: int) -> Json:
        """Return the body of the first answer to a command."""
        return next(callback for callback in self.callbacks if callback["id"] == id_)
