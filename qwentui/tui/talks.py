"""The talks on disk: opened after the first paint, told about in the chat, taken up again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qwentui.chat.conversation import Conversation
    from qwentui.recording import Recorder
    from qwentui.store.database import Opening
    from qwentui.store.records import Interrupted
    from qwentui.store.writer import StoreWriter


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
            self._warn(f"{error} What is said now is not kept.")
            return ()
        self._writer = writer
        return interrupted

    def recorder(self) -> Recorder | None:
        """A recorder for a new talk; None when there is no store."""
        from qwentui.recording import Recorder

        return None if self._writer is None else Recorder(self._writer)

    async def resume(self, which: str) -> tuple[Conversation, Recorder]:
        """A talk with what goes on recording it.

        Args:
            which: The id of a session or a part of it, "" for the last one.

        Raises:
            StoreError: There is no such session, or no store.
        """
        from qwentui.recording import Recorder

        if self._writer is None:
            raise StoreError("There are no chats to take up.")
        if which:
            session: str | None = await self._writer.read(lambda store: store.resolve(which))
        else:
            session = await self._writer.read(lambda store: store.last())
        if session is None:
            raise StoreError("There is no chat to take up yet.")
        loaded = await self._writer.read(lambda store: store.load(session))
        return loaded.conversation, Recorder(self._writer, session, loaded.turns)

    def close(self) -> None:
        """Write what waits, and mark what was not finished; may be called from a signal handler."""
        if self._writer is not None:
            self._writer.close()

    def _tell(self, opening: Opening) -> None:
        if opening.trouble is not None:
            self._warn(str(opening.trouble))
        salvage = opening.salvage
        if salvage is not None:
            self._warn(
                f"The store of chats was damaged: {salvage.messages:,} messages in {salvage.sessions:,} chats"
                f" could be read; the old file lies at {salvage.set_aside}."
            )
