"""How fast bytes move, and how long the rest will take."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOW = 8.0  # seconds over which the rate is taken: long enough to be calm, short enough to follow
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_LONGEST = 100 * 3600


class Transfer:
    """One thing on its way.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._points: deque[tuple[float, int]] = deque()

    def add(self, done: int) -> None:
        """Say that `done` bytes are there by now; fewer than before begin anew."""
        now = self._clock()
        if self._points and done < self._points[-1][1]:
            self._points.clear()
        self._points.append((now, done))
        while now - self._points[0][0] > _WINDOW and len(self._points) > 2:  # noqa: PLR2004 - two make a rate
            self._points.popleft()

    @property
    def rate(self) -> float | None:
        """Bytes a second of late; None when that cannot be told yet."""
        if not self._points:
            return None
        (first, before), (last, now) = self._points[0], self._points[-1]
        return (now - before) / (last - first) if last > first else None

    def remaining(self, total: int) -> float | None:
        """Seconds until `total` bytes are there, at this rate; None when that cannot be told."""
        rate = self.rate
        return (total - self._points[-1][1]) / rate if rate and self._points else None

    def line(self, total: int) -> str:
        """What is to be said of it: "5.2 of 19.8 GB · 512 MB/s · 0:28 left"."""
        done = self._points[-1][1] if self._points else 0
        size, unit = _unit(total)
        parts = [
            _("{done:.1f} of {total:.1f} {unit}").format(done=done / size, total=total / size, unit=unit)
        ]
        rate, left = self.rate, self.remaining(total)
        if rate is not None:
            parts.append(f"{byte_text(rate)}/s")
        if left is not None and left < _LONGEST:
            parts.append(_("{time} left").format(time=clock_text(left)))
        return " · ".join(parts)


def byte_text(count: float) -> str:
    """A number of bytes in decimal units: "19.8 GB", "512 kB"."""
    size, unit = _unit(count)
    value = count / size
    return f"{value:.1f} {unit}" if unit == "GB" or 0 < value < 10 else f"{value:.0f} {unit}"  # noqa: PLR2004


def clock_text(seconds: float) -> str:
    """A duration as "0:28" or "1:05:09"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _unit(count: float) -> tuple[float, str]:
    return next(((size, unit) for size, unit in _UNITS if count >= size), (1e3, "kB"))
