"""Tokens a second of late, by the records that come."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOW = 1.0


class Rate:
    """Counts what came within the last second; Ollama sends a record for each token, others may send more.

    Args:
        clock: Seconds of a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._moments: deque[float] = deque()

    def heard(self) -> None:
        """A token came."""
        now = self._clock()
        self._moments.append(now)
        while self._moments[0] < now - _WINDOW:
            self._moments.popleft()

    def per_second(self) -> float | None:
        """The tokens of the last second; None where none came, or too few to tell."""
        start = self._clock() - _WINDOW
        while self._moments and self._moments[0] < start:
            self._moments.popleft()
        if len(self._moments) < 2:  # noqa: PLR2004 - a rate lies between two
            return None
        span = self._moments[-1] - self._moments[0]
        # Before a second is full, what there is of it tells the rate.
        return (len(self._moments) - 1) / span if span > 0 else None
