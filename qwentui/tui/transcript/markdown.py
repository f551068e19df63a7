"""Markdown that arrives in pieces, laid out as rows of styled text at a constant cost per token.

The text is read line by line, and a long line piece by piece: of 96 characters once it is sure to be a
paragraph's, else of 512. Where it is cut and what a piece means depends only on the text before it, so rows
come out the same however the text was cut. After every ``render`` the rows are those of the text so far, as
if it ended here; only marks at the end that may still become several things (``-``, ``**``, two backticks)
wait for what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.tui.transcript import sink
from qwentui.tui.transcript.blocks import Blocks
from qwentui.tui.transcript.highlight import warm
from qwentui.tui.transcript.ink import Ink
from qwentui.tui.transcript.page import CodeBlock, Page, Row
from qwentui.tui.transcript.wrap import safe_cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.tui.transcript.palette import Palette

__all__ = ["CodeBlock", "MarkdownFlow", "Row", "layout", "warm"]

_PIECE = 512
_SHORT_PIECE = 96
_SLACK = 8
_NARROWEST = 4


class MarkdownFlow:
    """One text, laid out while it arrives.

    Args:
        width: Cells of a row; less than 4 is taken as 4.
        palette: The styles.
    """

    def __init__(self, width: int, palette: Palette) -> None:
        self._page = Page()
        self._blocks = Blocks(self._page, Ink(palette), max(width, _NARROWEST))
        self._final = self._page.mark()
        self._arrived: list[str] = []
        self._line = ""
        self._inside_line = False
        self._closed = False

    @property
    def rows(self) -> Sequence[Row]:
        """All rows: the final ones, and those of the open block."""
        return self._page.rows

    @property
    def code_blocks(self) -> Sequence[CodeBlock]:
        """The code blocks in order. They are put together at each access: O(their text)."""
        return self._page.code_blocks()

    @property
    def removed(self) -> int:
        """How many characters the sink took out or replaced."""
        return self._page.removed

    def feed(self, text: str) -> None:
        """Takes text, without laying it out.

        Raises:
            RuntimeError: The text was closed.
        """
        if self._closed:
            raise RuntimeError("The text has ended.")
        self._arrived.append(text)

    def render(self) -> int:
        """Lays out what arrived since the last call.

        Returns:
            The index of the first row that may differ from before; ``len(rows)`` if there is none.
        """
        if not self._arrived:
            return len(self._page.rows)
        return self._advance(end=False)

    def close(self) -> int:
        """Ends the text; returns what ``render`` returns. Closing again does nothing."""
        if self._closed:
            return len(self._page.rows)
        self._closed = True
        return self._advance(end=True)

    def _advance(self, *, end: bool) -> int:
        page = self._page
        settled = self._final.rows
        before = page.rows[settled:]
        page.rewind(self._final)
        self._read(end=end)
        self._final = page.mark()
        if end:
            self._blocks.close()
        else:
            self._preview()
        same = 0
        for old, new in zip(before, page.rows[settled : settled + len(before)], strict=False):
            if old != new:
                break
            same += 1
        return settled + same

    def _read(self, *, end: bool) -> None:
        """Gives the lines and long pieces that are complete to the blocks."""
        text = self._line + "".join(self._arrived)
        self._arrived.clear()
        held = ""
        if "\r" in text:
            # A carriage return at the end may be half of a line break.
            if text[-1] == "\r" and not end:
                text, held = text[:-1], "\r"
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        complete = text.split("\n")
        last = complete.pop()
        for line in complete:
            self._give(self._cut(line), more=False)
        self._line = self._cut(last)
        if end and (self._line or self._inside_line):
            self._give(self._line, more=False)
            self._line = ""
        if held:
            self._line += held

    def _cut(self, line: str) -> str:
        """Gives the pieces of a long line to the blocks; returns the rest."""
        while len(line) > _SHORT_PIECE + _SLACK:
            flows = self._blocks.flows(line[:_SHORT_PIECE], inside_line=self._inside_line)
            size = _SHORT_PIECE if flows else _PIECE
            if len(line) <= size + _SLACK:
                break
            cut = safe_cut(line, size)
            self._give(line[:cut], more=True)
            line = line[cut:]
        return line

    def _give(self, text: str, *, more: bool) -> None:
        text, removed = sink.clean(text)
        self._page.removed += removed
        if self._inside_line:
            self._blocks.extend(text, more=more)
        else:
            self._blocks.line(text, more=more)
        self._inside_line = more

    def _preview(self) -> None:
        """Writes the open block as if the text ended here, to be taken back by the next call."""
        blocks = self._blocks.clone()
        text, removed = sink.clean(self._line.removesuffix("\r"))
        self._page.removed += removed
        if self._inside_line:
            blocks.extend(text, more=False)
        elif text and not blocks.is_undecided(text):
            blocks.line(text, more=False)
        blocks.close()


def layout(text: str, width: int, palette: Palette) -> MarkdownFlow:
    """Lays out a whole text at once."""
    flow = MarkdownFlow(width, palette)
    flow.feed(text)
    flow.close()
    return flow
