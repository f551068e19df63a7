"""What can be timed of a reply while it still comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qwentui.telemetry.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable


class LiveTimes:
    """Starts when it is made, which is the moment that the reply was asked for.

    Args:
        clock: Seconds of a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._first: float | None = None
        self._rate = Rate(clock)

    def heard(self) -> None:
        """A token came."""
        if self._first is None:
            self._first = self._clock()
        self._rate.heard()

    @property
    def is_waiting(self) -> bool:
        """Whether no token has come yet."""
        return self._first is None

    @property
    def wait(self) -> float:
        """Seconds to the first token, or until now."""
        return (self._clock() if self._first is None else self._first) - self._start

    @property
    def per_second(self) -> float | None:
        """Tokens of the last second; None where that cannot be told."""
        return self._rate.per_second()
