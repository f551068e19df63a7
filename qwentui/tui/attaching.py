"""Reading the files that a draft names, beside the event loop: a dead network mount holds up nobody."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from qwentui.chat.errors import AttachmentRefused
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwentui.chat.attachment import Attachment
    from qwentui.chat.message import Message
    from qwentui.store.attachments import AttachmentReader

T = TypeVar("T")

_PATIENCE = 5.0
"""Seconds for which files are waited for."""


class Aside:
    """Does short work on files in a thread of its own, one after the other; who is asleep is not waited for.

    Such a thread does not keep the program from ending, as one of asyncio's pool would.

    Args:
        patience: Seconds for which a result is waited for.
    """

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._busy = threading.Lock()

    async def do(self, work: Callable[[], T]) -> T:
        """The result of `work`.

        Raises:
            TimeoutError: It took too long, or what was asked for before still does.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        thread = threading.Thread(target=self._run, args=(work, loop, future), daemon=True)
        thread.start()
        async with asyncio.timeout(self._patience):
            return await future

    def _run(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop, future: asyncio.Future[T]) -> None:
        if not self._busy.acquire(timeout=self._patience):
            return
        try:
            settle = partial(_settle, future, work())
        except Exception as error:  # noqa: BLE001 - it is raised where the result is awaited
            settle = partial(_fail, future, error)
        finally:
            self._busy.release()
        # The loop may be gone.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle)


def _settle(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


class Attaching:
    """Knows the files that drafts name, as they were when they were looked at last."""

    def __init__(self) -> None:
        self._aside = Aside()
        self._reader: AttachmentReader | None = None

    async def named_in(self, text: str) -> tuple[Attachment, ...]:
        """What `text` names; files that have not changed are not read again."""
        if "@" not in text:
            return ()
        from qwentui.chat.attachment import Refusal
        from qwentui.store.attachments import AttachmentReader

        reader = self._reader = self._reader or AttachmentReader()
        try:
            return await self._aside.do(lambda: reader.named_in(text))
        except TimeoutError:
            reason = _("The files that the text names did not answer within {seconds:.0f} s.")
            return (Refusal("@", reason.format(seconds=_PATIENCE)),)

    async def message(self, text: str, *, confirmed: bool) -> Message:
        """What goes to the model for `text`.

        Args:
            text: What the user wrote.
            confirmed: Whether the user knows that something of it cannot go along.

        Raises:
            AttachmentRefused: Something cannot, and the user does not know.
        """
        from qwentui.chat.attachment import Refusal, composed

        attachments = await self.named_in(text)
        refusals = [found for found in attachments if isinstance(found, Refusal)]
        if refusals and not confirmed:
            raise AttachmentRefused(refusals[0].reason)
        return composed(text, attachments)
