"""What may be tried again, how often, after how long: a pure policy, and its course through one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.errors import BackendError, ConnectFailed, OutOfMemory, ServerBusy, ServerFailed

if TYPE_CHECKING:
    from collections.abc import Callable

_HEALING = frozenset({500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a request that failed before its first token is sent again.

    `attempts` counts the tries after the first one. `delay` is the pause before each in seconds,
    `busy_delay` the one after a 503. Up to the share `jitter` of a pause comes on top, so that clients
    which failed together do not come back together. A server's own `Retry-After` is honoured up to
    `longest` seconds.
    """

    attempts: int = 2
    delay: float = 0.5
    busy_delay: float = 2.0
    jitter: float = 0.2
    longest: float = 30.0

    def heals(self, error: BackendError) -> bool:
        """Whether asking again may help: no connection, or a failure of the server that may be brief."""
        match error:
            case OutOfMemory():
                return False
            case ServerFailed():
                return error.status in _HEALING
        return isinstance(error, ConnectFailed)

    def delays(self, random: Callable[[], float]) -> Delays:
        """The pauses of one request.

        Args:
            random: Gives numbers from 0 to 1, as `random.random` does.
        """
        return Delays(self, random)


class Delays:
    """The pauses of one request under a policy; `retry` counts the tries after the first one."""

    def __init__(self, policy: RetryPolicy, random: Callable[[], float]) -> None:
        self.retry = 0
        self._policy = policy
        self._random = random

    def after(self, error: BackendError) -> float | None:
        """Seconds to wait before the next try, None if there is to be none."""
        policy = self._policy
        if self.retry >= policy.attempts or not policy.heals(error):
            return None
        self.retry += 1
        pause = policy.busy_delay if isinstance(error, ServerBusy) else policy.delay
        if isinstance(error, ServerFailed) and error.retry_after is not None:
            pause = max(pause, min(error.retry_after, policy.longest))
        return pause * (1 + policy.jitter * self._random())
