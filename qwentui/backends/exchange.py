"""One request and its response while both are under way: headers awaited, body read, or all of it dropped."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from qwentui.backends.failures import BODY_LIMIT, page_error, response_error, stranger_error
from qwentui.backends.framing import FramingError, decode
from qwentui.chat.errors import ReplyBroken, ReplyCut, ReplySilent
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine

    import httpx
    import msgspec

    from qwentui.backends.framing import Frames

_FINE = (200, 201)  # Ollama says 201 where it has stored a file
_ERROR_TIMEOUT = 5.0  # seconds between the bytes of an error's body, which is worth no longer wait
_DRAIN_TIMEOUT = 1.0  # seconds for the last chunk of a body, read so that the connection can be used again
_PACE = 1 / 30  # seconds between two reads of a socket that brings a few bytes at a time
_SLACK = 1.25  # a read counts as waited for when it came that much later
_TURN = 0.004  # seconds of records in one piece, and then as long for keys and frames
_FLOOD = 16 * 1024  # bytes of one read from which on there is no rest before the next

T = TypeVar("T")


class _Pace:
    """Lets small pieces gather in the socket: waking for each token costs ten times what reading it does.

    The first piece is read as it comes, and what came while one rested is read at once. Pieces that come
    more slowly than that are read as they come.

    Args:
        read: `httpcore.AsyncNetworkStream.read`.
    """

    def __init__(self, read: Callable[..., Awaitable[bytes]]) -> None:
        self._read = read
        self._clock = asyncio.get_running_loop().time
        self._due = self._last = 0.0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's own name
        """The next bytes."""
        rest = self._due - self._clock()
        if rest > 0:
            await asyncio.sleep(rest)
        data = await self._read(max_bytes, timeout)
        now = self._clock()
        dense = now - self._last < _PACE * _SLACK and len(data) < _FLOOD
        self._due, self._last = now + _PACE if dense else 0.0, now
        return data

    def hurry(self) -> None:
        """Do not rest before the next read."""
        self._due = 0.0


class Exchange:
    """A request that is being sent by the task `head`, which ends with the response's headers.

    `sent` is set once the request is out, `media_type` known once the headers are here. The body is read
    by one reader, once, and `ended` says that it was read to its end; `silence` is how long its next bytes
    are waited for, in seconds, None for ever, and `paced` whether small pieces may gather for a frame.
    """

    def __init__(self, host: str, head: asyncio.Task[httpx.Response], sent: asyncio.Event) -> None:
        self.head = head
        self.sent = sent
        self.silence: float | None = None
        self.paced = True
        self.media_type = ""
        self.ended = False
        self._host = host
        self._chunks: AsyncGenerator[bytes, None] | None = None
        self._pace: _Pace | None = None
        self._stream: Any = None

    async def beside(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What `work` gives while the headers are awaited; None if they come first, and end it."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({self.head, task}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def begin(self) -> None:
        """Wait for the headers, for as long as it takes.

        Raises:
            BackendError: No response came, or its status is not 200 or 201, or it is a web page.
        """
        response = await self.head
        self._chunks = cast("AsyncGenerator[bytes, None]", response.aiter_bytes())
        if response.status_code not in _FINE:
            raise response_error(response.status_code, response.headers, await self._beginning())
        self.media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self.media_type == "text/html":
            raise page_error(await self._beginning())

    async def read(self) -> bytes:
        """The next bytes of the body, b"" at its end.

        Raises:
            ReplyCut: The connection broke before the end.
            ReplySilent: Nothing came in time.
        """
        import httpx

        if self._chunks is None:
            raise RuntimeError("begin() comes first")
        try:
            async with asyncio.timeout(self.silence):
                chunk = await anext(self._chunks, b"")
        except TimeoutError as error:
            hint = _("The model may be stuck, or the connection is gone.")
            sentence = _("{host} sent nothing for {seconds:g} s.")
            raise ReplySilent(sentence.format(host=self._host, seconds=self.silence), hint) from error
        except (httpx.HTTPError, OSError) as error:
            hint = _("The server stopped, or the network in between did.")
            sentence = _("The connection to {host} broke before the end.")
            raise ReplyCut(sentence.format(host=self._host), hint) from error
        self.ended = not chunk
        return chunk

    async def read_all(self, limit: int) -> bytes:
        """The body, or a little more than its first `limit` bytes.

        Raises:
            ReplyCut: The connection broke before the end.
        """
        data = bytearray()
        while len(data) <= limit and (chunk := await self.read()):
            data += chunk
        return bytes(data)

    async def records(self, frames: Frames, decoder: msgspec.json.Decoder[T]) -> AsyncGenerator[T, None]:
        """The body's records as they come.

        Args:
            frames: Cuts the body.
            decoder: Decodes a record.

        Raises:
            NotAModelServer: The first record is none.
            ReplyBroken: The body broke off, fell silent, or a later record cannot be read.
        """
        seen = False
        self._set_pace()
        clock = asyncio.get_running_loop().time
        try:
            asked = due = clock()
            while chunk := await self.read():
                if clock() - asked > _TURN:
                    due = clock() + _TURN  # there was a rest
                for record in frames.feed(chunk):
                    yield decode(record, decoder)
                    seen = True
                    if clock() > due:
                        await asyncio.sleep(_TURN)
                        due = clock() + _TURN
                asked = clock()
            for record in frames.finish():
                yield decode(record, decoder)
                seen = True
        except FramingError as error:
            if not seen:
                raise stranger_error(self._host) from error
            sentence = _("{host} sent a record that cannot be read.")
            raise ReplyCut(sentence.format(host=self._host)) from error

    def _set_pace(self) -> None:
        """Put a pace before the socket, as far as httpcore shows it (HTTP/1.1: its `network_stream`)."""
        self._stream = self.head.result().extensions.get("network_stream")
        if self._stream is not None and self.paced:
            self._pace = _Pace(self._stream.read)
            self._stream.read = self._pace.read

    async def drain(self) -> None:
        """Read what is left after the last record, so that the connection serves the next request too."""
        self.silence = _DRAIN_TIMEOUT
        if self._pace is not None:
            self._pace.hurry()
        with suppress(ReplyBroken):
            while await self.read():
                pass

    async def _beginning(self) -> bytes:
        """What an error's body says, as far as it comes."""
        self.silence = _ERROR_TIMEOUT
        data = bytearray()
        with suppress(ReplyBroken):
            while len(data) < BODY_LIMIT and (chunk := await self.read()):
                data += chunk
        return bytes(data)

    async def aclose(self) -> None:
        """End the request, and the response unless it was read to its end."""
        if self._pace is not None:
            del self._stream.read  # the next exchange on the connection sets its own
        self.head.cancel()
        await asyncio.wait({self.head})
        if self.head.cancelled() or self.head.exception() is not None:
            return
        await self.head.result().aclose()
        if self._chunks is not None:
            await self._chunks.aclose()
