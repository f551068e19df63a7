"""Leaf blocks: what holds text, and the simplest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from rich.segment import Segment

from qwentui.tui.transcript.wrap import wrap

if TYPE_CHECKING:
    from qwentui.tui.transcript.ink import Ink
    from qwentui.tui.transcript.page import Page

_TAB = 4


class Leaf(Protocol):
    """A block that holds text. It writes rows on the page as soon as they are final."""

    def add(self, text: str, more: bool) -> None:
        """Takes a line; with ``more`` only its first piece."""

    def extend(self, text: str, more: bool) -> None:
        """Takes a further piece of the line."""

    def close(self) -> None:
        """Writes what is left."""

    def clone(self) -> Self:
        """An independent copy that writes on the same page."""


class Html:
    """Raw HTML: every line as it is written."""

    __slots__ = ("ink", "page", "width")

    def __init__(self, page: Page, ink: Ink, width: int) -> None:
        self.page, self.ink, self.width = page, ink, width

    def add(self, text: str, more: bool) -> None:
        """Takes a line, or its first piece."""
        del more
        line = Segment(text.expandtabs(_TAB).rstrip(), self.ink.palette.html)
        self.page.put(wrap([line], self.width))

    extend = add

    def close(self) -> None:
        """Writes nothing: no line waits."""

    def clone(self) -> Self:
        """Itself: it has no state."""
        return self
