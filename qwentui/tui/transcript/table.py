"""Tables: columns as wide as their cells, as far as the screen allows, and fixed after forty rows."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

from rich.segment import Segment

from qwentui.tui.transcript import inline
from qwentui.tui.transcript.wrap import row_cells, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from qwentui.tui.transcript.ink import Ink
    from qwentui.tui.transcript.page import Page, Row

Alignment = Literal["left", "center", "right"]

_DELIMITERS = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*\Z")
_PIPE = re.compile(r"(?<!\\)\|")
_BETWEEN = " │ "
_CROSS = "─┼─"
_NARROWEST = 3
_FREEZE_ROWS = 40
_FREEZE_CHARACTERS = 8192
_LONGEST_ROW = 4096
_UNBROKEN = 1 << 30


@dataclass(frozen=True, slots=True)
class _TableRow:
    source: str
    cells: tuple[Row, ...]


@dataclass(slots=True)
class _Drawn:
    """Rows that were drawn at some widths, shared by all copies of an open table."""

    widths: tuple[int, ...] = ()
    rows: list[tuple[_TableRow, list[Row]]] = field(default_factory=list)


def alignments(line: str) -> tuple[Alignment, ...] | None:
    """The columns that a delimiter row (``|---|:-:|``) declares, or None if ``line`` is none."""
    if _DELIMITERS.match(line) is None:
        return None
    return tuple(_alignment(cell) for cell in _split(line))


def is_head(line: str, columns: int) -> bool:
    """Whether ``line`` can be the head of a table of so many columns."""
    return "|" in line and len(_split(line)) == columns


@dataclass(slots=True)
class Table:
    """A table. Its rows are written once its widths are fixed."""

    page: Page
    ink: Ink
    width: int
    columns: tuple[Alignment, ...]
    _rows: tuple[_TableRow, ...] = ()
    _natural: tuple[int, ...] = ()
    _frozen: tuple[int, ...] | None = None
    _characters: int = 0
    _line: str = ""
    _drawn: _Drawn = field(default_factory=_Drawn)

    def add(self, text: str, more: bool) -> None:
        """Takes a row, or its first piece."""
        self._line += text.replace("\t", " ")
        if more and len(self._line) < _LONGEST_ROW:
            return
        self._add_row(self._line)
        self._line = ""

    def extend(self, text: str, more: bool) -> None:
        """Takes a further piece of the row."""
        self.add(text, more)

    def close(self) -> None:
        """Writes what is left."""
        if self._line:
            self._add_row(self._line)
            self._line = ""
        if self._frozen is None:
            self._write(self._widths())

    def clone(self) -> Self:
        """An independent copy that writes on the same page."""
        return copy(self)

    def _add_row(self, source: str) -> None:
        style = self.ink.palette.text if self._natural else self.ink.palette.table_head
        row = _TableRow(source, tuple(self._cell(text, style) for text in self._fitted(_split(source))))
        if self._frozen is not None:
            self.page.put(self._draw(row, self._frozen, head=False))
            return
        widest = tuple(max(map(row_cells, wrap(cell, _UNBROKEN)), default=0) for cell in row.cells)
        self._natural = tuple(map(max, widest, self._natural)) if self._natural else widest
        self._rows = (*self._rows, row)
        self._characters += len(source)
        if len(self._rows) > _FREEZE_ROWS or self._characters > _FREEZE_CHARACTERS:
            self._frozen = self._widths()
            self._write(self._frozen)
            self._rows = ()
            self._drawn = _Drawn()

    def _fitted(self, texts: list[str]) -> list[str]:
        """Exactly one text for each column; what is too much joins the last."""
        count = len(self.columns)
        if len(texts) > count:
            return [*texts[: count - 1], " | ".join(texts[count - 1 :])]
        return texts + [""] * (count - len(texts))

    def _cell(self, text: str, style: Style) -> Row:
        parsed = inline.parse(text)
        self.page.removed += parsed.removed
        return self.ink.draw(parsed.runs, style)

    def _widths(self) -> tuple[int, ...]:
        """Column widths; empty if the screen is too narrow for columns."""
        room = self.width - len(_BETWEEN) * (len(self.columns) - 1)
        if room < _NARROWEST * len(self.columns):
            return ()
        return _shared(tuple(max(width, 1) for width in self._natural), room)

    def _write(self, widths: tuple[int, ...]) -> None:
        drawn = self._drawn
        if drawn.widths != widths:
            drawn.widths, drawn.rows = widths, []
        for index, row in enumerate(self._rows):
            if index < len(drawn.rows) and drawn.rows[index][0] is row:
                self.page.put(drawn.rows[index][1])
                continue
            rows = self._draw(row, widths, head=not index)
            del drawn.rows[index:]
            drawn.rows.append((row, rows))
            self.page.put(rows)

    def _draw(self, row: _TableRow, widths: tuple[int, ...], *, head: bool) -> list[Row]:
        palette = self.ink.palette
        if not widths:
            return wrap([Segment(row.source.strip(), palette.text)], self.width)
        columns = [wrap(cell, width) for cell, width in zip(row.cells, widths, strict=True)]
        border = Segment(_BETWEEN, palette.table_border)
        rows: list[Row] = []
        for index in range(max(1, *map(len, columns))):
            parts: list[Segment] = []
            for column, (lines, width, side) in enumerate(zip(columns, widths, self.columns, strict=True)):
                if column:
                    parts.append(border)
                parts += _padded(lines[index] if index < len(lines) else (), width, side, palette.text)
            rows.append(tuple(parts))
        if head:
            rows.append((Segment(_CROSS.join("─" * width for width in widths), palette.table_border),))
        return rows


def _padded(line: Row, width: int, side: Alignment, style: Style) -> Sequence[Segment]:
    space = width - row_cells(line)
    if not space:
        return line
    before = {"left": 0, "center": space // 2, "right": space}[side]
    padded = [Segment(" " * before, style), *line, Segment(" " * (space - before), style)]
    return [segment for segment in padded if segment.text]


def _shared(natural: tuple[int, ...], room: int) -> tuple[int, ...]:
    """``natural`` widths cut so that they fit into ``room``: narrow columns keep theirs, wide ones share."""
    widths = list(natural)
    if sum(widths) <= room:
        return natural
    open_columns = sorted(range(len(widths)), key=lambda column: widths[column])
    while open_columns:
        share = room // len(open_columns)
        column = open_columns.pop(0)
        widths[column] = min(widths[column], share)
        room -= widths[column]
    return tuple(widths)


def _split(line: str) -> list[str]:
    line = line.strip(" ").removeprefix("|")
    texts = _PIPE.split(line)
    if len(texts) > 1 and not texts[-1].strip(" "):
        texts.pop()
    return [text.replace("\\|", "|").strip(" ") for text in texts]


def _alignment(cell: str) -> Alignment:
    if cell.endswith(":"):
        return "center" if cell.startswith(":") else "right"
    return "left"
