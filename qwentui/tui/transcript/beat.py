"""When the transcript is drawn: some times a second while something changes, and never while nothing does."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# How long one slice of layout may take, in seconds, before keys get their turn.
_SLICE = 0.004


class Beat:
    """Calls `work` and `paint` in frames.

    Attributes:
        fps: Frames a second, at most.
        ready: Whether the terminal has taken in the frames before; frames are skipped while it has not.
    """

    def __init__(self, fps: int, work: Callable[[float], bool], paint: Callable[[], None]) -> None:
        """Prepare a beat.

        Args:
            fps: Frames a second, at most.
            work: Does what is to be done until the deadline it is given (of `perf_counter`), and says
                whether more is left.
            paint: Shows what the work changed.
        """
        self.ready: Callable[[], bool] = lambda: True
        self.fps = fps
        self._work = work
        self._paint = paint
        self._dirty = asyncio.Event()

    def mark(self) -> None:
        """Something changed: a frame is due."""
        self._dirty.set()

    async def run(self) -> None:
        """Beat until cancelled; between changes it only waits.

        A frame out of turn (a clock ticks, a notice comes) delays the one after it only if that would
        be the second within a period.
        """
        paid = due = 0.0
        while True:
            await self._dirty.wait()
            # Also without a rest others get their turn: what the next frame waits for may be their work.
            await asyncio.sleep(max(due - perf_counter(), 0.0))
            if not self.ready():
                due = perf_counter() + 1 / self.fps
                continue
            self._dirty.clear()
            due = max(paid, perf_counter())
            paid = due + 1 / self.fps
            more = self._work(perf_counter() + _SLICE)
            self._paint()
            if more:
                # What the slices until the next frame do is drawn by that one.
                self._dirty.set()
            while more and perf_counter() < due:
                await asyncio.sleep(0)
                more = self._work(perf_counter() + _SLICE)
