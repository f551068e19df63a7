"""A screen with the gauges in full, which goes on while it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from qwentui.tui.screens.gauge_report import report

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from qwentui.tui.screens.gauge_report import Sight

_NARROWEST = 20
_PLOTS = "[▁-█]+"


class GaugePanel(ModalScreen[None]):
    """Shows what the gauges know, anew every second.

    Args:
        look: Gives it.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "dismiss", "Close", show=False, priority=True),
        Binding("q", "dismiss", "Close", show=False),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"gauge-panel--plot"}

    def __init__(self, look: Callable[[], Sight]) -> None:
        super().__init__()
        self._look = look
        self._shown = ""
        self._plot: Style | None = None

    def compose(self) -> ComposeResult:
        """The text, scrollable where it is too long."""
        with VerticalScroll(id="panel"):
            yield Static(markup=False)

    def on_mount(self) -> None:
        """Write it, and again every second."""
        self.set_interval(1.0, self._write)
        self.call_after_refresh(self._write)

    def on_resize(self) -> None:
        """The plots are as wide as the panel."""
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        panel = self.query_one(VerticalScroll)
        plot = Style(color=self.get_component_rich_style("gauge-panel--plot").color)
        text = report(self._look(), max(_NARROWEST, panel.scrollable_content_region.width))
        text.highlight_regex(_PLOTS, plot)
        if (text.plain, plot) != (self._shown, self._plot):
            self._shown, self._plot = text.plain, plot
            self.query_one(Static).update(text)

    def action_down(self) -> None:
        """Scroll down."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """Scroll up."""
        self.query_one(VerticalScroll).scroll_up(animate=False)
