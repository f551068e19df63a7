"""From rows to strips: margins, dimming, marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwentui.tui.transcript.body import Line
    from qwentui.tui.transcript.wrap import Row

_KEPT_STRIPS = 400
_DIM = Style(dim=True)
_CURSOR = "›"


class Look(NamedTuple):
    """How a row is drawn, besides its own styles.

    Attributes:
        base: What all of it is drawn on.
        dim: Whether it steps back.
        cursor: The style of the cursor's mark in the first column, where the cursor is.
    """

    base: Style
    dim: bool
    cursor: Style | None


class Span(NamedTuple):
    """Characters `start` to `end` of a row, drawn with `style` over their own."""

    start: int
    end: int
    style: Style


class Painter:
    """Strips of the rows drawn lately, so that scrolling builds none twice."""

    def __init__(self) -> None:
        self._strips: LRUCache[tuple[int, int], tuple[Row, Look, Strip]] = LRUCache(_KEPT_STRIPS)

    def clear(self) -> None:
        """Forget all strips."""
        self._strips.clear()

    def strip(self, place: tuple[int, int], line: Line, look: Look) -> Strip:
        """The strip of a row, not padded to the right.

        Args:
            place: The item and its row, for finding it again.
            line: What stands there.
            look: How it is drawn.
        """
        known = self._strips.get(place)
        if known is not None and known[0] is line.row and known[1] == look:
            return known[2]
        base = look.base + _DIM if look.dim or line.quiet else look.base
        gutter = line.gutter
        segments = [Segment(gutter.text, base + gutter.style if gutter.style else base)]
        if look.cursor is not None:
            segments = [Segment(_CURSOR, base + look.cursor), Segment(gutter.text[1:], segments[0].style)]
        segments += [Segment(text, base + style if style else base) for text, style, _ in line.row]
        strip = Strip(segments)
        self._strips[place] = (line.row, look, strip)
        return strip


def highlight(strip: Strip, spans: Iterable[Span]) -> Strip:
    """A strip with some of its characters marked."""
    segments = list(strip)
    for span in spans:
        marked: list[Segment] = []
        start = 0
        for segment in segments:
            end = start + len(segment.text)
            first, last = (min(max(edge, start), end) - start for edge in (span.start, span.end))
            text, style = segment.text, segment.style or Style.null()
            parts = ((text[:first], style), (text[first:last], style + span.style), (text[last:], style))
            marked += [Segment(part, part_style) for part, part_style in parts if part]
            start = end
        segments = marked
    return Strip(segments)
