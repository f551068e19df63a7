"""The files that go along with what is being written, above the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from qwentui.language import ngettext

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 4


class AttachmentList(Static):
    """A line for each file; nothing where none is named."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self.display = False
        self._lines: tuple[tuple[str, bool], ...] = ()

    def show(self, lines: Sequence[tuple[str, bool]]) -> None:
        """Show what goes along.

        Args:
            lines: Each line with whether its file goes; in order.
        """
        if tuple(lines) == self._lines:
            return
        self._lines = tuple(lines)
        self.display = bool(lines)
        shown = lines if len(lines) <= _SHOWN else lines[: _SHOWN - 1]
        rows = [Text.assemble(" + " if goes else " ! ", line) for line, goes in shown]
        if left := len(lines) - len(shown):
            rows.append(Text("   " + ngettext("+{n} more file", "+{n} more files", left).format(n=left)))
        self.update(Text("\n").join(rows))
