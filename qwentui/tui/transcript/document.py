"""The items of a transcript, how high each is, and the rows of those that are looked at."""

from __future__ import annotations

from collections import OrderedDict
from time import perf_counter
from typing import TYPE_CHECKING

from qwentui.tui.transcript.asked import AskedBody
from qwentui.tui.transcript.body import BLANK, Body, Line, PlainBody
from qwentui.tui.transcript.folding import Folds
from qwentui.tui.transcript.heights import Heights
from qwentui.tui.transcript.items import ReplyItem, UserItem, estimate, source
from qwentui.tui.transcript.reply import LiveReply, ReplyBody

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from qwentui.tui.transcript.items import Item
    from qwentui.tui.transcript.palette import Palette

# Rows of finished items that are kept; a row takes about a kilobyte.
_KEPT_ROWS = 4_000
# Items of at most this many characters are laid out at once when they come into view.
_SMALL = 8_000
_BORDER_ROWS = 2
_FOREVER = float("inf")


class Document:
    """What a transcript shows, independent of where it is scrolled to.

    An item's height is estimated until it is laid out for the first time; after that it is known, even when
    its rows are dropped again. All rows depend on `width` and `palette`.

    Attributes:
        items: All items; an open reply is a `LiveReply`.
        heights: Their heights in rows.
        width: Columns for the text; 0 until it is known, and then there are no heights yet.
        live: The index of the open reply.
        busy: The items with something left to lay out.
    """

    def __init__(self, palette: Palette) -> None:
        self.items: list[Item | LiveReply] = []
        self.heights = Heights()
        self.width = 0
        self.live: int | None = None
        self._palette = palette
        self.busy: set[int] = set()
        self._crowded = False
        self._bodies: OrderedDict[int, Body] = OrderedDict()
        self._folds: dict[int, Folds] = {}
        self._border: tuple[int, str] | None = None

    def load(self, items: Sequence[Item | LiveReply]) -> None:
        """Show `items` and nothing else; one of them may be a reply that is still open."""
        self.items = list(items)
        self.live = next((index for index, item in enumerate(items) if isinstance(item, LiveReply)), None)
        self._border = None
        self._folds.clear()
        # As after a change of width: nothing that is known of heights is about these items.
        width, self.width = self.width, 0
        self.lay_out(width, self._palette)

    def lay_out(self, width: int, palette: Palette) -> None:
        """Start again at another width or with other styles; heights stay while the width does."""
        self._bodies.clear()
        self.busy.clear()
        self._palette = palette
        if width != self.width or len(self.heights) != len(self.items):
            self.width = width
            self.heights = Heights(map(self._estimate, range(len(self.items) if width else 0)))
        if self.live is not None and width:
            self.settle(self.live)

    def append(self, item: Item | LiveReply) -> int:
        """Put an item at the end; its index comes back."""
        index = len(self.items)
        self.items.append(item)
        if isinstance(item, LiveReply):
            self.live = index
        if self.width:
            self.heights.append(self._estimate(index))
            if index == self.live:
                self.settle(index)
        return index

    def replace(self, index: int, item: Item) -> None:
        """Show another item at `index`."""
        self.items[index] = item
        self._folds.pop(index, None)
        self._forget(index)

    def truncate(self, length: int) -> None:
        """Keep the first `length` items."""
        del self.items[length:]
        if self.width:
            self.heights.truncate(length)
        for kept in (self._bodies, self._folds):
            for index in [index for index in kept if index >= length]:
                kept.pop(index)
        self.busy = {index for index in self.busy if index < length}
        if self.live is not None and self.live >= length:
            self.live = None

    @property
    def border(self) -> tuple[int, str] | None:
        """The first item that is still sent, and what the rule above it says."""
        return self._border

    def set_border(self, index: int | None, label: str) -> None:
        """Items above `index` are not sent any more; a rule with `label` says so above it."""
        before, self._border = self._border, None if index is None else (index, label)
        for border in (before, self._border):
            if border is not None and border[0] < len(self.items) and self.width:
                body = self._bodies.get(border[0])
                if body is None:
                    self._forget(border[0])
                else:
                    body.set_border(self._label(border[0]))
                    self.heights[border[0]] = body.height

    def is_unsent(self, index: int) -> bool:
        """Whether an item stands above the border."""
        return self._border is not None and index < self._border[0]

    def folds(self, index: int) -> Folds:
        """What is folded in a message; the files of a user's are, at first."""
        return self._folds.setdefault(index, _folds_of(self.items[index]))

    def refold(self, index: int) -> None:
        """Follow a change of `folds(index)`."""
        body = self._bodies.get(index)
        if isinstance(body, ReplyBody | AskedBody):
            body.fold()
            self._run(index, body)

    def feed_thinking(self, text: str) -> None:
        """More thinking arrived in the open reply."""
        index, live, body = self._open()
        live.add_thinking(text)
        if body is not None:
            body.feed_thinking(text)
            self.busy.add(index)

    def feed_text(self, text: str) -> None:
        """More of the answer arrived in the open reply."""
        index, live, body = self._open()
        live.add_content(text)
        if body is not None:
            body.feed_text(text)
            self.busy.add(index)

    def set_status(self, text: str) -> None:
        """Say `text` beside the open reply."""
        self._open()[1].status = text

    def close(self, item: ReplyItem) -> None:
        """The open reply is finished as `item`; its rows stay when the text is the same."""
        index, live, body = self._open()
        self.live = None
        self.items[index] = item
        if body is None:
            return
        if (live.content, live.thinking) != (item.content, item.thinking):
            self._bodies.pop(index)
            self.settle(index)
            return
        body.close(item)
        self._run(index, body)

    def body(self, index: int) -> Body | None:
        """The rows of an item, if they are laid out."""
        return self._bodies.get(index)

    def line(self, index: int, row: int) -> Line:
        """A row of an item; empty while it is not laid out."""
        body = self._bodies.get(index)
        return Line(BLANK, (), quiet=False) if body is None else body.line(row)

    def settle(self, index: int) -> Body:
        """Lay an item out if it is not: a short one at once, a long one by `step`."""
        body = self._bodies.get(index)
        if body is None:
            body = self._make(index)
            self._run(index, body)
        self._bodies.move_to_end(index)
        return body

    def finish(self, index: int) -> Body:
        """Lay an item out to its end, however long it is."""
        body = self.settle(index)
        if body.busy:
            self.step(index, _FOREVER)
        return body

    def drop_unseen(self, seen: Container[int]) -> None:
        """Forget the rows looked at longest ago, of finished items out of sight, when there are many."""
        if not self._crowded:
            return
        self._crowded = False
        rows = sum(body.height for body in self._bodies.values())
        for index in list(self._bodies):
            if rows <= _KEPT_ROWS:
                return
            if index != self.live and index not in seen:
                rows -= self._bodies.pop(index).height
                self.busy.discard(index)

    def step(self, index: int, deadline: float) -> int:
        """Lay out more of an item until `deadline` (of `perf_counter`).

        Returns:
            Its first row that may have changed.
        """
        body = self._bodies[index]
        changed = body.step(deadline)
        if not body.busy:
            self.busy.discard(index)
        if body.height != self.heights[index]:
            self.heights[index] = body.height
        return changed

    def text(self, index: int) -> str:
        """The source text of an item."""
        item = self.items[index]
        return item.content if isinstance(item, LiveReply) else source(item)

    def _open(self) -> tuple[int, LiveReply, ReplyBody | None]:
        live = None if self.live is None else self.items[self.live]
        if self.live is None or not isinstance(live, LiveReply):
            raise LookupError("no reply is open")
        body = self._bodies.get(self.live)
        return self.live, live, body if isinstance(body, ReplyBody) else None

    def _make(self, index: int) -> Body:
        item = self.items[index]
        body: Body
        if isinstance(item, ReplyItem | LiveReply):
            body = ReplyBody(item, self.width, self._palette, self.folds(index))
        elif isinstance(item, UserItem) and item.files:
            body = AskedBody(item, self.width, self._palette, self.folds(index))
        else:
            body = PlainBody(item, self.width, self._palette)
        label = self._label(index)
        if label is not None:
            body.set_border(label)
        if body.busy:
            body.floor = self.heights[index]
        self._bodies[index] = body
        self._crowded = True
        return body

    def _run(self, index: int, body: Body) -> None:
        """Lay out a short text at once; of a long one the first rows."""
        deadline = _FOREVER if body.waiting <= _SMALL else perf_counter()
        body.step(deadline)
        self.heights[index] = body.height
        if body.busy:
            self.busy.add(index)
        else:
            self.busy.discard(index)

    def _label(self, index: int) -> str | None:
        return self._border[1] if self._border is not None and self._border[0] == index else None

    def _estimate(self, index: int) -> int:
        item = self.items[index]
        if isinstance(item, LiveReply):
            item = ReplyItem(item.content)
        return estimate(item, self.width) + (_BORDER_ROWS if self._label(index) is not None else 0)

    def _forget(self, index: int) -> None:
        self._bodies.pop(index, None)
        self.busy.discard(index)
        if self.width:
            self.heights[index] = self._estimate(index)


def _folds_of(item: Item | LiveReply) -> Folds:
    files = len(item.files) if isinstance(item, UserItem) else 0
    return Folds(blocks=set(range(files)))
