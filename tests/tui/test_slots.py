"""So many at a time: never more, first come first, and none is lost, however many give up while they wait."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from qwentui.tui.slots import Slots

_ACTIONS = st.lists(
    st.tuples(st.sampled_from(["come", "leave", "give up", "limit"]), st.integers(0, 9)), max_size=40
)


class _Guest:
    def __init__(self, slots: Slots) -> None:
        self.inside = False
        self.go = asyncio.Event()
        self.task = asyncio.create_task(self._stay(slots))

    async def _stay(self, slots: Slots) -> None:
        async with slots:
            self.inside = True
            try:
                await self.go.wait()
            finally:
                self.inside = False


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def _play(actions: list[tuple[str, int]]) -> None:
    slots, guests = Slots(2), []
    for action, number in actions:
        before = sum(guest.inside for guest in guests)
        if action == "come":
            guests.append(_Guest(slots))
        elif action == "limit":
            slots.limit = number % 4 + 1
        elif guests:
            guest = guests.pop(number % len(guests))
            guest.go.set() if action == "leave" else guest.task.cancel()
            before -= guest.inside
        await _settle()
        inside = [guest.inside for guest in guests]
        assert sum(inside) <= max(slots.limit, before)
        # Whoever waits does so because all places are taken, and behind those who came before.
        assert sum(inside) >= min(slots.limit, len(guests))
        assert inside == sorted(inside, reverse=True)
    slots.limit = len(guests) + 1
    for guest in guests:
        guest.go.set()
    await asyncio.gather(*(guest.task for guest in guests))


@settings(max_examples=150, deadline=None)
@given(_ACTIONS)
def test_places_are_given_in_turn_and_come_back(actions: list[tuple[str, int]]) -> None:
    asyncio.run(_play(actions))


async def test_a_place_that_comes_as_its_guest_gives_up_goes_to_the_next() -> None:
    slots = Slots(1)
    first, second, third = (_Guest(slots) for _ in range(3))
    await _settle()
    first.go.set()
    await asyncio.sleep(0)
    second.task.cancel()
    await _settle()
    assert third.inside
    third.go.set()
    await asyncio.gather(first.task, third.task)
