"""What may be tried again, how often, after how long: a pure policy, and its course through one reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.errors import (
    BackendError,
    ConnectFailed,
    OutOfMemory,
    ReplyBroken,
    ServerBusy,
    ServerFailed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HEALING = frozenset({500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a request that failed, or a reply that broke, is sent again.

    `attempts` counts the tries after the first one that bring no new text. `delay` is the pause before each
    in seconds, `busy_delay` the one after a 503. Up to the share `jitter` of a pause comes on top, so that
    clients which failed together do not come back together. A server's own `Retry-After` is honoured up to
    `longest` seconds. A reply is taken up at most `breaks` times, however well it goes on each time.

    A server that was there and is gone is looked for again, with pauses that grow from `delay` to
    `restart_pause`, for `restart_wait` seconds.
    """

    attempts: int = 2
    delay: float = 0.5
    busy_delay: float = 2.0
    jitter: float = 0.2
    longest: float = 30.0
    breaks: int = 20
    restart_wait: float = 60.0
    restart_pause: float = 5.0

    def heals(self, error: BackendError) -> bool:
        """Whether asking again may help: no connection, or a failure that may be brief."""
        match error:
            case OutOfMemory():
                return False
            case ServerFailed():
                return error.status in _HEALING
        return isinstance(error, ConnectFailed | ReplyBroken)

    def delays(self, random: Callable[[], float]) -> Delays:
        """The pauses of one reply.

        Args:
            random: Gives numbers from 0 to 1, as `random.random` does.
        """
        return Delays(self, random)

    def looks(self, random: Callable[[], float]) -> Iterator[tuple[float, float]]:
        """The pauses between two looks at a server that is gone, each with what remains of the wait then.

        Args:
            random: Gives numbers from 0 to 1.
        """
        pause, remaining = max(self.delay, 0.01), self.restart_wait
        while remaining > 0:
            jittered = min(pause * (1 + self.jitter * random()), remaining)
            remaining -= jittered
            yield jittered, remaining
            pause = min(pause * 2, max(self.restart_pause, 0.01))


class Delays:
    """The pauses of one reply under a policy.

    `retry` counts the tries since the last new text, `total` all that followed the first one.
    """

    def __init__(self, policy: RetryPolicy, random: Callable[[], float]) -> None:
        self.retry = self.total = 0
        self._breaks = 0
        self._policy = policy
        self._random = random

    def progressed(self) -> None:
        """New text came: the count of tries begins anew."""
        self.retry = 0

    def after(self, error: BackendError) -> float | None:
        """Seconds to wait before the next try, None if there is to be none."""
        policy = self._policy
        if self.retry >= policy.attempts or not policy.heals(error):
            return None
        if isinstance(error, ReplyBroken):
            if self._breaks >= policy.breaks:
                return None
            self._breaks += 1
        self.retry += 1
        self.total += 1
        pause = policy.busy_delay if isinstance(error, ServerBusy) else policy.delay
        if isinstance(error, ServerFailed) and error.retry_after is not None:
            pause = max(pause, min(error.retry_after, policy.longest))
        return pause * (1 + policy.jitter * self._random())
