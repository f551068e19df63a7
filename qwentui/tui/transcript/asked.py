"""What a user says with files: the words, and a line for each file, which unfolds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment

from qwentui.tui.transcript.body import FOOT, TEXT, PlainBody, Section, one_line
from qwentui.tui.transcript.items import UserItem
from qwentui.tui.transcript.pieces import Pieces

if TYPE_CHECKING:
    from qwentui.tui.transcript.folding import Folds
    from qwentui.tui.transcript.palette import Palette
    from qwentui.tui.transcript.wrap import Row


class AskedBody(PlainBody):
    """The rows of what a user says; of files, those that are unfolded."""

    def __init__(self, item: UserItem, width: int, palette: Palette, folds: Folds) -> None:
        self._item = item
        self._folds = folds
        self._files: dict[int, Pieces] = {}
        super().__init__(UserItem(item.text[: item.said], item.footer), width, palette)
        self._words = tuple(self._pieces)
        self.fold()

    def fold(self) -> None:
        """Follow the reader's folds."""
        for number in range(len(self._item.files)):
            if number in self._folds.blocks:
                self._files.pop(number, None)
            elif number not in self._files:
                self._files[number] = self._laid_out(number)
        self._pieces = [*self._words, *self._files.values()]
        self.compose()

    def step(self, deadline: float) -> int:
        """Lay out what waits until `deadline` (of `perf_counter`); the first row that changed comes back."""
        changed = super().step(deadline)
        return changed if not self._files else len(self._lead)

    def sections(self) -> list[Section]:
        """The words, the files, and the line below them if there is one."""
        rows = self._flow.rows
        sections = [Section(TEXT, self._gutter, rows, 0, len(rows), 0)]
        place = len(rows)
        for number, attached in enumerate(self._item.files):
            file = self._files.get(number)
            line = self._line(attached.line, is_open=file is not None)
            sections.append(Section(TEXT, self._gutter, (line,), 0, 1, place, fold=number))
            place += 1
            if file is not None:
                sections.append(Section(TEXT, self._gutter, file.flow.rows, 0, len(file.flow.rows), place))
                place += len(file.flow.rows)
        return [*sections, Section(FOOT, self._gutter, self._foot, 0, len(self._foot), 0)]

    def _line(self, line: str, *, is_open: bool) -> Row:
        sign = "▾" if is_open else "▸"
        return (Segment(one_line(f"{sign} {line}", self.width), self.palette.dim),)

    def _laid_out(self, number: int) -> Pieces:
        # The engine takes long to import, and most files stay folded.
        from qwentui.tui.transcript.markdown import MarkdownFlow

        pieces = Pieces(MarkdownFlow(self.width, self.palette))
        file = self._item.files[number]
        pieces.feed(self._item.text[file.start : file.end])
        pieces.end()
        return pieces
