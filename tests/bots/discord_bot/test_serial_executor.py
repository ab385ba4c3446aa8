import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.timings import Timings
from charbot.errors import BusyError
from charbot.personas.library import Library
from tests.bots.discord_bot.harness import run, stage

_HANGS = """
import asyncio, threading
from bots.discord_bot.serial_executor import SerialExecutor

async def main():
    disk = SerialExecutor("store")
    task = asyncio.create_task(disk.run(threading.Event().wait))
    await asyncio.sleep(0)
    await disk.close(0.1)

asyncio.run(main())
"""


@run
async def test_calls_run_in_order_and_pending_calls_finish_before_close() -> None:
    worker, free, done = SerialExecutor("test"), threading.Event(), list[int]()

    def fail() -> None:
        raise ValueError("on purpose")

    first = asyncio.create_task(worker.run(free.wait))
    others = [asyncio.create_task(worker.run(done.append, number)) for number in range(3)]
    failing = asyncio.create_task(worker.run(fail))
    await asyncio.sleep(0)
    others[1].cancel()
    await asyncio.wait([others[1]])
    free.set()
    await worker.close()
    assert done == [0, 2]
    assert await first
    with pytest.raises(ValueError, match="on purpose"):
        await failing
    await worker.close()
    with pytest.raises(RuntimeError, match="nothing is done any more"):
        await worker.run(fail)


@run
async def test_cancelled_calls_free_their_slots_and_those_that_run_keep_them() -> None:
    worker, free = SerialExecutor("test", 2), threading.Event()
    running, waiting = (asyncio.create_task(worker.run(free.wait, 60)) for _ in range(2))
    await asyncio.sleep(0.05)
    for _ in range(5):
        with pytest.raises(BusyError):
            await worker.run(free.wait)
        waiting.cancel()
        await asyncio.wait([waiting])
        await asyncio.sleep(0)
        waiting = asyncio.create_task(worker.run(free.wait, 60))
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    with pytest.raises(BusyError):
        await worker.run(free.wait)
    free.set()
    assert await waiting
    for _ in range(5):
        assert await asyncio.gather(*(worker.run(free.wait) for _ in range(2))) == [True, True]
    await worker.close()


def test_a_program_ends_though_its_worker_hangs() -> None:
    subprocess.run([sys.executable, "-c", _HANGS], cwd=Path(__file__).parents[3], check=True, timeout=60)


@run
async def test_a_bot_closes_though_its_disk_hangs(
    shared_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    free = threading.Event()
    async with stage(shared_library, tmp_path, timings=Timings(flushing=0.1)) as on:
        hanging = asyncio.create_task(on.bot._disk.run(free.wait))
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(on.bot.close(), 30)
        finally:
            free.set()
            await hanging
    assert "left in the middle of it: store" in caplog.text
