"""The whole command: it starts, is told to stop, and says what is wrong."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from bots.server.run import _listening, api_key
from charbot.cli import main
from charbot.errors import CharbotError, ConfigError
from charbot.personas.library import Library
from tests.bots.server.conftest import ASKED, KEY


@contextmanager
def started(library: Library, folder: Path, *more: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "charbot", "serve", "--port", "0", "--bundles", str(library.folders[0]), *more]
    settings = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(Path(__file__).parents[3]), **environment}
    process = subprocess.Popen(command, cwd=folder, env=settings, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        try:
            yield process
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    """Return the address that the command prints."""
    assert process.stdout is not None
    address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert address is not None
    return address[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_until_it_is_told_to_stop(company: Library, tmp_path: Path, number: signal.Signals) -> None:
    with started(company, tmp_path) as process:
        assert httpx.post(f"{_address(process)}/v1/chat/completions", json=ASKED, timeout=60).status_code == 200
        process.send_signal(number)
        assert process.wait(60) == 0
        assert process.communicate() == ("", "")


def test_a_reply_in_progress_is_finished_before_it_stops(company: Library, tmp_path: Path) -> None:
    with started(company, tmp_path) as process:
        address = _address(process)
        with httpx.stream("POST", f"{address}/v1/chat/completions", json={**ASKED, "stream": True}, timeout=60) as response:
            lines = response.iter_lines()
            next(lines)
            # The reply is not there yet: the first event only says that it will come.
            process.terminate()
            assert [line for line in lines if line][-1] == "data: [DONE]"
        assert process.wait(60) == 0


def test_other_machines_are_served_with_a_key_alone(company: Library, tmp_path: Path) -> None:
    with started(company, tmp_path, "--host", "0.0.0.0") as process:
        _, problem = process.communicate(timeout=60)
        assert process.returncode == 78
        assert "CHARBOT_API_KEY" in problem
        assert "Traceback" not in problem
    (tmp_path / ".env").write_text(f"CHARBOT_API_KEY={KEY}\n")
    with started(company, tmp_path, "--host", "0.0.0.0") as process:
        assert process.stdout is not None
        port = re.search(r":(\d+),", process.stdout.readline())
        assert port is not None
        address = f"http://127.0.0.1:{port[1]}/v1/models"
        assert httpx.get(address).status_code == 401
        assert httpx.get(address, headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
        process.terminate()
        assert KEY not in "".join(process.communicate(timeout=60))


def test_a_port_that_cannot_be_used_is_told(company: Library, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with started(company, tmp_path, "--port", port) as process:
            _, problem = process.communicate(timeout=60)
            assert process.returncode == 1
            assert f"127.0.0.1, port {port}" in problem
            assert "Traceback" not in problem


@pytest.mark.parametrize("port", ["-1", "65536", "99999999999999999999"])
def test_a_port_out_of_range_is_told(capsys: pytest.CaptureFixture[str], port: str) -> None:
    assert main(["serve", "--port", port]) == 2
    assert capsys.readouterr().err == "charbot: --port must be 0 to 65535\n"


@pytest.mark.parametrize("host", ["my..host", "x" * 64])
def test_a_host_that_is_no_name_is_told(host: str) -> None:
    with pytest.raises(CharbotError, match=rf"^{re.escape(host)}, port 0: "):
        _listening(host, 0)


def test_the_body_of_a_response_does_not_wait_for_the_acknowledgement_of_its_head() -> None:
    with _listening("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHARBOT_API_KEY", raising=False)
    assert api_key() is None
    (tmp_path / ".env").write_text("CHARBOT_API_KEY=from-the-file\n")
    assert api_key() == "from-the-file"
    monkeypatch.setenv("CHARBOT_API_KEY", "from-the-environment")
    assert api_key() == "from-the-environment"
    monkeypatch.delenv("CHARBOT_API_KEY")
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        api_key()


def test_spaces_at_the_ends_are_no_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARBOT_API_KEY", f" {KEY}\n")
    assert api_key() == KEY


@pytest.mark.parametrize(
    ("key", "problem"),
    [("", "is empty"), ("  ", "is empty"), ("schl\u00fcssel", "of ASCII"), ("\N{KEY}", "of ASCII"), ("a\tb", "of ASCII")],
)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_key_that_no_client_could_send_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, key: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHARBOT_API_KEY", raising=False)
    if place == "environment":
        monkeypatch.setenv("CHARBOT_API_KEY", key)
    else:
        (tmp_path / ".env").write_text(f"CHARBOT_API_KEY='{key}'\n", "utf-8")
    with pytest.raises(ConfigError, match=f"^CHARBOT_API_KEY .*{problem}"):
        api_key()


@pytest.mark.parametrize(
    ("package", "command"), [("fastapi", ["serve"]), ("uvicorn", ["serve"]), ("starlette", ["bench", "serve", "joey"])]
)
def test_without_the_extra_it_says_how_to_install_it(package: str, command: list[str]) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from charbot.cli import main; sys.exit(main({command}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"charbot: this needs {package}: pip install 'charbot[serve]'\n"
