"""Block structure, one line at a time: which containers are open, and the one block whose end is not known.

Every block but the last is final. The containers write nothing of their own but the margin, so whatever they
hold is final block by block, and inside a block line by line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.segment import Segment

from qwentui.tui.transcript import lines, lists
from qwentui.tui.transcript.fence import Fence, Indented, Listing
from qwentui.tui.transcript.leaf import Html
from qwentui.tui.transcript.page import Margin, Page
from qwentui.tui.transcript.paragraph import Paragraph
from qwentui.tui.transcript.table import Table, alignments, is_head

if TYPE_CHECKING:
    from qwentui.tui.transcript.ink import Ink
    from qwentui.tui.transcript.leaf import Leaf
    from qwentui.tui.transcript.lists import Container

_CODE_INDENT = 4
_TASK = re.compile(r"\[([ xX])\][ \t]+(?=\S)")
_FENCE_BEGUN = re.compile(r"[ \t>]*[`~]+[ \t]*\Z")


class Blocks:
    """The open containers and the open block of a text."""

    __slots__ = ("_blank", "_first", "_ink", "_leaf", "_page", "_stack", "_tight", "_width")

    def __init__(self, page: Page, ink: Ink, width: int) -> None:
        self._page = page
        self._ink = ink
        self._width = width
        self._stack: list[Container] = []
        self._leaf: Leaf | None = None
        self._blank = False
        self._first = True
        self._tight = False

    def clone(self) -> Blocks:
        """An independent copy that writes on the same page."""
        twin = Blocks(self._page, self._ink, self._width)
        twin._stack = self._stack.copy()
        twin._leaf = self._leaf.clone() if self._leaf else None
        twin._blank, twin._first, twin._tight = self._blank, self._first, self._tight
        return twin

    def is_undecided(self, text: str) -> bool:
        """Whether ``text``, the beginning of a line, may still become several things."""
        if isinstance(self._leaf, Fence):
            return _FENCE_BEGUN.match(text) is not None
        return lines.is_undecided(text)

    def flows(self, text: str, *, inside_line: bool) -> bool:
        """Whether ``text``, a piece of a line, is sure to be a paragraph's whatever follows it."""
        if inside_line:
            return isinstance(self._leaf, Paragraph)
        flowing = self._leaf is None or isinstance(self._leaf, Paragraph)
        return flowing and lines.is_flowing(text)

    def line(self, text: str, *, more: bool) -> None:
        """Takes a line; with ``more`` only its first piece."""
        depth, rest = lists.matched(self._stack, text)
        whole = depth == len(self._stack)
        if isinstance(self._leaf, Fence) and whole:
            if more or not self._leaf.closed_by(rest):
                self._leaf.add(rest, more)
            else:
                self._close_leaf()
        elif not rest.strip(" \t"):
            self._blank_line(depth)
        elif not (whole and self._verbatim_line(rest, more)):
            self._open(depth, rest, more)

    def extend(self, text: str, *, more: bool) -> None:
        """Takes a further piece of the line that came last."""
        if self._leaf is not None:
            self._leaf.extend(text, more)
        elif text.strip():
            self._begin(len(self._stack), tight=True)
            self._flow(text.lstrip(), more)

    def close(self) -> None:
        """Ends the text."""
        self._close_to(0)

    def _verbatim_line(self, rest: str, more: bool) -> bool:
        """Gives the line to an open block of HTML or indented code; returns whether it took it."""
        leaf = self._leaf
        if isinstance(leaf, Html):
            leaf.add(rest, more)
        elif isinstance(leaf, Indented) and lines.indent_of(rest) >= _CODE_INDENT:
            leaf.add(lines.strip_columns(rest, _CODE_INDENT), more)
        else:
            return False
        return True

    def _blank_line(self, depth: int) -> None:
        if depth < len(self._stack):
            self._close_to(depth)
        elif isinstance(self._leaf, Indented):
            self._leaf.add_blank()
        else:
            self._close_leaf()
            # An item that begins with two blank lines is empty.
            if self._first and self._stack and self._stack[-1].is_item and self._page.margin.pending:
                self._close_to(len(self._stack) - 1)
        self._blank = True

    def _open(self, depth: int, rest: str, more: bool) -> None:
        """Opens what the line begins, or goes on with the paragraph or table that is open."""
        opened = False
        while (inner := self._enter(depth, rest, opened=opened)) is not None:
            rest, opened = inner, True
            depth = len(self._stack)
            if not rest.strip(" \t"):
                return
        body = rest.lstrip(" \t")
        indented = lines.indent_of(rest) >= _CODE_INDENT
        if indented and self._flowing() is None:
            self._begin(depth, tight=False)
            self._leaf = Indented(Listing.begun(self._page, self._ink, self._room()))
            self._leaf.add(lines.strip_columns(rest, _CODE_INDENT), more)
        elif indented or not self._begin_leaf(depth, rest, body, more):
            self._continue(depth, body, more)

    def _enter(self, depth: int, rest: str, *, opened: bool) -> str | None:
        """Opens the container that the line begins; returns the line behind its mark."""
        if lines.indent_of(rest) >= _CODE_INDENT or depth >= lists.DEEPEST:
            return None
        behind = lines.quoted(rest)
        if behind is not None:
            self._begin(depth, tight=False)
            container, margin = lists.quote(self._page.margin, self._ink.palette, self._width)
        else:
            found = lines.list_item(rest)
            if found is None or lines.is_rule(rest.lstrip(" \t")) or self._keeps(depth, found, opened=opened):
                return None
            behind = found.rest
            sibling = self._begin(depth, tight=True, kind=found.kind)
            around = sum(container.is_item for container in self._stack)
            container, margin = lists.item(
                found, sibling, self._page.margin, self._ink.palette, depth=around, width=self._width
            )
        self._stack.append(container)
        self._page.margin = margin
        self._first = True
        return behind

    def _keeps(self, depth: int, found: lines.ListItem, *, opened: bool) -> bool:
        """Whether the open paragraph takes the line although it looks like an item."""
        interrupts = not opened and depth == len(self._stack) and self._flowing() is not None
        return interrupts and (not found.rest or found.number not in {-1, 1})

    def _flowing(self) -> Paragraph | None:
        """The open paragraph, unless it is a heading."""
        leaf = self._leaf
        return leaf if isinstance(leaf, Paragraph) and not leaf.single else None

    def _begin_leaf(self, depth: int, rest: str, body: str, more: bool) -> bool:
        """Begins the block that the line opens, if it opens one that can stand anywhere."""
        if body[0] not in "#`~<-=*_:|":
            return False
        if depth == len(self._stack) and not more and self._convert(body):
            return True
        title = lines.heading(body)
        if title:
            self._begin(depth, tight=False)
            style = self._ink.palette.heading(title[0])
            self._leaf = Paragraph(self._page, self._ink, self._room(), style, single=True)
            self._leaf.add(title[1], more)
        elif marks := lines.fence_marks(body):
            self._begin(depth, tight=False)
            info = body.removeprefix(marks).strip()
            listing = Listing.begun(self._page, self._ink, self._room(), info)
            self._leaf = Fence(listing, marks, lines.indent_of(rest))
        elif not more and lines.is_rule(body):
            self._begin(depth, tight=False)
            self._page.put([(Segment("─" * self._room(), self._ink.palette.rule),)])
        elif lines.is_html(body):
            self._begin(depth, tight=False)
            self._leaf = Html(self._page, self._ink, self._room())
            self._leaf.add(rest, more)
        else:
            return False
        return True

    def _convert(self, body: str) -> bool:
        """Makes the open paragraph a heading or the head of a table, if the line says so."""
        leaf = self._leaf
        if not isinstance(leaf, Paragraph):
            return False
        level = lines.underline(body)
        if level and leaf.underline(self._ink.palette.heading(level)):
            self._close_leaf()
            return True
        columns = alignments(body) if "-" in body else None
        head = leaf.last_line()
        if columns is None or not is_head(head, len(columns)):
            return False
        if leaf.drop_last_line():
            self._begin(len(self._stack), tight=False)
        self._leaf = Table(self._page, self._ink, self._room(), columns)
        self._leaf.add(head, more=False)
        return True

    def _continue(self, depth: int, body: str, more: bool) -> None:
        leaf = self._leaf if depth == len(self._stack) else None
        goes_on = leaf if isinstance(leaf, Table) else self._flowing()
        if goes_on is not None:
            goes_on.add(body, more)
            self._blank = False
            return
        self._begin(depth, tight=False)
        self._flow(body, more)

    def _flow(self, body: str, more: bool) -> None:
        """Begins a paragraph."""
        self._tight = True
        margin = self._page.margin
        task = _TASK.match(body)
        if task and margin.pending and self._stack[-1].is_item:
            body = body[task.end() :]
            done = task[1] != " "
            if self._stack[-1].number < 0:
                self._page.margin = lists.boxed(margin, done=done)
            else:
                body = ("☑ " if done else "☐ ") + body
        self._leaf = Paragraph(self._page, self._ink, self._room(), self._ink.palette.text)
        self._leaf.add(body, more)

    def _begin(self, depth: int, *, tight: bool, kind: str = "") -> Container | None:
        """Closes what a new block at ``depth`` ends and leaves an empty row where one belongs.

        Args:
            depth: How many containers go on.
            tight: Whether the block may stand right below a paragraph.
            kind: The kind of list, if it is an item.

        Returns:
            The item before it, if it continues a list.
        """
        before = self._close_to(depth)
        sibling = before if before is not None and before.is_item and before.kind == kind else None
        apart = self._blank
        if not depth and sibling is None and not (tight and self._tight):
            apart = True
        if apart and not self._first:
            self._page.gap()
        self._blank = self._first = self._tight = False
        return sibling

    def _close_leaf(self) -> None:
        if self._leaf is not None:
            self._leaf.close()
            self._leaf = None

    def _close_to(self, depth: int) -> Container | None:
        """Closes the open block, and the containers beyond ``depth``; returns the outermost of those."""
        self._close_leaf()
        if depth >= len(self._stack):
            return None
        if self._page.margin.pending:
            self._page.put([()])
        popped = self._stack[depth]
        del self._stack[depth:]
        self._page.margin = self._stack[-1].margin if self._stack else Margin()
        self._first = False
        return popped

    def _room(self) -> int:
        """Cells of a row inside the margin."""
        return max(self._width - self._page.margin.cells, 2)
