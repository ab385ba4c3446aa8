import asyncio
import time

from bots.discord_bot.rate_limiter import RateLimiter
from tests.bots.discord_bot.harness import run


@run
async def test_requests_pass_in_order_and_at_the_rate() -> None:
    limiter, passed = RateLimiter(100.0), list[tuple[int, float]]()
    assert not limiter.is_busy

    async def send(number: int) -> None:
        await limiter.wait()
        passed.append((number, time.monotonic()))

    began = time.monotonic()
    await asyncio.gather(*(send(number) for number in range(14)))
    assert [number for number, _ in passed] == list(range(14))
    # Four pass at once, and each of the others after another hundredth of a second: never before.
    assert all(at - began > (number - 3.1) / 100 for number, at in passed)
    assert limiter.is_busy


@run
async def test_after_a_stall_of_the_loop_no_more_pass_at_once_than_after_a_pause() -> None:
    limiter, passed = RateLimiter(100.0), list[float]()

    async def send() -> None:
        await limiter.wait()
        passed.append(time.monotonic())

    sends = [asyncio.create_task(send()) for _ in range(30)]
    await asyncio.sleep(0.02)
    time.sleep(0.15)  # The stall.
    await asyncio.gather(*sends)
    for number, began in enumerate(passed):
        assert all(at - began > (later - 3.1) / 100 for later, at in enumerate(passed[number:]))
