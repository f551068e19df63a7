"""The sheet that blocks write their rows on, which can be rewound to what is final."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A code block as a reader copies or folds it.

    Attributes:
        first_row: Its first row.
        last_row: Its last row, inclusive.
        language: The first word of the info string as written; empty without one.
        text: Its source, without the fences and without a newline at the end.
    """

    first_row: int
    last_row: int
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Margin:
    """What stands at the left of every row of a block: bars of quotes, marks and indents of lists.

    Attributes:
        first: For the next row; it holds the marks of items that have no row yet.
        rest: For the rows after it.
        cells: The width of either.
    """

    first: Row = ()
    rest: Row = ()
    cells: int = 0

    @property
    def pending(self) -> bool:
        """Whether the mark of an item waits for its row."""
        return self.first is not self.rest

    def plus(self, first: Segment, rest: Segment, cells: int) -> Margin:
        """This margin with one more container at its right."""
        return Margin((*self.first, first), (*self.rest, rest), self.cells + cells)

    def spent(self) -> Margin:
        """This margin after its first row."""
        return Margin(self.rest, self.rest, self.cells)


@dataclass(frozen=True, slots=True)
class _Code:
    first_row: int
    last_row: int
    language: str
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A state of a page to come back to."""

    rows: int
    codes: int
    code: _Code | None
    lines: int
    removed: int
    margin: Margin


@dataclass(slots=True)
class Page:
    """Rows from top to bottom, with the code blocks among them.

    Attributes:
        rows: All rows.
        margin: The margin of the rows to come.
        removed: Characters that the sink took out of what was written.
    """

    rows: list[Row] = field(default_factory=list)
    margin: Margin = field(default_factory=Margin)
    removed: int = 0
    _codes: list[_Code] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)

    def put(self, rows: Iterable[Row]) -> None:
        """Writes rows behind the margin."""
        for row in rows:
            margin = self.margin
            if margin.cells:
                self.rows.append((*margin.first, *row))
                if margin.pending:
                    self.margin = margin.spent()
            else:
                self.rows.append(row)

    def gap(self) -> None:
        """Writes an empty row, with the bars of the quotes that go on."""
        row = self.margin.rest
        while row and not row[-1].text.strip():
            row = row[:-1]
        self.rows.append(row)

    def begin_code(self, language: str) -> None:
        """Starts a code block at the next row."""
        self._codes.append(
            _Code(len(self.rows), len(self.rows), language, len(self._lines), len(self._lines))
        )

    def put_code(self, rows: Iterable[Row], line: str | None) -> None:
        """Writes rows of the code block that was begun last, and a line of its source if one is complete."""
        self.put(rows)
        if line is not None:
            self._lines.append(line)
        code = self._codes[-1]
        last_row = max(len(self.rows) - 1, code.first_row)
        self._codes[-1] = _Code(code.first_row, last_row, code.language, code.first_line, len(self._lines))

    def code_blocks(self) -> tuple[CodeBlock, ...]:
        """The code blocks in order; O(their text)."""
        return tuple(
            CodeBlock(
                code.first_row,
                code.last_row,
                code.language,
                "\n".join(self._lines[code.first_line : code.last_line]),
            )
            for code in self._codes
        )

    def mark(self) -> Mark:
        """The state of the page, for ``rewind``."""
        code = self._codes[-1] if self._codes else None
        return Mark(len(self.rows), len(self._codes), code, len(self._lines), self.removed, self.margin)

    def rewind(self, mark: Mark) -> None:
        """Takes back everything that was written since ``mark``."""
        del self.rows[mark.rows :]
        del self._codes[mark.codes :]
        del self._lines[mark.lines :]
        if mark.code is not None:
            self._codes[-1] = mark.code
        self.removed = mark.removed
        self.margin = mark.margin
