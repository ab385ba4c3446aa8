import asyncio

from bots.discord_bot.channel_queues import ChannelQueues


def test_calls_are_sequential_per_channel_and_concurrent_across_channels() -> None:
    async def run() -> None:
        answered: list[tuple[int, int]] = []
        gate = asyncio.Event()

        async def answer(call: tuple[int, int]) -> None:
            if call == (1, 0):
                await gate.wait()
            answered.append(call)

        desk = ChannelQueues(answer, waiting=3)
        taken = [desk.put(channel, (channel, number)) for number in range(5) for channel in (1, 2)]
        assert taken == [True] * 8 + [False] * 2
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert answered == [(2, number) for number in range(4)]
        gate.set()
        await desk.close(5)
        assert answered[4:] == [(1, number) for number in range(4)]
        assert not desk.put(1, (1, 9))

    asyncio.run(run())


def test_nobody_waits_for_ever_when_it_closes() -> None:
    async def run() -> None:
        ended = asyncio.Event()

        async def answer(call: int) -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                ended.set()

        desk = ChannelQueues(answer, waiting=1)
        desk.put(1, 1)
        await asyncio.sleep(0)
        await desk.close(0.01)
        await asyncio.wait_for(ended.wait(), 5)

    asyncio.run(run())
