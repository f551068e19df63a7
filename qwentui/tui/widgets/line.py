"""One line to write in."""

from __future__ import annotations

from textual.widgets import Input


class Line(Input):
    """An input that is quiet while nobody types, and whose cursor an input method finds at once."""

    def __init__(self, value: str = "", placeholder: str = "", *, compact: bool = False) -> None:
        super().__init__(value, placeholder, compact=compact, select_on_focus=False)
        # A blinking cursor writes to the terminal for ever.
        self.cursor_blink = False

    def on_resize(self) -> None:
        """Say where the cursor is: when the focus came, there was no place on the screen yet."""
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset
