"""The whole program against a Discord on loopback: it starts, is told to stop, and says what is wrong."""

import asyncio
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bots.discord_bot.bot import Shards
from bots.discord_bot.channel_settings import ChannelSettings
from bots.discord_bot.restarts import Restarts
from bots.discord_bot.run import check, shards, token
from bots.discord_bot.store import Store
from charbot.config import Config, DiscordSettings
from charbot.errors import ConfigError, UsageError
from charbot.personas.library import Library
from tests.bots.discord_bot.fake_discord import APP, BOT, GUILD, TOKEN, FakeDiscord
from tests.bots.discord_bot.harness import run
from tests.bots.discord_bot.test_metrics import free_port

LAUNCH = """
import discord, sys, yarl
discord.http.Route.BASE = "http://127.0.0.1:{port}/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL("ws://127.0.0.1:{port}/")
from charbot.cli import main
sys.exit(main(sys.argv[1:]))
"""


@asynccontextmanager
async def started(
    fake: FakeDiscord, library: Library, folder: Path, *more: str, token: str = TOKEN, port: int | None = None
) -> AsyncIterator[Process]:
    environment = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(Path(__file__).parents[3]), "DISCORD_TOKEN": token}
    environment.pop("XDG_DATA_HOME", None)
    (folder / "config.yaml").write_text(f"discord: {{persona: ann, cooldown: 0, metrics_port: {port or 'null'}}}\n")
    command = ["-W", "ignore", "-c", LAUNCH.format(port=fake.port), "discord", "--bundles", str(library.folders[0]), *more]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environment, cwd=folder, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until(fake: FakeDiscord, count: int) -> None:
    for _ in range(3000):
        if len(fake.messages) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(fake.messages, fake.faults)


@run
async def test_it_answers_and_survives_being_killed_and_stops_when_told(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    await fake.start()
    async with started(fake, shared_library, tmp_path) as process:
        while not fake.identified:
            await asyncio.sleep(0.01)
        first = await fake.say(f"<@{BOT}> Where is the kettle?")
        await _until(fake, 1)
        second = await fake.say(f"<@{BOT}> And the tea?")
        await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
    async with started(fake, shared_library, tmp_path) as process:
        third = await fake.say(f"<@{BOT}> Are you back?") if fake.identified > 1 else None
        while fake.identified < 2:
            await asyncio.sleep(0.01)
        third = third or await fake.say(f"<@{BOT}> Are you back?")
        for _ in range(3000):
            if third in [one["answers"] for one in fake.messages]:
                break
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, told = await process.communicate()
        assert process.returncode == 0, told.decode()
        assert TOKEN not in told.decode()
        assert "Traceback" not in told.decode()
    answered = [one["answers"] for one in fake.messages]
    assert first in answered
    assert third in answered
    assert answered.count(second) <= 1, "killed in the middle of it, it is not answered twice"
    await fake.stop()


@run
async def test_it_says_how_it_is_doing(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    await fake.start()
    port = free_port()
    async with started(fake, shared_library, tmp_path, port=port) as process, aiohttp.ClientSession() as session:

        async def asked(path: str) -> tuple[int, str]:
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                return answer.status, await answer.text()

        while not fake.identified:
            await asyncio.sleep(0.01)
        assert await asked("/health") == (503, "not connected to Discord\n"), "it has not seen its servers yet"
        await fake.say(f"<@{BOT}> Where is the kettle?")
        await _until(fake, 1)
        for _ in range(1000):
            if await asked("/health") == (200, "well\n"):
                break
            await asyncio.sleep(0.01)
        else:
            raise AssertionError(await asked("/health"))
        assert 'charbot_calls_total{outcome="answered"} 1.0' in (await asked("/metrics"))[1]
        process.send_signal(signal.SIGTERM)
        _, told = await process.communicate()
    logged = [json.loads(line) for line in told.decode().splitlines()]
    assert any(one["message"].startswith("ready as charbot") for one in logged)
    await fake.stop()


@run
async def test_it_stops_when_told_where_discord_cannot_be_reached(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord(port_told=1)
    await fake.start()
    async with started(fake, shared_library, tmp_path) as process:
        while not fake.synced:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 15)
        assert process.returncode == 0
    await fake.stop()


@run
async def test_a_bad_token_is_two_lines_and_exit_code_78(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    await fake.start()
    async with started(fake, shared_library, tmp_path, token="wrong.token") as process:
        _, told = await process.communicate()
        assert process.returncode == 78
        assert told.decode().strip().splitlines()[-2].startswith("charbot: Discord refuses the token")
        assert "wrong.token" not in told.decode()
        assert "Traceback" not in told.decode()
    await fake.stop()


@run
async def test_a_token_that_is_reset_while_it_runs_is_a_bad_one(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    await fake.start()
    async with started(fake, shared_library, tmp_path) as process:
        while not fake.identified:
            await asyncio.sleep(0.01)
        await fake.drop(4004)
        _, told = await process.communicate()
        assert process.returncode == 78
        assert told.decode().strip().splitlines()[-2].startswith("charbot: Discord refuses the token")
    await fake.stop()


@run
async def test_check_and_invite(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    await fake.start()
    async with started(fake, shared_library, tmp_path, "--invite") as process:
        told, _ = await process.communicate()
        assert f"client_id={10**16}" in told.decode()
        assert "scope=bot+applications.commands" in told.decode()
        assert f"permissions={fake.rights | 1 << 6}" in told.decode().strip().split("?")[1].split("&")
    async with started(fake, shared_library, tmp_path, "--check") as process:
        told, _ = await process.communicate()
        assert process.returncode == 0
        assert [line.split(":")[0] for line in told.decode().splitlines()] == [
            "pass  token", "pass  message content", "pass  permissions", "pass  personas", "pass  pictures", "pass  database",
        ]  # fmt: skip
    async with started(fake, shared_library, tmp_path, "--check", token="wrong") as process:
        told, _ = await process.communicate()
        assert process.returncode == 1
        assert "FAIL  token: Discord refuses" in told.decode()
        assert "FAIL  permissions: could not be asked" in told.decode()
    await fake.stop()


@run
async def test_the_second_of_two_with_one_token_stops_and_says_why(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    await fake.start()
    async with started(fake, shared_library, tmp_path):
        while not fake.identified:
            await asyncio.sleep(0.01)
        async with started(fake, shared_library, tmp_path) as second:
            _, told = await second.communicate()
            assert second.returncode == 1
            assert told.decode().strip().splitlines()[-1].startswith("charbot: another charbot runs with this token")
            assert fake.identified == 1
    await fake.stop()


@run
async def test_check_names_the_permissions_that_are_missing(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord(rights=1 << 10 | 1 << 16)
    await fake.start()
    async with started(fake, shared_library, tmp_path, "--check") as process:
        told = (await process.communicate())[0].decode()
        assert process.returncode == 1
        assert "FAIL  permissions: Demo: no send messages, send messages in threads\n" in told
        assert "permissions=274877975616" in told, "the link that gives them"
    fake.rights = 1 << 10 | 1 << 11 | 1 << 16 | 1 << 38
    store = Store(f"sqlite:///{tmp_path / '.local' / 'share' / 'charbot' / 'discord.db'}", APP)
    store.set_place(1, ChannelSettings(webhooks=True), GUILD)
    store.close()
    async with started(fake, shared_library, tmp_path, "--check") as process:
        assert "FAIL  permissions: Demo: no manage webhooks\n" in (await process.communicate())[0].decode()
    fake.rights = 1 << 3
    async with started(fake, shared_library, tmp_path, "--check") as process:
        assert "pass  permissions: it has what it needs in 1 server" in (await process.communicate())[0].decode()
    await fake.stop()


def _checked(library: Library, capsys: pytest.CaptureFixture[str], **settings: Any) -> list[str]:
    """Return the output lines of --check without a token."""
    assert not check(lambda: Library(library.folders), Config(discord=DiscordSettings(**{"persona": "ann", **settings})))
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def _no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


@pytest.mark.usefixtures("_no_token")
def test_check_claims_nothing_that_it_could_not_ask(shared_library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    told = _checked(shared_library, capsys, message_content=True)
    assert "FAIL  message content: could not be asked" in told
    assert "FAIL  permissions: could not be asked" in told


@pytest.mark.usefixtures("_no_token")
@pytest.mark.parametrize(
    "damaged",
    [
        "personas/ann/word.safetensors",
        "personas/ann/guard.safetensors",
        "bases/word/weights.safetensors",
        "bases/word/vocabulary.json",
        "bases/word",
    ],
)
def test_check_finds_a_damaged_persona(library: Library, capsys: pytest.CaptureFixture[str], damaged: str) -> None:
    assert "pass  personas: 1, ann where nobody has chosen" in _checked(library, capsys)
    path = library.folders[0] / damaged
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    (told,) = [line for line in _checked(library, capsys) if "personas" in line.split(":")[0]]
    assert told.startswith("FAIL  personas: ")
    assert "train" in told, "it says what to do"


@pytest.mark.usefixtures("_no_token")
def test_check_loads_no_models(shared_library: Library, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from bots.discord_bot.run import check
from charbot.config import Config, DiscordSettings
from charbot.personas.library import Library
check(lambda: Library((Path({str(shared_library.folders[0])!r}),)), Config(discord=DiscordSettings(persona="ann")))
assert "torch" not in sys.modules
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "pass  personas: 1" in done.stdout


@pytest.mark.usefixtures("_no_token")
def test_check_finds_pictures_without_an_address(shared_library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    told = _checked(shared_library, capsys, avatars={"ann": "ann.png"})
    assert "FAIL  pictures: `discord.avatars`: ann is 'ann.png'; it must be an address: https://..." in told


@pytest.mark.usefixtures("_no_token")
def test_check_finds_a_disk_that_takes_nothing_more(
    shared_library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    store = Store(url)
    most, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        # What SQLite keeps beside the database is as long as a file may now be, so it can be read, and not written.
        store.set_meta("filled", "x" * 2**16)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**15, hard))
        told = _checked(shared_library, capsys, database=url)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        store.close()
    assert [line for line in told if line.startswith("FAIL  database: ")], told


def test_shards_are_read_or_refused() -> None:
    assert shards("0-3/16") == Shards((0, 1, 2, 3), 16)
    assert shards("2/4") == Shards((2,), 4)
    assert len(shards("0-999/100000").ids) == 1000
    for wrong in ("4/4", "3-1/4", "0-3", "all", "-1/4", "0-999999999", f"0/{'9' * 5000}"):
        with pytest.raises(UsageError, match="0-3/16") as caught:
            shards(wrong)
        assert len(str(caught.value)) < 200
    for many in ("0-99999999/100000000", "0-1000/2000", "0/100001"):
        with pytest.raises(UsageError, match="COUNT is at most 100000, of which one process serves at most 1000"):
            shards(many)


def test_without_a_token_it_says_where_to_get_one(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DISCORD_TOKEN"} | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "charbot", "discord"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 78
    assert "no DISCORD_TOKEN" in done.stderr


def test_the_token_is_read_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    (tmp_path / ".env").write_text("DISCORD_TOKEN=from.a.file\n")
    assert token() == "from.a.file"
    (tmp_path / ".env").write_text("DISCORD_TOKEN=from.a.file\n", "utf-16")
    with pytest.raises(ConfigError, match=r"\.env: is not UTF-8 text"):
        token()


@run
async def test_it_stops_in_bounded_time_whatever_hangs(tmp_path: Path) -> None:
    code = "import threading; from bots.discord_bot.run import _exit_after; _exit_after(0.1); threading.Event().wait()"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=Path(__file__).parents[3], stderr=PIPE)
    _, told = await process.communicate()
    assert process.returncode == 1
    assert "not stopped within" in told.decode()


@run
async def test_it_waits_before_it_logs_in_too_often(shared_library: Library, tmp_path: Path) -> None:
    fake = FakeDiscord()
    await fake.start()
    (tmp_path / ".local" / "share" / "charbot").mkdir(parents=True)
    store = Store(f"sqlite:///{tmp_path / '.local' / 'share' / 'charbot' / 'discord.db'}")
    for _ in range(5):
        Restarts(store, "").begin()
    async with started(fake, shared_library, tmp_path) as process:
        assert process.stderr is not None
        assert b"started often in the last hour: waiting 40 seconds" in await process.stderr.readline()
        assert fake.identified == 0
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)
    assert Restarts(store, "").begin() == 0, "told to stop, it did not fail"
    store.close()
    await fake.stop()
