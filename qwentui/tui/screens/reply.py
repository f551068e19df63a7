"""One reply on its way from a session to the transcript, and what is said about it meanwhile."""

from __future__ import annotations

import time
from itertools import zip_longest
from typing import TYPE_CHECKING

from qwentui.backends.choice import short_name
from qwentui.chat.errors import QwentuiError
from qwentui.chat.stream import (
    AwaitingServer,
    FinishReason,
    Miscounted,
    Phase,
    PhaseChanged,
    Restoring,
    Retrying,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    Trimmed,
)
from qwentui.language import _
from qwentui.telemetry.live_times import LiveTimes
from qwentui.tui import phrases
from qwentui.tui.transcript.items import NoticeItem, ReplyItem, UserItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.chat.conversation import Conversation, Reply, Turn
    from qwentui.chat.usage import Usage
    from qwentui.keyboard.keymap import Keymap
    from qwentui.session import ChatSession, Replying
    from qwentui.store.records import ShownMessage, ShownTurn
    from qwentui.tui.live import Sheet
    from qwentui.tui.transcript.items import Item, Severity


def version_of(known: ShownMessage | None) -> str:
    """Which of its versions a message is, as the transcript says it."""
    return "" if known is None else phrases.version(known.versions.index(known.id) + 1, len(known.versions))


def reply_item(reply: Reply, known: ShownMessage | None = None) -> ReplyItem:
    """How a reply, of which the store knows `known`, stands in a transcript."""
    version = version_of(known)
    return ReplyItem(
        content=reply.message.content,
        thinking=reply.message.thinking,
        thinking_duration=reply.usage.thinking_duration,
        footer=phrases.footer(reply) + (version and f" · {version}"),
        model=short_name(reply.model),
    )


def turn_items(turn: Turn, known: ShownTurn | None) -> list[Item]:
    """How a round, of which the store knows `known`, stands in a transcript."""
    items: list[Item] = []
    # A question that was deleted leaves its reply behind.
    if turn.user.content:
        items.append(UserItem.of(turn.user, version_of(known.user if known else None)))
    if turn.reply is not None:
        items.append(reply_item(turn.reply, known.reply if known else None))
    return items


def items_of(conversation: Conversation, turns: Sequence[ShownTurn]) -> tuple[list[Item], list[int]]:
    """A talk as it stands in a transcript, and the place of each turn's first item.

    Args:
        conversation: What is shown.
        turns: What the store knows about each of its turns; those that it does not know have no versions.
    """
    items: list[Item] = []
    places: list[int] = []
    for turn, known in zip_longest(conversation.turns, turns[: len(conversation.turns)]):
        places.append(len(items))
        items += turn_items(turn, known)
    return items, places


class ReplyRun:
    """Opens a reply in a chat's sheet at once; `run` fills and closes it.

    Args:
        session: Who is asked.
        transcript: Where it is written.
        keymap: The keys in effect.

    Attributes:
        times: What can be timed of it while it comes.
        usage: What the reply cost, None before its end.
        complete: Whether the model came to its end.
        unsent: Whether it ended before anything was asked.
    """

    def __init__(self, session: ChatSession, transcript: Sheet, keymap: Keymap) -> None:
        self._session = session
        self._keymap = keymap
        self._transcript = transcript
        self._before = session.conversation
        self._place = transcript.open_reply(short_name(session.model.name))
        self._phase = Phase.CONNECTING
        self._since = time.monotonic()
        self.times = LiveTimes()
        self.usage: Usage | None = None
        self.complete = False
        self.unsent = False
        self._noticed = False
        self._restored = False
        self._pause: tuple[Retrying | Restoring | AwaitingServer, float] | None = None
        self.tick()

    async def run(self, reply: Replying) -> None:
        """Show what comes of `reply`, to the end, whatever that is."""
        failure: QwentuiError | None = None
        try:
            async with reply as events:
                async for event in events:
                    self._take(event)
        except QwentuiError as error:
            failure = error
        finally:
            self.unsent = self._session.conversation is self._before
            if self._transcript.is_attached:
                self._close(failure)

    def tick(self) -> None:
        """Say how long the present state has lasted, or how long a pause still does."""
        now = time.monotonic()
        if self._pause is not None and now < self._pause[1]:
            self._transcript.set_status(phrases.pausing(self._pause[0], self._pause[1] - now))
        else:
            self._transcript.set_status(phrases.running(self._phase, now - self._since))

    def _take(self, event: StreamEvent) -> None:
        match event:
            case TextDelta(text):
                self.times.heard()
                self._enter(Phase.ANSWERING)
                self._transcript.feed_text(text)
            case ThinkingDelta(text):
                self.times.heard()
                self._enter(Phase.THINKING)
                self._transcript.feed_thinking(text)
            case PhaseChanged(phase):
                self._enter(phase)
            case Retrying() | Restoring() | AwaitingServer():
                self._wait(event)
            case Trimmed(turns) if turns:
                self._notice(NoticeItem(_(phrases.TRIMMED)))
            case Miscounted():
                severity: Severity = "warning" if event.likely_cut else "info"
                self._notice(NoticeItem(phrases.miscounted(event), severity))

    def _wait(self, event: Retrying | Restoring | AwaitingServer) -> None:
        """Count a pause down; the first one says in the transcript what it is for."""
        self._pause = event, time.monotonic() + event.delay
        self._phase, self._since = Phase.CONNECTING, self._pause[1]
        self.tick()
        if isinstance(event, Restoring) and not self._restored:
            self._restored = True
            self._notice(NoticeItem(f"{_(phrases.RESTORING)}\n{event.reason}"))
        elif isinstance(event, Retrying):
            self._notice(NoticeItem(event.reason, "warning"))

    def _notice(self, notice: NoticeItem) -> None:
        self._noticed = True
        self._transcript.append(notice)

    def _enter(self, phase: Phase) -> None:
        if phase is not self._phase:
            self._phase, self._since = phase, time.monotonic()
            self.tick()

    def _close(self, failure: QwentuiError | None) -> None:
        if self.unsent:
            # Nothing was asked, so there is no reply either.
            notice = NoticeItem(phrases.UNSENT) if failure is None else NoticeItem(str(failure), "error")
            self._transcript.close_reply(ReplyItem(""))
            self._transcript.replace(self._place, notice)
            return
        reply = self._session.conversation.turns[-1].reply
        if reply is None:
            return
        self.usage = reply.usage
        recorder = self._session.recorder
        known = recorder.turns[-1].reply if recorder is not None and recorder.turns else None
        self._transcript.close_reply(reply_item(reply, known))
        self.complete = reply.finish_reason in (FinishReason.STOP, FinishReason.LENGTH)
        if failure is None:
            return
        notice = NoticeItem(phrases.failed(failure, reply, self._keymap.named("continue")), "error")
        # Of several versions even an empty one stays: from it the others are reached.
        several = known is not None and len(known.versions) > 1
        if reply.message.content or reply.message.thinking or self._noticed or several:
            self._transcript.append(notice)
        else:
            self._transcript.replace(self._place, notice)
