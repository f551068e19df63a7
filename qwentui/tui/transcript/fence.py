"""Code blocks: each line is highlighted, drawn and final once it is complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from rich.segment import Segment

from qwentui.tui.transcript.highlight import Draft, State, highlighter
from qwentui.tui.transcript.lines import indent_of, strip_columns
from qwentui.tui.transcript.wrap import chop, chop_open, wrap

if TYPE_CHECKING:
    from qwentui.tui.transcript.ink import Ink
    from qwentui.tui.transcript.page import Page, Row

_BAR = "▏ "
_TAB = 4
_NARROWEST_BARRED = 6


@dataclass(slots=True)
class Listing:
    """The rows of one code block: a dim bar, then the code, cut at the width and never at words."""

    page: Page
    ink: Ink
    width: int
    language: str
    state: State | None = None
    pieces: tuple[str, ...] = ()
    carry: Row = ()
    empty: bool = True
    draft: Draft = field(default_factory=Draft)
    preview: bool = False

    @classmethod
    def begun(cls, page: Page, ink: Ink, width: int, info: str = "") -> Self:
        """A new block; an info string that says more than the language is shown above the code."""
        listing = cls(page, ink, width, info.split(maxsplit=1)[0] if info else "")
        page.begin_code(listing.language)
        if info != listing.language:
            label = Segment(info.expandtabs(_TAB), ink.palette.code_bar)
            listing._put(wrap([label], listing._room()), None)
        return listing

    def add(self, text: str, more: bool) -> None:
        """Adds to the current line; without ``more`` that ends the line."""
        self.empty = False
        code = self._drawn(text, more)
        if more:
            rows, self.carry = chop_open(code, self._room())
            self.pieces = (*self.pieces, text)
            self._put(rows, None)
        else:
            self._put(chop(code, self._room()) or [()], "".join((*self.pieces, text)))
            self.pieces, self.carry = (), ()

    def finish(self) -> None:
        """Ends the block, and the line if one is still open; an empty block keeps one row."""
        if self.pieces:
            self.add("", more=False)
        elif self.empty:
            self._put([()], None)

    def clone(self) -> Self:
        """An independent copy that writes on the same page, to preview a line that goes on."""
        return type(self)(
            self.page,
            self.ink,
            self.width,
            self.language,
            self.state,
            self.pieces,
            self.carry,
            self.empty,
            self.draft,
            preview=True,
        )

    def _drawn(self, text: str, more: bool) -> Row:
        found = highlighter(self.language)
        text = text.expandtabs(_TAB)
        if found is None:
            return self.ink.draw_code([((), text)] if text else [], self.carry)
        state = self.state or found.start
        if self.preview:
            tokens = self.draft.line(found, text, state)
        else:
            tokens, self.state = found.line(text, state, more=more)
        return self.ink.draw_code(tokens, self.carry)

    def _room(self) -> int:
        return self.width - len(_BAR) if self.width >= _NARROWEST_BARRED else self.width

    def _put(self, rows: list[Row], line: str | None) -> None:
        if self.width >= _NARROWEST_BARRED:
            bar = Segment(_BAR, self.ink.palette.code_bar)
            rows = [(bar, *row) for row in rows]
        self.page.put_code(rows, line)


@dataclass(slots=True)
class Fence:
    """A fenced code block."""

    listing: Listing
    mark: str
    indent: int

    def closed_by(self, text: str) -> bool:
        """Whether ``text`` is the line that ends the block."""
        body = text.strip(" \t")
        return len(body) >= len(self.mark) and body == self.mark[0] * len(body) and indent_of(text) < _TAB

    def add(self, text: str, more: bool) -> None:
        """Takes a line of code, or its first piece."""
        self.listing.add(strip_columns(text, min(indent_of(text), self.indent)), more)

    def extend(self, text: str, more: bool) -> None:
        """Takes a further piece of the line; a line that opened the block goes on as code."""
        self.listing.add(text, more)

    def close(self) -> None:
        """Writes what is left."""
        self.listing.finish()

    def clone(self) -> Self:
        """An independent copy that writes on the same page."""
        return type(self)(self.listing.clone(), self.mark, self.indent)


@dataclass(slots=True)
class Indented:
    """A code block by indentation. Blank lines belong to it only if code follows them."""

    listing: Listing
    blanks: tuple[str, ...] = field(default=())

    def add(self, text: str, more: bool) -> None:
        """Takes a line without the four columns of its indent, or its first piece."""
        for blank in self.blanks:
            self.listing.add(blank, more=False)
        self.blanks = ()
        self.listing.add(text, more)

    def add_blank(self) -> None:
        """Takes a blank line."""
        self.blanks = (*self.blanks, "")

    def extend(self, text: str, more: bool) -> None:
        """Takes a further piece of the line."""
        self.listing.add(text, more)

    def close(self) -> None:
        """Writes what is left."""
        self.listing.finish()

    def clone(self) -> Self:
        """An independent copy that writes on the same page."""
        return type(self)(self.listing.clone(), self.blanks)
