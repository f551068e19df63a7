"""The candidates for the word at the cursor, in a few lines that lie over what is above the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from qwentui.chat.sanitize import sanitize_line
from qwentui.tui.bound import bind

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events

    from qwentui.keyboard.keymap import Keymap
    from qwentui.tui.widgets.completion import Candidate, Offer

_MOST_ROWS = 8
_MARGIN = 3
"""Cells before a label, as many as the composer's prompt takes."""
_GAP = 2


class CompletionPopup(Widget):
    """Shows an offer and which of its candidates is chosen; takes up no room of the layout, and no focus.

    Args:
        clicked: Called when the user has clicked a candidate, which is chosen then.
        keymap: The keys in effect.

    Attributes:
        offer: What is shown, None while the popup is closed.
        chosen: The number of the chosen candidate, None for none.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "completion-popup--label",
        "completion-popup--about",
        "completion-popup--chosen",
    }

    def __init__(self, clicked: Callable[[], None], keymap: Keymap) -> None:
        super().__init__()
        bind(self, keymap, "completion")
        self._clicked = clicked
        self.display = False
        self.offer: Offer | None = None
        self.chosen: int | None = None
        self._top = 0

    def open(self, offer: Offer) -> None:
        """Show an offer; its first candidate is chosen, but for none where nothing is written yet."""
        self.offer = offer
        self.chosen = 0 if offer.end > offer.start else None
        self._top = 0
        self.styles.height = self._rows
        self.display = True
        self.refresh()

    def close(self) -> None:
        """Show nothing."""
        if self.offer is not None:
            self.offer = self.chosen = None
            self.display = False

    def move(self, step: int) -> None:
        """Choose the candidate `step` places on; behind the last comes the first."""
        if self.offer is None:
            return
        count = len(self.offer.candidates)
        if self.chosen is None:
            self.chosen = 0 if step > 0 else count - 1
        else:
            self.chosen = (self.chosen + step) % count
        self._top = min(max(self._top, self.chosen - self._rows + 1), self.chosen)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Choose a row, and have it taken."""
        event.stop()
        place = self._top + event.y
        if self.offer is not None and place < len(self.offer.candidates):
            self.chosen = place
            self._clicked()

    @property
    def _rows(self) -> int:
        """How many candidates are in view: never more than half of a low terminal."""
        count = 0 if self.offer is None else len(self.offer.candidates)
        return max(1, min(count, _MOST_ROWS, self.app.size.height // 2))

    def render_line(self, y: int) -> Strip:
        """A candidate."""
        width, place = self.size.width, self._top + y
        if self.offer is None or place >= len(self.offer.candidates):
            return Strip.blank(width, self.rich_style)
        shown = self.offer.candidates[self._top : self._top + self._rows]
        longest = max(cell_len(_label(candidate)) for candidate in shown)
        wide = min(longest, max(1, (width - _MARGIN) // 2))
        candidate = self.offer.candidates[place]
        label = self.get_component_rich_style("completion-popup--label")
        about = self.get_component_rich_style("completion-popup--about")
        below = len(self.offer.candidates) - place - 1 if y == self._rows - 1 else 0
        more = f" +{below} " if below else ""
        left = max(0, width - _MARGIN - wide - _GAP - len(more))
        segments = [
            Segment(" " * _MARGIN + _cut(_label(candidate), wide) + " " * _GAP, label),
            Segment(_cut(sanitize_line(candidate.about), left) + more, about),
        ]
        strip = Strip(segments).adjust_cell_length(width, self.rich_style)
        if place == self.chosen:
            chosen = self.get_component_rich_style("completion-popup--chosen", partial=True)
            strip = Strip(Segment.apply_style(strip, post_style=chosen), width)
        return strip


def _label(candidate: Candidate) -> str:
    return sanitize_line(candidate.label or candidate.text)


def _cut(text: str, width: int) -> str:
    """`text` in exactly `width` cells, with a mark where something is missing."""
    if cell_len(text) > width > 0:
        return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)
    return set_cell_size(text, width)
