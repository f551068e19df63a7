"""Putting a talk on disk as it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.stream import TextDelta, ThinkingDelta

if TYPE_CHECKING:
    from qwentui.chat.conversation import Reply
    from qwentui.chat.stream import StreamEvent
    from qwentui.store.sessions import SessionStore
    from qwentui.store.writer import StoreWriter


class Recorder:
    """Writes one session; the session is made when its first message is asked.

    Args:
        writer: The open store.
        session: The id of a session that goes on, None for a new one.
    """

    def __init__(self, writer: StoreWriter, session: str | None = None) -> None:
        self._writer = writer
        self._session = session
        self._reply: int | None = None

    def fresh(self) -> Recorder:
        """A recorder for a new session in the same store."""
        return Recorder(self._writer)

    async def asked(self, text: str, *, system: str, model: str) -> None:
        """Keep the user's message; returns when it is on the disk.

        Raises:
            StoreError: The store is closed, or the session is gone.
        """

        def job(store: SessionStore) -> tuple[str, int]:
            session = self._session or store.create(model=model, system=system)
            question = store.messages.ask(session, text)
            return session, store.messages.begin_reply(question, model=model)

        self._session, self._reply = await self._writer.write(job)

    def heard(self, event: StreamEvent) -> None:
        """Keep the text that an event brings, soon; never waits."""
        if self._reply is None:
            return
        match event:
            case TextDelta(text):
                self._writer.append(self._reply, content=text)
            case ThinkingDelta(text):
                self._writer.append(self._reply, thinking=text)

    async def answered(self, reply: Reply) -> None:
        """Keep the reply as it ended; cancellation does not stop it.

        Raises:
            StoreError: The store is closed, or the message is gone.
        """
        number, self._reply = self._reply, None
        if number is not None:
            await self._writer.write(lambda store: store.messages.finish_reply(number, reply))
