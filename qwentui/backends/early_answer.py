"""Noticing a server's answer to an upload that it has not read to its end.

A server whose disk is full answers in the middle of twenty gigabytes, waits for half a second and hangs up
(Go, `net/http`, `rstAvoidanceDelay`). Whoever is still writing then sees a reset, and the answer is lost with
it. httpcore goes on to read the answer when writing fails, so a write that ends in time is all that it takes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_BEAT = 0.05  # seconds between two looks, a tenth of the time that Go leaves

CONNECTED = ("connection.connect_tcp.complete", "connection.connect_unix_socket.complete")
"""httpcore's events that bring a new connection's stream."""


def watch(stream: Any) -> None:  # noqa: ANN401 - an `httpcore.AsyncNetworkStream`, which is not imported here
    """Have writes to `stream` fail with `httpcore.WriteError` once the server has said something.

    Not for TLS, where a server may say things that are no answer.
    """
    stream.write = _Watched(stream).write


class _Watched:
    """Writes to a stream, with an eye on what comes from there."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - as above
        self._answered: Callable[[], bool] = lambda: bool(stream.get_extra_info("is_readable"))
        self._write: Callable[..., Awaitable[None]] = stream.write

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's own name
        """Write all of `buffer`, unless an answer comes first."""
        import httpcore

        writing = asyncio.ensure_future(self._write(buffer, timeout))
        try:
            while not writing.done():
                await asyncio.wait({writing}, timeout=_BEAT)
                if not writing.done() and self._answered():
                    raise httpcore.WriteError("the server answered before it had all")
            writing.result()
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
