"""The first line: what is talked to, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from qwentui.chat.sanitize import sanitize_line

if TYPE_CHECKING:
    from rich.style import Style


class TitleBar(Widget):
    """`qwentui · MODEL @ HOST` on the left, the chat's title and state on the right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"title-bar--name", "title-bar--model", "title-bar--dim"}

    def __init__(self) -> None:
        super().__init__()
        self._model = ""
        self._host = ""
        self._note = ""

    def show(self, *, model: str | None = None, host: str | None = None, note: str | None = None) -> None:
        """Change what is given, keep what is not."""
        self._model = self._model if model is None else sanitize_line(model, 60)
        self._host = self._host if host is None else sanitize_line(host, 60)
        self._note = self._note if note is None else sanitize_line(note, 80)
        self.refresh()

    def render_line(self, _y: int) -> Strip:
        """The only line."""
        width = self.size.width
        dim = self.get_component_rich_style("title-bar--dim")
        left: list[tuple[str, Style]] = [(" qwentui", self.get_component_rich_style("title-bar--name"))]
        if self._model:
            left += [(" · ", dim), (self._model, self.get_component_rich_style("title-bar--model"))]
        if self._host:
            left.append((f" @ {self._host}", dim))
        note = f"{self._note} " if self._note else ""
        used = sum(cell_len(text) for text, _ in left)
        room = width - used - cell_len(note)
        if room < 1:
            note, room = "", max(0, width - used)
        segments = [Segment(text, style) for text, style in left]
        segments += [Segment(" " * room, dim), Segment(set_cell_size(note, cell_len(note)), dim)]
        return Strip(segments).crop(0, width)
