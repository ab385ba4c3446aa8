import json
from subprocess import Popen
from typing import Any

import pytest

from charbot.cli import main, processes
from charbot.cli.processes import busy_processes, server_process, start_figures
from charbot.errors import CharbotError
from charbot.evaluation import everyday
from charbot.personas.library import Library


def test_busy_processes_end_with_the_block() -> None:
    with busy_processes(2) as started:
        assert [process.poll() for process in started] == [None, None]
    assert None not in [process.returncode for process in started]


@pytest.mark.parametrize("error", [KeyboardInterrupt, CharbotError])
def test_busy_processes_end_when_measuring_does_not_go_well(error: type[BaseException]) -> None:
    seen: list[Popen[bytes]] = []

    def measure() -> None:
        with busy_processes(1) as started:
            seen.extend(started)
            raise error

    with pytest.raises(error):
        measure()
    assert seen[0].returncode is not None


def test_busy_processes_end_when_nobody_ends_them() -> None:
    with busy_processes(1) as started:
        assert started[0].stdin is not None
        # As when this process is killed.
        started[0].stdin.close()
        assert started[0].wait(timeout=60) == 0


def test_the_start_of_fresh_processes_is_timed(shared_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_STARTS", 1)
    found = start_figures("ann", ["--bundles", str(shared_library.folders[0])])
    assert list(found) == ["prompt_s", "first_reply_s"]
    assert min(found.values()) > 0


@pytest.mark.parametrize(("start", "told"), [("_prompt", "no persona called 'nobody'"), ("_first_reply", "see above")])
def test_a_start_that_fails_is_told(start: str, told: str) -> None:
    with pytest.raises(CharbotError, match=told):
        getattr(processes, start)("nobody", [])


@pytest.mark.parametrize("as_json", [True, False])
def test_bench_reply_prints_all_figures(
    as_json: bool, shared_library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    starts: list[Any] = []

    def start(persona: str, options: list[str]) -> dict[str, float]:
        starts.append((persona, options))
        return {"prompt_s": 0.25, "first_reply_s": 1.5}

    monkeypatch.setattr(processes, "start_figures", start)
    monkeypatch.setattr(everyday, "everyday_messages", lambda: ["Hi", "Bye"])
    bundles = ["--bundles", str(shared_library.folders[0])]
    assert main(["bench", "reply", "ann", "--beside", "1", *bundles, *(["--json"] if as_json else [])]) == 0
    assert starts == [("ann", bundles)]
    out = capsys.readouterr().out
    if as_json:
        figures = json.loads(out)
        assert (figures["persona"], figures["busy_processes"], figures["replies"]) == ("Ann", 1, 2)
        assert {"p50_ms", "p95_ms", "p99_ms", "longest_ms", "replies_per_second_at_64"} <= set(figures)
    else:
        assert "busy processes               1\nprompt s                     0.25\nfirst reply s                1.5\n" in out


def test_fewer_than_no_processes_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "reply", "ann", "--beside", "-1"]) == 2
    assert "--beside" in capsys.readouterr().err


def test_bench_serve_prints_the_figures_of_a_server_of_its_own(
    shared_library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bots.server import bench

    monkeypatch.setattr(bench, "_CLIENTS", (2,))
    monkeypatch.setattr(bench, "_ROUNDS", 1)
    bundles = ["--bundles", str(shared_library.folders[0])]
    assert main(["bench", "serve", "ann", "--requests", "3", "--json", *bundles]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["persona"], figures["requests"]) == ("Ann", 3)
    assert {"engine_replies_per_second_at_2", "server_replies_per_second_at_2", "first_byte_ms", "memory_mb"} <= set(figures)


def test_a_server_that_does_not_start_is_told() -> None:
    with pytest.raises(CharbotError, match="did not start"), server_process(["--bundles", "nowhere"]):
        pass


def test_fewer_than_one_request_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "serve", "ann", "--requests", "0"]) == 2
    assert "--requests" in capsys.readouterr().err
