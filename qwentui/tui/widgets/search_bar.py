"""The line in which the reader says what to look for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from qwentui.language import _
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from textual.app import ComposeResult


class SearchBar(Horizontal):
    """Tells each change of its text, and Enter."""

    class Changed(Message):
        """What is looked for is now `text`."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Done(Message):
        """The text stands; the matches are walked with keys."""

    def __init__(self) -> None:
        super().__init__()
        self._input = Line(placeholder=_("search"), compact=True)
        self._count = Static("", markup=False)

    def compose(self) -> ComposeResult:
        """The text, and how many matches it has."""
        yield Static(" / ", markup=False)
        yield self._input
        yield self._count

    def open(self) -> None:
        """Show the line, with the text of the last time selected."""
        self.display = True
        self.screen.set_focus(self._input)
        self._input.select_all()
        self.post_message(self.Changed(self._input.value))

    def put(self, text: str) -> None:
        """Look for `text`, as if it were typed and entered."""
        self._input.value = text
        self.post_message(self.Changed(text))
        self.post_message(self.Done())

    def close(self) -> None:
        """Hide the line."""
        self.display = False

    def tell(self, ordinal: int, count: int, *, complete: bool) -> None:
        """Show which match of how many is the current one."""
        text = "" if not self._input.value else f"{ordinal}/{count}{'' if complete else '…'} "
        self._count.update(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass the text on."""
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Leave the text as it is."""
        event.stop()
        self.post_message(self.Done())
