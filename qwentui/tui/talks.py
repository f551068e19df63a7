"""The talks on disk: opened after the first paint, told about in the chat, taken up again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from qwentui.chat.errors import StoreError
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qwentui.chat.conversation import Conversation
    from qwentui.recording import Recorder
    from qwentui.store.database import Opening
    from qwentui.store.drafts import Draft
    from qwentui.store.records import Interrupted
    from qwentui.store.sessions import SessionStore
    from qwentui.store.statistics import Typical
    from qwentui.store.writer import StoreWriter


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TakenUp:
    """A talk from the store, and what goes on recording it."""

    title: str
    conversation: Conversation
    recorder: Recorder
    persona: str


class Talks:
    """Owns the store of the program.

    Args:
        path: The store's file.
        warn: Says one sentence to the user.
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._path = path
        self._warn = warn
        self._writer: StoreWriter | None = None

    async def open(self) -> tuple[Interrupted, ...]:
        """Open the store, once; the replies whose program died while it wrote them come back.

        Without a store the talk goes on in memory, and the user is told.
        """
        if self._writer is not None:
            return ()
        # SQLite and what stands on it are not needed for the first paint.
        from qwentui.store.writer import StoreWriter

        writer = StoreWriter(self._path, self._tell)
        try:
            self._tell(await writer.open())
            interrupted = await writer.write(lambda store: store.messages.interrupted())
        except StoreError as error:
            self._warn(_("{error} What is said now is not kept.").format(error=error))
            return ()
        self._writer = writer
        return interrupted

    def recorder(self) -> Recorder | None:
        """A recorder for a new talk; None when there is no store."""
        from qwentui.recording import Recorder

        return None if self._writer is None else Recorder(self._writer)

    async def take_up(self, which: str, message: int | None = None) -> TakenUp:
        """A talk with what goes on recording it.

        Args:
            which: The id of a session or a part of it, "" for the last one.
            message: The message whose branch is to be shown from now on, None for the one shown last.

        Raises:
            StoreError: There is no such session, or no store.
        """
        from qwentui.recording import Recorder

        session = await self.read(lambda store: store.resolve(which) if which else store.last())
        if session is None:
            raise StoreError(_("There is no chat to take up yet."))
        if message is not None:
            await self.write(lambda store: store.messages.bring_into_view(message))
        loaded = await self.read(lambda store: store.load(session))
        recorder = Recorder(self._opened(), session, loaded.turns)
        return TakenUp(loaded.info.title, loaded.conversation, recorder, loaded.info.persona)

    def keep_draft(self, key: str, session: str | None, text: str, waiting: tuple[str, ...]) -> bool:
        """Keep what a chat has not sent, soon; False where there is no store.

        Never waits, and may be called from a signal handler.
        """
        if self._writer is None:
            return False
        from qwentui.store.drafts import Draft

        draft = Draft(text, waiting)
        self._writer.post(lambda store: store.drafts.keep(key, session, draft))
        return True

    async def take_draft(self, key: str, session: str | None) -> Draft:
        """What was not sent in a session, or in a chat without one, by a program that is gone."""
        from qwentui.store.drafts import Draft

        if self._writer is None:
            return Draft()
        try:
            return await self._writer.write(lambda store: store.drafts.take_over(key, session))
        except StoreError:
            return Draft()

    async def read(self, job: Callable[[SessionStore], T]) -> T:
        """Run `job`, which changes nothing, off the event loop.

        Raises:
            StoreError: There is no store, or not what the job looks for.
        """
        return await self._opened().read(job)

    async def write(self, job: Callable[[SessionStore], T]) -> T:
        """Run `job` off the event loop; returns when it is on the disk.

        Raises:
            StoreError: There is no store, or not what the job is about.
        """
        return await self._opened().write(job)

    async def usual(self, model: str) -> Typical:
        """What is usual for a model; nothing where there is no store, or none that can be read."""
        import sqlite3

        from qwentui.store.statistics import Typical, typical

        try:
            return await self.read(lambda store: typical(store.database.connection, model))
        except (StoreError, sqlite3.Error):
            return Typical()

    def _opened(self) -> StoreWriter:
        if self._writer is None:
            raise StoreError(_("The store of chats is not open, so only open chats can be shown."))
        return self._writer

    def close(self) -> None:
        """Write what waits, and mark what was not finished; may be called from a signal handler."""
        if self._writer is not None:
            self._writer.close()

    def _tell(self, opening: Opening) -> None:
        if opening.trouble is not None:
            self._warn(str(opening.trouble))
        salvage = opening.salvage
        if salvage is not None:
            told = _(
                "The store of chats was damaged: {messages:,} messages in {sessions:,} chats could be read;"
                " the old file lies at {path}."
            )
            self._warn(
                told.format(messages=salvage.messages, sessions=salvage.sessions, path=salvage.set_aside)
            )
