"""Titles by the model, for users who turn that on: after the first reply, when the server has time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from qwentui.chat.errors import QwentuiError
from qwentui.chat.sanitize import sanitize_line
from qwentui.chat.stream import AwaitingServer, Restoring, Retrying, TextDelta

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from qwentui.session import ChatSession
    from qwentui.store.sessions import SessionStore
    from qwentui.tui.desk import Desk
    from qwentui.tui.live import LiveChat, Task
    from qwentui.tui.talks import Talks

WISH = (
    "Give our conversation so far a title of at most six words, in its own language."
    " Answer with the title alone, in one line, without quotation marks."
)
_TOKENS = 32
_LONGEST = 60
_QUOTES = "\"'`*#“”‘’「」『』《》 "


class Host(Protocol):
    """Who runs what the titles need, and shows them."""

    def carry(self, work: Callable[[], Coroutine[Any, Any, None]]) -> Task:
        """Run `work` on its own."""

    def titled(self, chat: LiveChat) -> None:
        """A chat has another title."""


class Titles:
    """Asks for one title at a time, and only while no reply runs and no prompt wants to go.

    Whoever sends a prompt ends the question, which is asked again later. It is a question in the chat itself,
    so that the server finds the beginning of the prompt in its cache, and it leaves no trace there.

    Args:
        desk: Tells whether the server has nothing to do.
        talks: The store.
        host: Who runs the questions.
    """

    def __init__(self, desk: Desk, talks: Talks, host: Host) -> None:
        self._desk = desk
        self._talks = talks
        self._host = host
        self._untitled: list[LiveChat] = []
        self._task: Task | None = None

    def answered(self, chat: LiveChat) -> None:
        """A reply has ended in `chat`; the first one that is whole makes it ready for a title."""
        session = chat.session
        if chat.complete and session is not None and len(session.conversation.turns) == 1:
            self._untitled.append(chat)

    def look(self) -> None:
        """Begin, or give way, by what the desk is doing now."""
        idle = self._desk.idle
        if not idle and self._task is not None:
            # A task that is cancelled before its first step would never come to its end.
            asyncio.get_running_loop().call_soon(self._task.cancel)
        elif idle and self._task is None and self._untitled:
            self._task = self._host.carry(partial(self._title, self._untitled[0]))

    async def _title(self, chat: LiveChat) -> None:
        try:
            await self._entitle(chat)
            self._untitled.remove(chat)
        finally:
            self._task = None
        self.look()

    async def _entitle(self, chat: LiveChat) -> None:
        session, key, before = chat.session, chat.id, chat.title
        if session is None or key is None:
            return

        def rename(store: SessionStore) -> bool:
            # A title that the user gave meanwhile, here or elsewhere, stays.
            mine = store.get(key).title == before
            if mine:
                store.rename(key, title)
            return mine

        with suppress(QwentuiError):
            title = _cleaned(await _asked(session))
            renamed = await self._talks.write(rename) if title else False
            if renamed:
                chat.title = title
                self._host.titled(chat)


async def _asked(session: ChatSession) -> str:
    """What the model says, "" where the server has trouble: a title is not worth trying again."""
    asking = session.fresh()
    asking.recorder = None
    asking.conversation = session.conversation
    asking.options = replace(session.options, think=False, num_predict=_TOKENS)
    said: list[str] = []
    async with asking.reply(WISH) as events:
        async for event in events:
            match event:
                case TextDelta(text):
                    said.append(text)
                case Retrying() | Restoring() | AwaitingServer():
                    return ""
    return "".join(said)


def _cleaned(text: str) -> str:
    """The first line of what the model said, without the marks that models like around titles."""
    line = text.strip().partition("\n")[0].strip(_QUOTES)
    return "" if line.startswith("<") else sanitize_line(line, _LONGEST)
