"""Candidates that have to be fetched: a key never waits for them."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qwentui.chat.errors import QwentuiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from qwentui.tui.widgets.completion import Candidate

_FRESH = 10.0
"""Seconds after which what was fetched is fetched again when it is wanted."""


class LateCandidates:
    """Fetches when its candidates are first wanted, and again after a while; gives what it has meanwhile.

    Args:
        fetch: Gets them; a failure leaves those of before.
        run: Runs a coroutine beside the program.
        came: Called when there are others than before.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Sequence[Candidate]]],
        run: Callable[[Coroutine[Any, Any, None]], object],
        came: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._run = run
        self._came = came
        self._clock = clock
        self._known: tuple[Candidate, ...] = ()
        self._stale_at = 0.0
        self._fetching = False

    def __call__(self) -> tuple[Candidate, ...]:
        """What is known now."""
        if not self._fetching and self._clock() >= self._stale_at:
            self._fetching = True
            self._run(self._refresh())
        return self._known

    async def _refresh(self) -> None:
        try:
            with suppress(QwentuiError):
                known, self._known = self._known, tuple(await self._fetch())
                if known != self._known:
                    self._came()
        finally:
            self._fetching = False
            self._stale_at = self._clock() + _FRESH
