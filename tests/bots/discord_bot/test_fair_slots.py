import asyncio

from bots.discord_bot.fair_slots import FairSlots
from tests.bots.discord_bot.harness import run


@run
async def test_servers_and_their_users_get_their_turns() -> None:
    slots, order = FairSlots(1), list[tuple[int, int, int]]()

    async def work(guild: int, user: int, number: int) -> None:
        async with slots.slot(guild, user):
            order.append((guild, user, number))
            await asyncio.sleep(0)

    flood = [(1, 10, number) for number in range(4)]
    others = [(1, 11, 0), (2, 20, 0), (2, 20, 1)]
    await asyncio.gather(*(work(*call) for call in [*flood, *others]))
    assert order == [(1, 10, 0), (1, 10, 1), (2, 20, 0), (1, 11, 0), (2, 20, 1), (1, 10, 2), (1, 10, 3)]


@run
async def test_who_leaves_takes_no_slot_along() -> None:
    slots = FairSlots(1)

    async def work() -> None:
        async with slots.slot(1, 1):
            await asyncio.sleep(0.01)

    first, second, third = (asyncio.create_task(work()) for _ in range(3))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait_for(asyncio.gather(first, third), 10)
    fourth, fifth = asyncio.create_task(work()), asyncio.create_task(work())
    await fourth
    fifth.cancel()
    await asyncio.gather(fifth, return_exceptions=True)
    await asyncio.wait_for(work(), 10)
