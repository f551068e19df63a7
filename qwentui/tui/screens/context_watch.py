"""Keeps the context gauge and the border of what is sent true, without delaying a key."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from typing import TYPE_CHECKING

from qwentui.language import ngettext
from qwentui.tui.transcript.items import NoticeItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwentui.chat.message import Message
    from qwentui.planning import Plan
    from qwentui.session import ChatSession
    from qwentui.tui.attaching import Attaching
    from qwentui.tui.live import LiveChat
    from qwentui.tui.transcript.view import Transcript
    from qwentui.tui.widgets.attachment_list import AttachmentList
    from qwentui.tui.widgets.gauges import Gauges


def _border_label(rounds: int, pinned: int) -> str:
    """What stands at the border of what is sent."""
    if pinned:
        told = ngettext(
            "above: not sent any more ({rounds} round), but {pinned} pinned",
            "above: not sent any more ({rounds} rounds), but {pinned} pinned",
            rounds,
        )
    else:
        told = ngettext(
            "above: not sent any more ({rounds} round)", "above: not sent any more ({rounds} rounds)", rounds
        )
    return told.format(rounds=rounds, pinned=pinned)


class ContextWatch:
    """Looks at what would be sent now.

    Args:
        gauges: Where the count is shown.
        transcript: Where the border is drawn.
        chat: The chat that is shown.
        files: Where the files that go along are listed.
        attaching: Reads them.

    Attributes:
        chat: The chat that is shown now.
    """

    def __init__(
        self,
        gauges: Gauges,
        transcript: Transcript,
        chat: LiveChat,
        *,
        files: AttachmentList,
        attaching: Attaching,
    ) -> None:
        self._gauges = gauges
        self._transcript = transcript
        self._files = files
        self._attaching = attaching
        self.chat = chat

    @property
    def items(self) -> list[int]:
        """The place in the transcript of each turn's first item."""
        return self.chat.places

    @items.setter
    def items(self, places: list[int]) -> None:
        self.chat.places = places

    def turn_of(self, item: int) -> int | None:
        """The number of the turn to which an item of the transcript belongs."""
        turn = bisect_right(self.items, item) - 1
        return turn if turn >= 0 else None

    async def plan(self, session: ChatSession, draft: str | Message) -> Plan:
        """The request that would go out with `draft`, by our own count; long text off the event loop."""
        text = draft if isinstance(draft, str) else draft.content
        if session.planner.counter.is_large(text):
            return await asyncio.to_thread(session.preview, draft)
        return session.preview(draft)

    async def with_files(self, session: ChatSession | None, text: str) -> str | Message:
        """What would go out for the draft `text`; the files in it are listed."""
        chat = self.chat
        attachments = await self._attaching.named_in(text)
        lines: list[tuple[str, bool]] = []
        if attachments:
            from qwentui.tui.screens.attached import lines_of

            lines = await asyncio.to_thread(lines_of, attachments, session)
        if chat is self.chat:
            self._files.show(lines)
        if not attachments:
            return text
        from qwentui.chat.attachment import composed

        return composed(text, attachments)

    async def look(self, session: ChatSession, draft: Callable[[], str]) -> None:
        """Count, and show the count and the border; again when the server has counted the same draft."""
        chat, text = self.chat, draft()
        written = await self.with_files(session, text)
        plan = await self.plan(session, written)
        if chat is self.chat:
            self._show(session, plan)
        if not plan.count.exact and not session.busy:
            counted = await session.plan(written)
            if chat is self.chat and draft() == text and not session.busy:
                self._show(session, counted)

    def _show(self, session: ChatSession, plan: Plan) -> None:
        from qwentui.chat.context import ContextWindow

        window = ContextWindow(
            used=plan.count.tokens,
            exact=plan.count.exact,
            limit=plan.fit.limit,
            num_ctx=session.num_ctx,
            loaded=self.chat.loaded,
        )
        self._gauges.show_context(window)
        if window.mismatch != self.chat.told:
            self.chat.told = window.mismatch
            if window.mismatch:
                self._transcript.append(NoticeItem(window.mismatch, "warning"))
        self._draw_border(session, plan)

    def _draw_border(self, session: ChatSession, plan: Plan) -> None:
        border = None
        label = ""
        if plan.border is not None and plan.border < len(self.items):
            border = self.items[plan.border]
            rounds = len(plan.left_out)
            kept = sum(session.conversation.turns[turn].pinned for turn in range(plan.border))
            label = _border_label(rounds, kept)
        self._transcript.set_sent_border(border, label)
