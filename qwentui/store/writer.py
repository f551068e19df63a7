"""The store for an event loop: one thread writes, one reads, and only who asks to waits for the disk.

Streaming text goes on a queue and is written in gathered pieces, a moment later. When the disk refuses, the
store goes on in memory; when the file turns out to be damaged, it is mended: either way the job that met it
is done all the same, and `on_change` is told once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from qwentui.chat.errors import StoreError
from qwentui.language import _
from qwentui.store.database import Database, Opening
from qwentui.store.sessions import SessionStore
from qwentui.store.trouble import StoreDamaged, StoreRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLUSH_EVERY = 0.1
"""Seconds that streaming text may wait; with the commit itself it is on the disk within 250 ms."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Piece:
    reply: int
    content: str
    thinking: str


class StoreWriter:
    """A store that an event loop may use.

    A job is a function of a `SessionStore`. What it writes is one transaction, whole or not at all; so it may
    be run a second time when the store had to move.

    Args:
        path: The store's file.
        on_change: Called in the event loop when the store moved to memory, or was mended, after `open`.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        path: Path,
        on_change: Callable[[Opening], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._on_change = on_change
        self._clock = clock
        self._queue: SimpleQueue[_Piece | Callable[[], object] | None] = SimpleQueue()
        self._reads: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._reader = threading.Thread(target=self._work_reading, name="store-reader", daemon=True)
        self._reading: tuple[Database, Database] | None = None
        self._pieces: dict[int, tuple[list[str], list[str]]] = {}
        self._due: float | None = None
        self._closed = False
        self._loop: asyncio.AbstractEventLoop
        self._store: SessionStore

    async def open(self) -> Opening:
        """Open the store, in a thread; nothing else may be called before.

        Raises:
            StoreError: It was written by a newer version, or this Python's SQLite is too old.
        """
        self._loop = asyncio.get_running_loop()
        self._writer.start()
        self._reader.start()
        return await self._submit(self._queue.put, self._open)

    async def write(self, job: Callable[[SessionStore], T]) -> T:
        """Run `job` after everything that was asked for before it; returns when it is committed.

        Cancellation leaves the job in the queue: it is done all the same.

        Raises:
            StoreError: There is no such session or message, or the store is closed.
        """
        return await self._submit(self._queue.put, lambda: self._attempt(job))

    async def read(self, job: Callable[[SessionStore], T]) -> T:
        """Run `job`, which changes nothing, beside the writing.

        Raises:
            StoreError: There is no such session or message, or the store is closed.
        """
        if self._closed or self.in_memory:
            return await self.write(job)
        try:
            return await self._submit(self._reads.put, lambda: self._read(job))
        except StoreRefused:
            return await self.write(job)

    def post(self, job: Callable[[SessionStore], object]) -> None:
        """Run `job` after everything that was asked for before it; never waits, and tells nobody of an error.

        May be called from a signal handler, as `close` may.
        """

        def run() -> None:
            with suppress(StoreError):
                self._attempt(job)

        if not self._closed:
            self._queue.put(run)

    def append(self, reply: int, content: str = "", thinking: str = "") -> None:
        """Add text to a reply, soon; never waits."""
        if not self._closed:
            self._queue.put(_Piece(reply, content, thinking))

    @property
    def in_memory(self) -> bool:
        """Whether what is written now ends with the process."""
        return self._store.database.path is None

    def close(self, timeout: float = 1.0) -> bool:
        """Write what is waiting, mark replies that were not finished, and close the file.

        May be called from a signal handler (no lock is taken that the interrupted code could hold), and
        twice.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether all was written in time.
        """
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._reads.put(None)
        deadline = time.monotonic() + timeout
        for thread in (self._writer, self._reader):
            if thread.ident is not None:
                thread.join(max(deadline - time.monotonic(), 0.0))
        return not self._writer.is_alive()

    async def _submit(self, put: Callable[[Callable[[], object]], None], call: Callable[[], T]) -> T:
        if self._closed:
            raise StoreError(_("The store is closed."))
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - handed to whoever awaits it
                future.set_exception(error)

        put(run)
        return await asyncio.shield(asyncio.wrap_future(future))

    def _work(self) -> None:
        while True:
            wait = None if self._due is None else max(self._due - time.monotonic(), 0.0)
            try:
                item = self._queue.get(timeout=wait)
            except Empty:
                self._flush()
                continue
            if isinstance(item, _Piece):
                self._gather(item)
                continue
            self._flush()
            if item is None:
                self._end()
                return
            item()

    def _gather(self, piece: _Piece) -> None:
        now = time.monotonic()
        if self._due is None:
            self._due = now + FLUSH_EVERY
        content, thinking = self._pieces.setdefault(piece.reply, ([], []))
        content.append(piece.content)
        thinking.append(piece.thinking)
        if now >= self._due:
            self._flush()

    def _flush(self) -> None:
        pieces, self._pieces, self._due = self._pieces, {}, None
        if not pieces:
            return
        try:
            self._attempt(lambda store: _append(store, pieces), durable=False)
        except Exception as error:  # noqa: BLE001 - a thread that dies leaves every later job waiting for ever
            context = {"message": "streaming text was not written", "exception": error}
            self._tell(self._loop.call_exception_handler, context)

    def _attempt(self, job: Callable[[SessionStore], T], *, durable: bool = True) -> T:
        mended = False
        while True:
            try:
                return _transacted(self._store, job, durable)
            except StoreRefused as error:
                if self.in_memory:
                    raise
                if isinstance(error, StoreDamaged) and not mended:
                    mended = True
                    self._mend()
                else:
                    self._move(Database.in_memory(error, self._store.database.connection))

    def _open(self) -> Opening:
        self._store = SessionStore(Database.open(self._path), self._clock)
        return self._store.database.opening

    def _mend(self) -> None:
        damaged = self._store.database
        try:
            self._move(Database.open(self._path, damaged=damaged.identity))
        except StoreError as error:
            self._move(Database.in_memory(error, damaged.connection))

    def _move(self, database: Database) -> None:
        before, self._store = self._store.database, SessionStore(database, self._clock)
        before.close()
        self._tell(self._on_change, database.opening)

    def _tell(self, callback: Callable[[T], None], news: T) -> None:
        with suppress(RuntimeError):  # the loop has ended; nobody is left to be told
            self._loop.call_soon_threadsafe(callback, news)

    def _end(self) -> None:
        if hasattr(self, "_store"):
            self._attempt(lambda store: store.messages.give_up())
            self._store.database.close()

    def _work_reading(self) -> None:
        while (call := self._reads.get()) is not None:
            call()
        self._close_reading()

    def _read(self, job: Callable[[SessionStore], T]) -> T:
        database = self._store.database
        if self._reading is None or self._reading[0] is not database:
            self._close_reading()
            self._reading = database, database.sibling()
        return job(SessionStore(self._reading[1], self._clock))

    def _close_reading(self) -> None:
        if self._reading is not None:
            self._reading[1].close()
            self._reading = None


def _transacted(store: SessionStore, job: Callable[[SessionStore], T], durable: bool) -> T:
    with store.database.transaction(durable=durable):
        return job(store)


def _append(store: SessionStore, pieces: dict[int, tuple[list[str], list[str]]]) -> None:
    for reply, (content, thinking) in pieces.items():
        try:
            store.messages.append_reply(reply, "".join(content), "".join(thinking))
        except StoreRefused:
            raise
        except StoreError:
            # The reply was purged while it was being written.
            continue
