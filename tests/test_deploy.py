"""What is shipped to run the Discord bot for long: as far as it can be tried without the machines that it is for."""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from bots.discord_bot.metrics import Metrics, serve_metrics
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


def test_secrets_and_what_is_not_needed_stay_out_of_an_image() -> None:
    patterns = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and not line.startswith("#")]

    def ignored(path: str) -> bool:
        return any(fnmatch(path, pattern.removeprefix("**/")) for pattern in patterns)

    assert all(map(ignored, (".env", ".env.local", ".git", ".venv", "__pycache__", "charbot.egg-info", "tests")))
    assert not [one for line in _instructions("COPY") for one in line.split()[:-1] if ignored(one)]


@pytest.mark.slow
@pytest.mark.skipif(int(version("setuptools").split(".")[0]) < 77, reason="this setuptools cannot build charbot offline")
def test_an_image_s_steps_make_a_bot_that_has_all_it_needs(tmp_path: Path) -> None:
    here, environment = tmp_path, {name: value for name, value in os.environ.items() if name != "DISCORD_TOKEN"}
    for name, said in re.findall(r"^(WORKDIR|COPY|RUN|ENV) (.*)$", DOCKERFILE, re.MULTILINE):
        if name == "WORKDIR":
            here = tmp_path / said.lstrip("/")
            here.mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            *sources, target = said.split()
            if target.endswith("/"):
                (here / target).mkdir(parents=True, exist_ok=True)
            for source in sources:
                place = tmp_path / target.lstrip("/") if target.startswith("/") else here / target
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, place)
        elif said.startswith("pip install "):
            # Without what it stands on, which is here already.
            offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(tmp_path / "site"), "--quiet", "."]
            subprocess.run([sys.executable, "-m", "pip", "install", *offline], cwd=here, check=True)
        elif name == "ENV":
            variable, value = said.split("=")
            environment[variable] = f"{tmp_path}{value}"
    checked = [sys.executable, "-m", *yaml.safe_load(_instructions("ENTRYPOINT")[0]), *yaml.safe_load(_instructions("CMD")[0])]
    environment["PYTHONPATH"] = str(tmp_path / "site")
    done = subprocess.run([*checked, "--check"], cwd=here, env=environment, capture_output=True, text=True, check=False)
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert "pass  personas" in told, done
    assert "pass  database" in told
    assert (tmp_path / "data" / "charbot" / "discord.db").is_file()
    code = "import bots; from charbot.cli.options import config_of as c; from argparse import Namespace as N; "
    code += "print(bots.__file__, c(N(config=None)).discord.metrics_port)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=here, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(tmp_path / "site" / "bots" / "__init__.py"), "9464"], "where the health check asks"


def test_an_image_is_well_when_the_bot_is() -> None:
    port = load_config(DEPLOY / "config.yaml").discord.metrics_port
    assert port is not None
    (check,) = (line.partition("CMD ")[2] for line in _instructions("HEALTHCHECK"))
    command = [sys.executable if part == "python" else part for part in yaml.safe_load(check)]

    async def status(wrong: str | None) -> int | None:
        async def health_problem() -> str | None:
            return wrong

        async with serve_metrics(Metrics(), health_problem, port):
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
    folder = _instructions("WORKDIR")[-1]
    assert places["./config.yaml"] == f"{folder}/config.yaml", "where charbot reads it"
    assert not folder.startswith(volume), "it is there whatever is mounted for the data"
    assert shlex.split(_instructions("ENV")[0]) == [f"XDG_DATA_HOME={volume}"]


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 1), (2, 0), (78, 0)])
def test_what_does_not_mend_itself_is_not_restarted(tmp_path: Path, code: int, ends: int) -> None:
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]["charbot"]
    assert service["restart"] == "on-failure"
    *shell, script = service["entrypoint"]
    assert script == f"{_instructions('WORKDIR')[-1]}/service.sh"
    program = tmp_path / "charbot"
    program.write_text(f'#!/bin/sh\n[ "$*" = discord ] && exit {code}\nexit 9\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([*shell, str(DEPLOY / "service.sh"), *service["command"]], env=environment, check=False)
    assert done.returncode == ends


def test_a_container_that_is_stopped_stops_charbot(tmp_path: Path) -> None:
    program = tmp_path / "charbot"
    program.write_text(
        f"#!{sys.executable}\nimport signal, sys, time\n"
        "def leave(*_):\n    time.sleep(0.2)\n    print('closed', flush=True)\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, leave)\nprint('ready', flush=True)\nsignal.pause()\n"
    )
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = ["sh", str(DEPLOY / "service.sh"), "discord"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.stdout.readline() == "closed\n"
        assert process.wait(20) == 0
