"""Long work on files, in a thread that tells how far it is and stops when it is called off."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class _Stopped(Exception):
    """The work was called off."""


async def in_thread(work: Callable[[Callable[[int], None]], T], report: Callable[[int], None]) -> T:
    """Do `work` in a thread, with `report` called in the loop; when cancelled, wait until it has stopped.

    `work` must call the function that it is given now and then; it raises when the work is called off.
    """
    loop = asyncio.get_running_loop()
    called_off = threading.Event()

    def step(done: int) -> None:
        if called_off.is_set():
            raise _Stopped
        loop.call_soon_threadsafe(report, done)

    running = asyncio.ensure_future(asyncio.to_thread(work, step))
    try:
        return await asyncio.shield(running)
    finally:
        called_off.set()
        await asyncio.wait([running])
        running.exception()  # taken, so that asyncio does not complain about one that nobody saw
