"""One side of a comparison: who answers, the chat, and what the answer cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Vertical
from textual.widgets import Static

from qwentui.keyboard.keymap import DEFAULT
from qwentui.tui import phrases
from qwentui.tui.bound import bind
from qwentui.tui.transcript.view import Transcript

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from qwentui.keyboard.keymap import Keymap
    from qwentui.tui.comparison import Side
    from qwentui.tui.transcript.palette import Palette


class ComparedTranscript(Transcript):
    """The transcript with the keys of a comparison."""

    def __init__(self, palette: Palette, fps: int, keymap: Keymap) -> None:
        super().__init__(palette, fps=fps)
        bind(self, keymap, "compare")


class CompareColumn(Vertical):
    """Shows a side.

    Args:
        palette: The transcript's colours.
        fps: Frames a second while text streams.
        keymap: The keys in effect.
    """

    def __init__(self, palette: Palette, fps: int, keymap: Keymap = DEFAULT) -> None:
        super().__init__()
        self.transcript = ComparedTranscript(palette, fps, keymap)
        self._head = Static(classes="head", markup=False)
        self._figures = Static(classes="figures", markup=False)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._head
        yield self.transcript
        yield self._figures

    def show(self, side: Side, state: str, beside: str) -> None:
        """Say what is true now.

        Args:
            side: The side.
            state: What is to say about it.
            beside: What is to say about the other one, "" where that one can be seen.
        """
        head = Text.assemble(" ", (side.letter, "bold"), f"  {side.name}", (f"  {state}", "dim"))
        if beside:
            head.append(f"  {beside}", "dim")
        self._head.update(head)
        reply = side.reply
        figures = "" if reply is None else f"{phrases.footer(reply)}\n{phrases.figures(reply)}"
        self._figures.update(figures)
