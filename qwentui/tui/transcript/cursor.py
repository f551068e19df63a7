"""The message or code block that keys act on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from qwentui.tui.transcript.body import LEAD, TEXT, Anchor
from qwentui.tui.transcript.items import ReplyItem, UserItem
from qwentui.tui.transcript.reply import LiveReply, ReplyBody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.tui.transcript.document import Document
    from qwentui.tui.transcript.markdown import CodeBlock

# Where an indented code block may begin.
_INDENTED = re.compile(r"(?:\A|\n[ \t]*\n)(?: {4}|\t)")


class Target(NamedTuple):
    """A message, or one of its code blocks."""

    item: int
    block: int | None = None


class Cursor:
    """Where the reader is among messages and code blocks.

    Attributes:
        target: What the cursor is on; None when it is on nothing.
    """

    def __init__(self, document: Document) -> None:
        self.target: Target | None = None
        self._document = document

    def next_message(self, step: int, seen: range) -> bool:
        """Go to the message after (`step` 1) or before (-1); from nowhere to the first or last in view.

        Returns:
            Whether there is one.
        """
        item = self._start(step, seen) + step
        while 0 <= item < len(self._document.items):
            if isinstance(self._document.items[item], UserItem | ReplyItem | LiveReply):
                self.target = Target(item)
                return True
            item += step
        return False

    def next_block(self, step: int, seen: range) -> bool:
        """Go to the code block after (`step` 1) or before (-1); from nowhere to one in view.

        Returns:
            Whether there is one.
        """
        item = self._start(step, seen)
        if self.target is not None:
            number = (-1 if step > 0 else 0) if self.target.block is None else self.target.block
            if 0 <= number + step < len(self.blocks(item)):
                self.target = Target(item, number + step)
                return True
        item += step
        while 0 <= item < len(self._document.items):
            blocks = self.blocks(item)
            if blocks:
                self.target = Target(item, 0 if step > 0 else len(blocks) - 1)
                return True
            item += step
        return False

    def put(self, item: int, row: int) -> bool:
        """Go to the code block that has `row` of an item, else to its message; False where it is none."""
        if not isinstance(self._document.items[item], UserItem | ReplyItem | LiveReply):
            return False
        body = self._document.finish(item)
        ranges = (
            range(body.find(Anchor(TEXT, block.first_row)), body.find(Anchor(TEXT, block.last_row)) + 1)
            for block in self.blocks(item)
        )
        self.target = Target(item, next((number for number, rows in enumerate(ranges) if row in rows), None))
        return True

    def message(self) -> int | None:
        """The message at the cursor, or else the last one."""
        if self.target is not None:
            return self.target.item
        return self._last(UserItem | ReplyItem | LiveReply)

    def last_answer(self) -> int | None:
        """The last reply."""
        return self._last(ReplyItem | LiveReply)

    def block(self) -> CodeBlock | None:
        """The code block at the cursor, or else the last one."""
        if self.target is not None and self.target.block is not None:
            return self.blocks(self.target.item)[self.target.block]
        for item in reversed(range(len(self._document.items))):
            blocks = self.blocks(item)
            if blocks:
                return blocks[-1]
        return None

    def thinking(self, seen: range) -> int | None:
        """The message at the cursor, or else the last in view, that has a thinking or files to fold."""
        items = reversed(seen) if self.target is None else [self.target.item]
        return next((item for item in items if self._has_thinking(item)), None)

    def blocks(self, item: int) -> Sequence[CodeBlock]:
        """The code blocks of an item."""
        if not isinstance(self._document.items[item], ReplyItem | LiveReply):
            return ()
        text = self._document.text(item)
        if "```" not in text and "~~~" not in text and _INDENTED.search(text) is None:
            return ()
        body = self._document.finish(item)
        return body.code_blocks if isinstance(body, ReplyBody) else ()

    def row(self) -> tuple[int, int] | None:
        """The item and the row that the cursor's mark stands at."""
        target = self.target
        body = None if target is None else self._document.body(target.item)
        if target is None or body is None:
            return None
        if target.block is None:
            return target.item, body.find(Anchor(LEAD + 1, 0))
        return target.item, body.find(Anchor(TEXT, self.blocks(target.item)[target.block].first_row))

    def rows(self) -> tuple[int, int, int] | None:
        """The item, and the first and the last row of it that the cursor is on."""
        target = self.target
        if target is None:
            return None
        body = self._document.finish(target.item)
        if target.block is None:
            return target.item, body.find(Anchor(LEAD + 1, 0)), body.height - 1
        block = self.blocks(target.item)[target.block]
        first, last = (body.find(Anchor(TEXT, row)) for row in (block.first_row, block.last_row))
        return target.item, first, last

    def _start(self, step: int, seen: range) -> int:
        if self.target is not None:
            return self.target.item
        return seen.start - 1 if step > 0 else seen.stop

    def _last(self, kind: object) -> int | None:
        items = self._document.items
        return next((item for item in reversed(range(len(items))) if isinstance(items[item], kind)), None)  # type: ignore[arg-type]

    def _has_thinking(self, item: int) -> bool:
        entry = self._document.items[item]
        if isinstance(entry, UserItem):
            return bool(entry.files)
        return isinstance(entry, ReplyItem | LiveReply) and entry.has_thinking
