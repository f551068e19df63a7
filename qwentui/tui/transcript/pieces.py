"""Text on its way into a flow, laid out in slices that leave the event loop room to breathe."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.tui.transcript.markdown import CodeBlock
    from qwentui.tui.transcript.wrap import Row

# Characters laid out between two looks at the clock: a millisecond or two.
_PIECE = 1_000


class Flow(Protocol):
    """Text in, rows out: Markdown or plain."""

    @property
    def rows(self) -> Sequence[Row]:
        """The rows so far."""

    @property
    def code_blocks(self) -> Sequence[CodeBlock]:
        """The code blocks so far."""

    @property
    def removed(self) -> int:
        """How many characters were dropped or made visible for safety."""

    def feed(self, text: str) -> None:
        """Take more text."""

    def render(self) -> int:
        """Lay out what was fed; the first row that may have changed comes back."""

    def close(self) -> int:
        """Lay out the rest; the first row that may have changed comes back."""


class Pieces:
    """A flow and the text that waits for it.

    Attributes:
        flow: What lays the text out.
        closed: Whether all the text is laid out and no more will come.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.closed = False
        self._waiting: list[str] = []
        self._piece = ""
        self._taken = 0
        self._ended = False

    def feed(self, text: str) -> None:
        """Take more text; nothing is laid out."""
        self._waiting.append(text)

    def end(self) -> None:
        """No more text will come."""
        self._ended = True

    @property
    def busy(self) -> bool:
        """Whether there is something to lay out."""
        return bool(self._waiting) or self._taken < len(self._piece) or (self._ended and not self.closed)

    @property
    def waiting(self) -> int:
        """How many characters wait."""
        return sum(map(len, self._waiting)) + max(len(self._piece) - self._taken, 0)

    def step(self, deadline: float) -> int:
        """Lay out what waits, one piece at least, until `deadline` (of `perf_counter`).

        Returns:
            The first row that may have changed.
        """
        changed = len(self.flow.rows)
        while self.busy:
            text = self._take()
            if text:
                self.flow.feed(text)
                changed = min(changed, self.flow.render())
            elif self._ended:
                changed = min(changed, self.flow.close())
                self.closed = True
            if perf_counter() >= deadline:
                break
        return changed

    def _take(self) -> str:
        if self._taken >= len(self._piece):
            self._piece = "".join(self._waiting)
            self._taken = 0
            self._waiting.clear()
        text = self._piece[self._taken : self._taken + _PIECE]
        self._taken += _PIECE
        return text
