"""What is shipped to run the Discord bot for long: as far as it can be tried without the machines that it is for."""

import asyncio
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bots.discord_bot.metrics import Metrics, served
from charbot.config import load_config

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")


def _instructions(name: str) -> list[str]:
    return re.findall(rf"^(?:{name}) (.*)$", DOCKERFILE, re.MULTILINE)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = (DEPLOY / "charbot.service").read_text("utf-8")
    assert unit.count("/opt/charbot/bin/charbot") == 1
    (tmp_path / "charbot.service").write_text(unit.replace("/opt/charbot/bin/charbot", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "charbot.service")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_image_holds_all_that_is_installed() -> None:
    copied = {one for line in _instructions("COPY") for one in line.split()[:-1]}
    assert all((ROOT / one).exists() for one in copied)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages | {"pyproject.toml", "README.md", "scripts_data", "constraints.txt"} <= copied


def test_an_image_is_well_when_the_bot_is() -> None:
    port = load_config(DEPLOY / "config.yaml").discord.metrics_port
    assert port is not None
    (check,) = (line.partition("CMD ")[2] for line in _instructions("HEALTHCHECK"))
    command = [sys.executable if part == "python" else part for part in yaml.safe_load(check)]

    async def status(wrong: str | None) -> int | None:
        async def ailment() -> str | None:
            return wrong

        async with served(Metrics(), ailment, port):
            process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
            await process.wait()
            return process.returncode

    assert asyncio.run(status(None)) == 0
    assert asyncio.run(status("not connected")) != 0


def test_an_image_starts_the_bot() -> None:
    (entry,), (default,) = _instructions("ENTRYPOINT"), _instructions("CMD")
    command = [*yaml.safe_load(entry), *yaml.safe_load(default), "--help"]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "DISCORD_TOKEN" in done.stdout


def test_compose_builds_that_image_and_keeps_its_data() -> None:
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]["charbot"]
    assert (DEPLOY / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).is_file()
    (volume,) = _instructions("VOLUME")
    places = dict(one.split(":")[:2] for one in service["volumes"])
    assert places["data"] == volume
    assert places["./config.yaml"] == f"{volume}/config.yaml", "where charbot reads it"
    assert _instructions("WORKDIR")[-1] == volume
    assert shlex.split(_instructions("ENV")[0]) == [f"XDG_DATA_HOME={volume}"]
