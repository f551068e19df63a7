"""A chat that is open in the program, shown or not: its session, what its transcript holds, what it left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from qwentui.tui.transcript.reply import LiveReply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from qwentui.chat.conversation import Conversation
    from qwentui.chat.usage import Usage
    from qwentui.recording import Recorder
    from qwentui.session import ChatSession, Replying
    from qwentui.telemetry.live_times import LiveTimes
    from qwentui.tui.transcript.items import Item, ReplyItem
    from qwentui.tui.transcript.view import Transcript


class Run(Protocol):
    """A reply on its way into a chat.

    Attributes:
        times: What can be timed of it while it comes.
        usage: What it cost, None before its end.
        complete: Whether the model came to its end.
        unsent: Whether it ended before anything was asked.
    """

    times: LiveTimes
    usage: Usage | None
    complete: bool
    unsent: bool

    async def run(self, reply: Replying) -> None:
        """Take what comes of `reply`, to the end, whatever that is."""

    def tick(self) -> None:
        """Say how long the present state has lasted."""


class Task(Protocol):
    """What runs on its own and can be ended."""

    def cancel(self) -> object:
        """End it."""


class Sheet:
    """What a transcript holds of one chat: there while the chat is shown, here while another one is.

    It is written like a `Transcript`, and the writer need not know which.
    """

    def __init__(self) -> None:
        self._items: list[Item | LiveReply] = []
        self._transcript: Transcript | None = None

    @property
    def is_attached(self) -> bool:
        """Whether it can be written: a transcript that has left the screen cannot."""
        return self._transcript is None or self._transcript.is_attached

    def show(self, transcript: Transcript) -> None:
        """Put everything on `transcript`, an open reply with all that has come of it."""
        transcript.load(self._items)
        self._transcript, self._items = transcript, []

    def leave(self) -> None:
        """Take everything off the transcript."""
        if self._transcript is not None:
            self._items, self._transcript = list(self._transcript.items), None

    def load(self, items: Sequence[Item]) -> None:
        """Hold `items` and nothing else."""
        if self._transcript is not None:
            self._transcript.load(items)
        else:
            self._items = list(items)

    def append(self, item: Item) -> int:
        """Put an item at the end; its index comes back."""
        if self._transcript is not None:
            return self._transcript.append(item)
        self._items.append(item)
        return len(self._items) - 1

    def replace(self, index: int, item: Item) -> None:
        """Hold another item at `index`."""
        if self._transcript is not None:
            self._transcript.replace(index, item)
        else:
            self._items[index] = item

    def graft(self, start: int, items: Sequence[Item | LiveReply]) -> None:
        """Hold `items` in place of what stands from `start` on."""
        if self._transcript is not None:
            self._transcript.graft(start, items)
        else:
            self._items[start:] = items

    def open_reply(self, model: str) -> int:
        """Begin a reply at the end; its index comes back."""
        if self._transcript is not None:
            return self._transcript.open_reply(model)
        self._items.append(LiveReply(model))
        return len(self._items) - 1

    def feed_thinking(self, text: str) -> None:
        """More thinking arrived."""
        if self._transcript is not None:
            self._transcript.feed_thinking(text)
        else:
            self._open()[1].add_thinking(text)

    def feed_text(self, text: str) -> None:
        """More of the answer arrived."""
        if self._transcript is not None:
            self._transcript.feed_text(text)
        else:
            self._open()[1].add_content(text)

    def set_status(self, text: str) -> None:
        """Say `text` at the end of the open reply."""
        if self._transcript is not None:
            self._transcript.set_status(text)
        else:
            self._open()[1].status = text

    def close_reply(self, item: ReplyItem) -> None:
        """The open reply is finished."""
        if self._transcript is not None:
            self._transcript.close_reply(item)
        else:
            self._items[self._open()[0]] = item

    def _open(self) -> tuple[int, LiveReply]:
        for index, item in enumerate(self._items):
            if isinstance(item, LiveReply):
                return index, item
        raise LookupError("no reply is open")


class LiveChat:
    """One chat on the desk.

    Attributes:
        key: The name of its draft on disk.
        session: Who talks; None until a model is found.
        taken_up: What was said before and who records it, for the session that comes.
        persona: Who answered in what was taken up, "" for no persona, None for nothing taken up.
        title: What the chat is called, "" before anything is said.
        sheet: What its transcript holds.
        places: The place in the transcript of each turn's first item.
        draft: What stands in its composer; up to date while another chat is shown.
        usage: What its last reply cost.
        loaded: The context with which the server holds its model, in tokens, None while unknown.
        told: The mismatch of contexts that the user was told last.
        confirmed: The texts about which the user was told something, and that are sent when sent again.
        misspelled: The text that looks like a command and is sent when it is sent again.
        overwrites: The file that is replaced when the chat is written to it once more.
        complete: Whether its last reply came to its end.
        unseen: Whether a reply has ended that nobody has looked at.
        run: The reply that is on its way.
        task: What carries `run`.
        kept: What of it is not sent, as it was kept on disk last.
    """

    def __init__(self) -> None:
        self.key = os.urandom(8).hex()
        self.session: ChatSession | None = None
        self.taken_up: tuple[Conversation, Recorder] | None = None
        self.persona: str | None = None
        self.title = ""
        self.sheet = Sheet()
        self.places: list[int] = []
        self.draft = ""
        self.usage: Usage | None = None
        self.loaded: int | None = None
        self.told: str | None = None
        self.confirmed: set[str] = set()
        self.misspelled = ""
        self.overwrites: Path | None = None
        self.complete = False
        self.unseen = False
        self.run: Run | None = None
        self.task: Task | None = None
        self.kept: tuple[str | None, str, tuple[str, ...]] = (None, "", ())

    @property
    def busy(self) -> bool:
        """Whether a reply runs."""
        return self.run is not None

    @property
    def id(self) -> str | None:
        """The id of its session in the store; None while there is none."""
        if self.session is not None and self.session.recorder is not None:
            return self.session.recorder.session
        return None if self.taken_up is None else self.taken_up[1].session

    @property
    def said(self) -> bool:
        """Whether anything has been said in it."""
        if self.session is not None:
            return bool(self.session.conversation.turns)
        return self.taken_up is not None

    def item_with(self, message: int | None) -> int | None:
        """The place in the transcript of a message of the store; None where the shown branch has it not."""
        if self.session is not None and self.session.recorder is not None:
            conversation, recorder = self.session.conversation, self.session.recorder
        elif self.taken_up is not None:
            conversation, recorder = self.taken_up
        else:
            return None
        for place, turn, known in zip(self.places, conversation.turns, recorder.turns, strict=False):
            if known.user is not None and known.user.id == message:
                return place
            if known.reply is not None and known.reply.id == message:
                return place + bool(turn.user.content)
        return None

    def seat(self, session: ChatSession) -> None:
        """Give the chat its session, which goes on with what was taken up."""
        if self.taken_up is not None:
            session.conversation, session.recorder = self.taken_up
            self.taken_up = None
        self.session = session
