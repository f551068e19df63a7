"""The last line: how full the context is, and how fast the last reply was."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from qwentui.chat.context import ContextWindow
    from qwentui.chat.usage import Usage

_BAR = 16
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_NEARLY_FULL = 0.8

Part = tuple[str, str]
"""Text and the class of its style."""


class Gauges(Widget):
    """Shows what is known, and says nothing of what is not."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "gauges--plain",
        "gauges--dim",
        "gauges--good",
        "gauges--warning",
        "gauges--error",
    }

    def __init__(self) -> None:
        super().__init__()
        self._window: ContextWindow | None = None
        self._usage: Usage | None = None

    def show_context(self, window: ContextWindow | None) -> None:
        """The context as it is now, with what is being typed."""
        if window != self._window:
            self._window = window
            self.refresh()

    def show_usage(self, usage: Usage | None) -> None:
        """What the last reply cost."""
        self._usage = usage
        self.refresh()

    def render_line(self, _y: int) -> Strip:
        """The only line: the fullest form that fits."""
        width = self.size.width
        forms = [
            self._form(bar=bar, names=names) for bar, names in ((True, True), (False, True), (False, False))
        ]
        parts = next((form for form in forms if _length(form) <= width), forms[-1])
        segments = [Segment(text, self.get_component_rich_style(f"gauges--{style}")) for text, style in parts]
        return Strip(segments).adjust_cell_length(width, self.get_component_rich_style("gauges--plain"))

    def _form(self, *, bar: bool, names: bool) -> list[Part]:
        parts: list[Part] = [(" ", "plain")]
        if self._window is not None:
            parts += _context(self._window, bar=bar, names=names)
        usage = self._usage
        if usage is not None and usage.ttft is not None:
            parts += [("   TTFT " if names else "  ", "dim"), (f"{usage.ttft:.2f}s", "plain")]
        if usage is not None and (rate := usage.server.tokens_per_second) is not None:
            parts += [("   " if names else "  ", "dim"), (f"{rate:.0f}", "plain"), (" tok/s", "dim")]
        return parts


def _length(parts: list[Part]) -> int:
    return sum(cell_len(text) for text, _ in parts)


def _context(window: ContextWindow, *, bar: bool, names: bool) -> list[Part]:
    """CTX =3,412 ▕███▌    ┆▏7.5k/8.2k: exact (=) or about (~); the mark is where trimming begins."""
    state = "plain"
    if window.mismatch:
        state = "error"
    elif window.used > _NEARLY_FULL * window.limit:
        state = "warning"
    parts: list[Part] = [("CTX ", "dim")] if names else []
    parts.append((f"{'=' if window.exact else '~'}{window.used:,}", state))
    if bar:
        parts += [(" ▕", "dim"), *_bar(window, "good" if state == "plain" else state), ("▏", "dim")]
    else:
        parts.append(("/", "dim"))
    sizes = f"{_thousands(window.limit)}/{_thousands(window.num_ctx)}" if names else _thousands(window.limit)
    parts.append((sizes, "dim"))
    if window.loaded is not None and window.loaded != window.num_ctx:
        parts.append((f" ! {_thousands(window.loaded)} loaded", "error"))
    return parts


def _bar(window: ContextWindow, style: str) -> list[Part]:
    eighths = min(_BAR * 8, round(window.used / window.num_ctx * _BAR * 8))
    cells = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    cells += " " * (_BAR - len(cells))
    mark = min(_BAR - 1, int(window.limit / window.num_ctx * _BAR))
    if cells[mark] == " ":
        return [(cells[:mark], style), ("┆", "dim"), (cells[mark + 1 :], style)]
    return [(cells, style)]


def _thousands(tokens: int) -> str:
    return f"{tokens / 1000:.1f}k" if tokens >= 1000 else str(tokens)  # noqa: PLR2004 - a thousand
