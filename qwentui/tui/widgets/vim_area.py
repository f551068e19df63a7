"""A text area with vim's normal mode, for those who want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from qwentui.tui.widgets.completing import CompletingTextArea

if TYPE_CHECKING:
    from textual import events

    from qwentui.keyboard.keymap import Keymap
    from qwentui.tui.vim.normal import Deed, Normal


class VimTextArea(CompletingTextArea):
    """Inserts what is typed, until Escape leads to normal mode, if `vim` is on.

    Args:
        keymap: The keys in effect.

    Attributes:
        vim: Whether there is a normal mode.
    """

    class ModeChanged(Message):
        """Characters are commands from now on, or text again."""

        def __init__(self, *, commanding: bool) -> None:
            super().__init__()
            self.commanding = commanding

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(keymap)
        self.vim = False
        self._normal: Normal | None = None
        self._kept: Normal | None = None

    @property
    def commanding(self) -> bool:
        """Whether characters are commands."""
        return self._normal is not None

    def insert_again(self) -> None:
        """Leave normal mode."""
        if self._normal is not None:
            self._normal.pending = ""
            self._normal = None
            self.post_message(self.ModeChanged(commanding=False))

    def obey(self, event: events.Key) -> bool:
        """Act on a key as vim does; whether that was one of vim's."""
        if not self.vim:
            return False
        if event.key == "escape":
            return self._escape()
        if self._normal is None or event.character is None or not event.is_printable:
            return False
        deed = self._normal.press(event.character, self.text, self._at)
        if deed is not None:
            self._do(deed)
        return True

    def _escape(self) -> bool:
        """Go to normal mode, or forget what is not whole there; else the key is someone else's."""
        if self._normal is not None:
            begun, self._normal.pending = self._normal.pending, ""
            return bool(begun)
        if self._kept is None:
            # Whoever does not use it does not load it.
            from qwentui.tui.vim.normal import Normal

            self._kept = Normal()
        self._normal = self._kept
        row, column = self.cursor_location
        self.move_cursor((row, max(column - 1, 0)))
        self.post_message(self.ModeChanged(commanding=True))
        return True

    @property
    def _at(self) -> int:
        """The index of the cursor in the text."""
        row, column = self.cursor_location
        return sum(len(line) + 1 for line in self.document.lines[:row]) + column

    def _location(self, at: int) -> tuple[int, int]:
        """The row and column of an index in the text."""
        before = self.text[:at]
        return before.count("\n"), at - (before.rfind("\n") + 1)

    def _do(self, deed: Deed) -> None:
        steps = {"undo": self.action_undo, "up": self.action_cursor_up, "down": self.action_cursor_down}
        if deed.also in steps:
            for _time in range(deed.times):
                steps[deed.also]()
            self._rest()
            return
        if deed.text is not None:
            # One command, one step back.
            self.history.checkpoint()
            start, end = self._location(deed.start), self._location(deed.end)
            self._unasked = True
            self.replace(deed.text, start, end, maintain_selection_offset=False)
            self.history.checkpoint()
        self.move_cursor(self._location(deed.cursor))
        if deed.also == "insert":
            self.insert_again()

    def _rest(self) -> None:
        """Put the cursor on a character, where normal mode has it."""
        from qwentui.tui.vim.motions import resting

        self.move_cursor(self._location(resting(self.text, self._at)))
