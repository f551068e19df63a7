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


_LEAST = 8
"""Cells below which a title says nothing."""


class TitleBar(Widget):
    """`qwentui · MODEL @ HOST · PERSONA` on the left, the chat's title and state on the right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"title-bar--name", "title-bar--model", "title-bar--dim"}

    def __init__(self) -> None:
        super().__init__()
        self._model = ""
        self._host = ""
        self._persona = ""
        self._note = ""
        self._title = ""
        self._live = ""

    def show(
        self,
        *,
        model: str | None = None,
        host: str | None = None,
        persona: str | None = None,
        note: str | None = None,
        title: str | None = None,
        live: str | None = None,
    ) -> None:
        """Change what is given, keep what is not; a note stands in the place of the title."""
        self._model = self._model if model is None else sanitize_line(model, 60)
        self._host = self._host if host is None else sanitize_line(host, 60)
        self._persona = self._persona if persona is None else sanitize_line(persona, 60)
        self._note = self._note if note is None else sanitize_line(note, 80)
        self._title = self._title if title is None else sanitize_line(title, 60)
        self._live = self._live if live is None else live
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
        if self._persona:
            left += [(" · ", dim), (self._persona, self.get_component_rich_style("title-bar--model"))]
        used = sum(cell_len(text) for text, _ in left)
        right = self._right(max(0, width - used - 1))
        room = max(0, width - used - cell_len(right))
        segments = [Segment(text, style) for text, style in left]
        segments += [Segment(" " * room, dim), Segment(right, dim)]
        return Strip(segments).crop(0, width)

    def _right(self, room: int) -> str:
        """The note or the title, cut to the room in cells, and how many chats are live."""
        live = self._live and f"  {self._live}"
        text, left = self._note or self._title, room - cell_len(live) - 1
        if left < 0:
            return ""
        if cell_len(text) > left:
            text = set_cell_size(text, left - 1).rstrip() + "…" if left >= _LEAST else ""
        return f"{text}{live} "
