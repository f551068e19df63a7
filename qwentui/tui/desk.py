"""The chats that are open: which replies run, and which prompts wait for their turn."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from qwentui.tui.attaching import Attaching
from qwentui.tui.live import LiveChat
from qwentui.tui.slots import Slots
from qwentui.tui.transcript.items import UserItem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from qwentui.chat.stream import StreamEvent
    from qwentui.session import ChatSession, Replying
    from qwentui.tui.live import Run, Task


@dataclass(slots=True, eq=False)
class Waiting:
    """A prompt that waits for its turn; one that is `held` waits until the user lets it go."""

    chat: LiveChat
    text: str
    held: bool = False


class Host(Protocol):
    """Who has the desk, and runs and shows what happens on it."""

    def open_run(self, chat: LiveChat) -> Run:
        """Open a reply in the chat's sheet."""

    def carry(self, work: Callable[[], Coroutine[Any, Any, None]]) -> Task:
        """Run `work` on its own."""

    def desk_changed(self, chat: LiveChat) -> None:
        """A reply began in `chat`, or what waits there is something else."""

    def reply_ended(self, chat: LiveChat) -> None:
        """The reply in `chat` has ended."""

    def text_returned(self, chat: LiveChat, text: str) -> None:
        """`text` was not sent and belongs before what stands in the composer of `chat`."""

    def keep_draft(self, key: str, session: str | None, text: str, waiting: tuple[str, ...]) -> bool:
        """Put on disk what `session` has not sent; False where there is no disk for it yet."""


class Desk:
    """Owns the chats, and lets so many replies run at once.

    A chat has one reply at a time. A prompt that cannot go at once waits; when a reply ends, the prompt that
    has waited longest, and whose chat is free, goes. After a reply that did not come to its end, the prompts
    of its chat are held: what they were to follow is not there.

    Args:
        parallel: How many replies run at once.
        host: Who runs and shows them.

    Attributes:
        attaching: Reads the files that prompts name.
        chats: The chats, in the order in which they were opened.
        waiting: The prompts that wait, first come first.
    """

    def __init__(self, parallel: int, host: Host) -> None:
        self.attaching = Attaching()
        self.chats: list[LiveChat] = []
        self.waiting: list[Waiting] = []
        self._host = host
        self._slots = Slots(parallel)
        self._carried: set[LiveChat] = set()
        self._stopped: set[LiveChat] = set()
        self._change = asyncio.Event()
        self._closed = False

    @property
    def parallel(self) -> int:
        """How many replies run at once; those that run when it is lowered go on."""
        return self._slots.limit

    @parallel.setter
    def parallel(self, parallel: int) -> None:
        self._slots.limit = parallel
        self.pump()

    def open(self) -> LiveChat:
        """One more chat."""
        chat = LiveChat()
        self.chats.append(chat)
        return chat

    def drop(self, chat: LiveChat) -> None:
        """Put a chat away that has nothing running; what waits in it is on disk."""
        self.waiting = [prompt for prompt in self.waiting if prompt.chat is not chat]
        if chat in self.chats:
            self.chats.remove(chat)

    def find(self, session: str) -> LiveChat | None:
        """The chat that has the session with this id."""
        return next((chat for chat in self.chats if chat.id == session), None)

    @property
    def running(self) -> int:
        """How many replies run."""
        return sum(chat.busy for chat in self.chats)

    @property
    def idle(self) -> bool:
        """Whether nothing runs, and nothing waits that will go."""
        return not self.running and all(prompt.held for prompt in self.waiting)

    def waits(self, chat: LiveChat) -> list[Waiting]:
        """The prompts that wait in one chat."""
        return [prompt for prompt in self.waiting if prompt.chat is chat]

    def place(self, prompt: Waiting) -> int:
        """The place of a prompt in the queue of all chats, counted from 1; 0 where it is held."""
        queue = [waiting for waiting in self.waiting if not waiting.held]
        return queue.index(prompt) + 1 if prompt in queue else 0

    def say(self, chat: LiveChat, text: str) -> None:
        """Send `text` as soon as it can be."""
        self.waiting.append(Waiting(chat, text))
        self.pump()
        self._changed(chat)

    def hold(self, chat: LiveChat, texts: tuple[str, ...]) -> None:
        """Let prompts wait, before others of the chat, until the user lets them go."""
        self.waiting[:0] = [Waiting(chat, text, held=True) for text in texts]
        self._changed(chat)

    def let_go(self, chat: LiveChat) -> None:
        """Send what is held in a chat as soon as it can be."""
        for prompt in self.waits(chat):
            prompt.held = False
        self.pump()
        self._changed(chat)

    def take_back(self, chat: LiveChat) -> str | None:
        """The last prompt that waits in a chat; it waits no more. None where none does."""
        mine = self.waits(chat)
        if not mine:
            return None
        self.waiting.remove(mine[-1])
        self._changed(chat)
        return mine[-1].text

    def cancel(self, chat: LiveChat) -> None:
        """Take all prompts that wait in a chat back into its composer."""
        mine = self.waits(chat)
        if mine:
            self.waiting = [prompt for prompt in self.waiting if prompt.chat is not chat]
            self._host.text_returned(chat, "\n\n".join(prompt.text for prompt in mine))
            self._changed(chat)

    def begin(self, chat: LiveChat, reply: Replying, text: str = "") -> None:
        """Let `reply` run in a chat that is free, as soon as fewer than `parallel` others do.

        Args:
            chat: Whose reply it is.
            reply: Not entered yet.
            text: The prompt, which goes back to the composer if nothing comes to be asked.
        """
        run = chat.run = self._host.open_run(chat)
        chat.task = self._host.carry(partial(self._carry, chat, run, reply, text))
        self._changed(chat)

    def stop(self, chat: LiveChat) -> None:
        """Stop the reply that runs in a chat; what came of it is kept."""
        if chat.task is not None:
            self._stopped.add(chat)
            # A task that is cancelled before its first step would never come to its end.
            asyncio.get_running_loop().call_soon(chat.task.cancel)

    def pump(self) -> None:
        """Send what can go now."""
        while not self._closed and self.running < self.parallel:
            prompt = next((waiting for waiting in self.waiting if _can_go(waiting)), None)
            if prompt is None:
                return
            self.waiting.remove(prompt)
            self._ask(prompt.chat, prompt.text)

    def keep(self, chat: LiveChat) -> None:
        """Put on disk what a chat has not sent."""
        state = (chat.id, chat.draft, tuple(prompt.text for prompt in self.waits(chat)))
        if state != chat.kept and self._host.keep_draft(chat.key, *state):
            chat.kept = state

    async def close(self) -> None:
        """Stop every reply, and wait until what came of them is kept."""
        self._closed = True
        for chat in self._carried:
            if chat.task is not None:
                chat.task.cancel()
        while self._carried:
            self._change.clear()
            await self._change.wait()

    def _ask(self, chat: LiveChat, text: str) -> None:
        from qwentui.store.records import title_from

        session = chat.session
        if session is not None:
            chat.title = chat.title or title_from(text)
            place = chat.sheet.append(UserItem(text))
            chat.places.append(place)
            named = "@" in text
            if not named:
                chat.confirmed.discard(text)
            self.begin(
                chat, self._with_files(chat, session, text, place) if named else session.reply(text), text
            )

    @asynccontextmanager
    async def _with_files(
        self, chat: LiveChat, session: ChatSession, text: str, place: int
    ) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        """The reply to `text` and the files that it names, as they are now."""
        message = await self.attaching.message(text, confirmed=text in chat.confirmed)
        chat.confirmed.discard(text)
        if message.parts or message.images:
            chat.sheet.replace(place, UserItem.of(message))
        async with session.reply(message) as events:
            yield events

    async def _carry(self, chat: LiveChat, run: Run, reply: Replying, text: str) -> None:
        self._carried.add(chat)
        try:
            await run.run(self._in_turn(reply))
        except asyncio.CancelledError:
            # Not the user's wish: the program ends, and nothing must begin any more.
            self._closed = self._closed or chat not in self._stopped
            raise
        finally:
            self._stopped.discard(chat)
            self._carried.discard(chat)
            self._change.set()
            chat.run = chat.task = None
            if not self._closed:
                self._ended(chat, run, text)

    @asynccontextmanager
    async def _in_turn(self, reply: Replying) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        async with self._slots, reply as events:
            yield events

    def _ended(self, chat: LiveChat, run: Run, text: str) -> None:
        chat.usage, chat.complete = run.usage, run.complete
        if run.unsent and text:
            chat.places.pop()
            self._host.text_returned(chat, text)
        if not run.complete:
            for prompt in self.waits(chat):
                prompt.held = True
        self._host.reply_ended(chat)
        self.pump()
        self._changed(chat)

    def _changed(self, chat: LiveChat) -> None:
        self.keep(chat)
        self._host.desk_changed(chat)


def _can_go(prompt: Waiting) -> bool:
    return not prompt.held and prompt.chat.session is not None and not prompt.chat.busy
