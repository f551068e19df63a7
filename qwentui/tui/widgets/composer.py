"""Where the user writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from qwentui.chat.sanitize import sanitize_whole
from qwentui.keyboard.keymap import DEFAULT
from qwentui.tui.bound import bind
from qwentui.tui.widgets.vim_area import VimTextArea

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events

    from qwentui.keyboard.keymap import Keymap


class Composer(VimTextArea):
    """A text area that grows with its text, sends on Enter, and remembers what was sent.

    Up in an empty composer brings the last prompt back; Up and Down then walk the history for as long as
    what it gave is not changed.

    Args:
        load_history: Gives the prompts of earlier times, oldest first; called when they are first wanted.
        keymap: The keys in effect.

    Attributes:
        waiting: Whether prompts wait to be sent; then Up and Enter in an empty composer are about those.
    """

    class Submitted(Message):
        """The user wants `text` sent; it has left the composer."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class TakeBackWanted(Message):
        """The user wants the last prompt that waits back."""

    class LetGoWanted(Message):
        """The user wants sent what is held."""

    class EditorWanted(Message):
        """The user wants to go on in an editor of their own."""

    class ReadWanted(Message):
        """The user wants to read the chat with keys."""

    class LeaveWanted(Message):
        """The user pressed the end-of-file key in an empty composer."""

    def __init__(self, load_history: Callable[[], list[str]], keymap: Keymap = DEFAULT) -> None:
        super().__init__(keymap)
        bind(self, keymap, "composer")
        # A blinking cursor writes to the terminal for ever.
        self.cursor_blink = False
        self._load_history = load_history
        self._history: list[str] | None = None
        self._place = 0
        self.waiting = False

    def on_resize(self) -> None:
        """Say where the cursor is: when the focus came, there was no place on the screen yet."""
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset

    def remember(self, text: str) -> None:
        """Add what was sent to the history."""
        if self._history is None:
            self._history = self._load_history()
        if self._history[-1:] != [text]:
            self._history.append(text)
        self._place = len(self._history)

    async def _on_key(self, event: events.Key) -> None:
        """Act on a key when its turn has come.

        Textual runs a widget's bindings only after the key has travelled up to the app; what was typed
        behind it in the same burst, as comes over a slow link, would by then be in the text already. While
        the popup is open, its keys go first.
        """
        popups = self.completion_bindings(event.key)
        if not popups and self.obey(event):
            event.stop()
            event.prevent_default()
            return
        for binding in (*popups, *self._bindings.key_to_bindings.get(event.key, ())):
            event.stop()
            event.prevent_default()
            await self.run_action(binding.action)
            return

    async def _on_paste(self, event: events.Paste) -> None:
        # Textual calls the base class's handler next, with the same event. Terminals paste lines with CR.
        event.text = sanitize_whole(event.text.replace("\r\n", "\n").replace("\r", "\n")).text

    def action_send(self) -> None:
        """Hand the text up and begin anew; who cannot take it gives it back."""
        if self.text.strip():
            self.post_message(self.Submitted(self.text))
            self.clear()
            self.insert_again()
        elif self.waiting:
            self.post_message(self.LetGoWanted())

    def give_back(self, text: str) -> None:
        """Put `text`, which could not be sent, before what has been written since."""
        self.text = f"{text}\n{self.text}" if self.text else text
        self.move_cursor(self.document.end)

    def action_newline(self) -> None:
        """Begin a new line where the cursor is."""
        self.insert("\n")

    def action_editor(self) -> None:
        """Ask for the user's editor."""
        self.post_message(self.EditorWanted())

    def action_read(self) -> None:
        """Hand the keys to the transcript."""
        self.post_message(self.ReadWanted())

    def action_leave(self) -> None:
        """Leave the program when there is nothing to lose, else delete the character under the cursor."""
        if self.text:
            self.action_delete_right()
        else:
            self.post_message(self.LeaveWanted())

    def action_cursor_up(self, select: bool = False) -> None:
        """Move up; from the first line, to the prompt before this one."""
        if self.waiting and not self.text:
            self.post_message(self.TakeBackWanted())
        elif select or self.cursor_location[0] > 0 or not self._walk(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Move down; from the last line, to the prompt after this one."""
        if select or self.cursor_location[0] < self.document.line_count - 1 or not self._walk(1):
            super().action_cursor_down(select)

    def _walk(self, step: int) -> bool:
        """Show the prompt `step` places on in the history; False when the cursor should move instead."""
        if self._history is None:
            if self.text:
                return False
            self._history = self._load_history()
        walking = self._place < len(self._history) and self.text == self._history[self._place]
        if not walking:
            if self.text:
                return False
            self._place = len(self._history)
        place = self._place + step
        if not 0 <= place <= len(self._history):
            return walking
        self._place = place
        self.text = self._history[place] if place < len(self._history) else ""
        self.move_cursor(self.document.end)
        return True
