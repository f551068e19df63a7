"""The line of gauges: what the card holds, how fast replies are, how full the context is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from qwentui.chat.context import ContextWindow
    from qwentui.tui.widgets.gauge_forms import Part, Readings


class Gauges(Widget):
    """Shows what is known, and says nothing of what is not; painted anew only when it would look different.

    Attributes:
        window: The context as it is now, with what is being typed.
        readings: All else; None before the first look.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "gauges--plain",
        "gauges--dim",
        "gauges--warning",
        "gauges--error",
        "gauges--bar",
        "gauges--bar-warning",
        "gauges--bar-error",
    }

    def __init__(self) -> None:
        super().__init__()
        self.window: ContextWindow | None = None
        self.readings: Readings | None = None
        self._painted: tuple[Part, ...] = ()

    def show_context(self, window: ContextWindow | None) -> None:
        """The context as it is now, with what is being typed."""
        self.window = window
        self._paint()

    def show(self, readings: Readings) -> None:
        """All that is known beside the context."""
        self.readings = readings
        self._paint()

    def _paint(self) -> None:
        if self._parts() != self._painted:
            self.refresh()

    def _parts(self) -> tuple[Part, ...]:
        if self.window is None and self.readings is None:
            return ()
        # The first paint has nothing to show, and need not know how.
        from qwentui.tui.widgets.gauge_forms import Readings, fitted

        return fitted(self.readings or Readings(), self.window, self.size.width)

    def render_line(self, _y: int) -> Strip:
        """The only line: the fullest form that fits."""
        self._painted = self._parts()
        segments = [
            Segment(text, self.get_component_rich_style(f"gauges--{style}")) for text, style in self._painted
        ]
        plain = self.get_component_rich_style("gauges--plain")
        return Strip(segments).adjust_cell_length(self.size.width, plain)
