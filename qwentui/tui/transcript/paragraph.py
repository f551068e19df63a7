"""Paragraphs and headings: text that flows, settled piece by piece so that its cost does not grow.

A paragraph may be endless. Whenever enough of it has arrived, the part whose meaning can no longer change is
parsed for good and its full rows are written; only the rest is parsed again with each frame. Where no such
part exists (a mark that stays open), the text is cut at 2,048 characters, and no marks pair across the cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from qwentui.tui.transcript import inline
from qwentui.tui.transcript.wrap import is_cjk, safe_cut, wrap, wrap_open

if TYPE_CHECKING:
    from rich.style import Style

    from qwentui.tui.transcript.ink import Ink
    from qwentui.tui.transcript.page import Page, Row

_SETTLE = 128
_RETRY = 64
_FORCE = 2048


@dataclass(slots=True)
class Paragraph:
    """Text that flows until its block ends.

    Attributes:
        page: Where the rows go.
        ink: The styles.
        width: Cells of a row.
        style: What the text is drawn in.
        single: Whether it is a heading, which ends with its line.
    """

    page: Page
    ink: Ink
    width: int
    style: Style
    single: bool = False
    _tail: str = ""
    _line: int = 0
    _whole_line: bool = False
    _carry: Row = ()
    _try_at: int = _SETTLE
    _settled: bool = False
    _preview: bool = False

    def add(self, text: str, more: bool) -> None:
        """Takes a line without its indent, or its first piece."""
        text = text.replace("\t", " ")
        if self._tail and not (is_cjk(self._tail[-1]) and is_cjk(text[:1])):
            # Between CJK characters a line break of the source is no space.
            self._tail += "\n"
        self._line = len(self._tail)
        self._whole_line = not more
        self._tail += text
        self._settle()

    def extend(self, text: str, more: bool) -> None:
        """Takes a further piece of the line."""
        del more
        self._tail += text.replace("\t", " ")
        self._whole_line = False
        self._settle()

    def underline(self, style: Style) -> bool:
        """Makes it a heading, which only a text of less than 128 characters can become."""
        if self._settled or self.single:
            return False
        self.style = style
        return True

    def last_line(self) -> str:
        """The last line, which may turn out to be the head of a table, or an empty text if it is too long."""
        return self._tail[self._line :] if self._whole_line and not self.single else ""

    def drop_last_line(self) -> bool:
        """Gives the last line away; returns whether anything is left."""
        self._tail = self._tail[: self._line]
        return bool(self._tail or self._carry or self._settled)

    def close(self) -> None:
        """Writes what is left."""
        text = self._tail.rstrip()
        parsed = inline.parse(text)
        self.page.removed += parsed.removed
        row = self.ink.draw(parsed.runs, self.style, self._carry)
        self.page.put(wrap(row, self.width))

    def clone(self) -> Self:
        """An independent copy that writes on the same page, to preview a line that goes on."""
        return type(self)(
            self.page,
            self.ink,
            self.width,
            self.style,
            self.single,
            self._tail,
            self._line,
            self._whole_line,
            self._carry,
            self._try_at,
            self._settled,
            _preview=True,
        )

    def _settle(self) -> None:
        while len(self._tail) >= self._try_at and not self._preview:
            # The head of a table stays in one piece until the next line has shown what it is.
            held = self._whole_line and "|" in self._tail[self._line :]
            text = self._tail[: self._line + 1] if held else self._tail
            found = inline.settled(text)
            if found is None and len(text) >= _FORCE:
                cut = inline.last_border(text, _FORCE - 1) or safe_cut(text, _FORCE - 1)
                found = cut, inline.parse(text[:cut])
            if found is None:
                self._try_at = len(self._tail) + _RETRY
                return
            self._take(*found)
            self._try_at = _SETTLE

    def _take(self, cut: int, parsed: inline.Inline) -> None:
        self.page.removed += parsed.removed
        rows, self._carry = wrap_open(self.ink.draw(parsed.runs, self.style, self._carry), self.width)
        self.page.put(rows)
        self._tail = self._tail[cut:]
        self._line = max(self._line - cut, 0)
        self._settled = True
