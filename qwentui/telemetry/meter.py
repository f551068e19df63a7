"""Times one reply: events and a clock in, `Usage` out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.stream import Finished, StreamEvent, TextDelta, ThinkingDelta
from qwentui.chat.usage import ServerUsage, Usage

if TYPE_CHECKING:
    from collections.abc import Callable


class Meter:
    """Starts when it is made, which is the moment that the user sends.

    Args:
        clock: Seconds of a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = clock()
        self._first_thinking: float | None = None
        self._first_text: float | None = None
        self._last: float = self._start
        self._server = ServerUsage()

    def feed(self, event: StreamEvent) -> None:
        """Note when `event` came."""
        self._last = now = self._clock()
        match event:
            case ThinkingDelta():
                if self._first_thinking is None:
                    self._first_thinking = now
            case TextDelta():
                if self._first_text is None:
                    self._first_text = now
            case Finished(usage=usage):
                self._server = usage
            case _:
                pass

    def usage(self) -> Usage:
        """The cost so far; `elapsed` runs to the last event."""
        firsts = [moment for moment in (self._first_thinking, self._first_text) if moment is not None]
        thinking = None
        if self._first_thinking is not None:
            thinking = (self._last if self._first_text is None else self._first_text) - self._first_thinking
        return Usage(
            ttft=min(firsts) - self._start if firsts else None,
            elapsed=self._last - self._start,
            thinking_duration=thinking,
            server=self._server,
        )
