"""A text area that offers how the word at its cursor may go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.tui.widgets.completion_popup import CompletionPopup
from qwentui.tui.widgets.long_lines import LongLines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import Binding

    from qwentui.keyboard.keymap import Keymap
    from qwentui.tui.widgets.completion import Completion, Offer


_NOWHERE = (-1, -1)


class CompletingTextArea(LongLines):
    """Opens a popup while what is typed can be completed, and closes it before it is in anyone's way.

    Only typing opens it: a text that is pasted, recalled or put here by the program does not. Once closed
    with a key it stays closed until another word is begun.

    Args:
        keymap: The keys in effect.

    Attributes:
        popup: Shows the candidates. Whoever composes this widget composes that one too, right before the
            widget above which it is to stand.
        completions: Who is asked, in this order; the first that has an offer is heard.
    """

    def __init__(self, keymap: Keymap) -> None:
        # Textual moves the cursor of the empty text while it makes the widget, which is watched here.
        self.popup = CompletionPopup(self.action_take_completion, keymap)
        self.completions: list[Completion] = []
        self._unasked = False
        self._looked_at = _NOWHERE
        self._refused: tuple[int, int] | None = None
        super().__init__(soft_wrap=True, show_line_numbers=False, compact=True, highlight_cursor_line=False)

    def load_text(self, text: str) -> None:
        """Put another text here, which was not typed."""
        self._unasked = True
        super().load_text(text)

    async def _on_paste(self, _event: events.Paste) -> None:
        # Textual calls the base class's handler next, which inserts the text.
        self._unasked = True

    def update_suggestion(self) -> None:
        """Look what can be completed; Textual calls this after each change."""
        if self._unasked:
            self._unasked = False
            self._looked_at = _NOWHERE
            self.popup.close()
        else:
            self._look()

    def watch_selection(self) -> None:
        """Follow the cursor while the popup is open."""
        if self.popup.offer is not None:
            self._look()

    def look_again(self) -> None:
        """Ask anew for the word that is being typed: candidates have come that were not there before."""
        if self.has_focus and self.cursor_location == self._looked_at:
            self._look()

    def on_blur(self) -> None:
        """Nobody writes here now."""
        self.popup.close()

    def completion_bindings(self, key: str) -> Sequence[Binding]:
        """What a key does while the popup is open; nothing is for the key's usual action."""
        if self.popup.offer is None:
            return ()
        found = self.popup._bindings.key_to_bindings.get(key, ())  # noqa: SLF001 - as Textual does
        return [b for b in found if b.action != "accept_completion" or not self._is_complete]

    @property
    def _is_complete(self) -> bool:
        """Whether there is nothing to take: no candidate is chosen, or the chosen one is written out."""
        popup = self.popup
        if popup.offer is None or popup.chosen is None:
            return True
        written = self.document.get_line(self.cursor_location[0])[popup.offer.start : popup.offer.end]
        return written == popup.offer.candidates[popup.chosen].text.rstrip()

    def action_move_completion(self, step: int) -> None:
        """Choose another candidate."""
        self.popup.move(step)

    def action_accept_completion(self) -> None:
        """Take the chosen candidate."""
        self.action_take_completion()

    def action_take_completion(self) -> None:
        """Take the chosen candidate, or the first; another word may begin behind it."""
        offer = self.popup.offer
        if offer is None:
            return
        candidate = offer.candidates[self.popup.chosen or 0]
        row = self.cursor_location[0]
        start, end = (row, offer.start), (row, offer.end)
        self.replace(candidate.text, start, end, maintain_selection_offset=False)
        if self._is_complete and self.popup.chosen is not None:
            self.popup.close()

    def action_refuse_completion(self) -> None:
        """Close the popup for the word at the cursor."""
        if self.popup.offer is not None:
            self._refused = (self.cursor_location[0], self.popup.offer.start)
            self.popup.close()

    def _look(self) -> None:
        self._looked_at = self.cursor_location
        offer = self._offer()
        place = None if offer is None else (self._looked_at[0], offer.start)
        if place != self._refused:
            self._refused = None
        if offer is None or self._refused is not None:
            self.popup.close()
        elif offer != self.popup.offer:
            self.popup.open(offer)

    def _offer(self) -> Offer | None:
        if self.selection.is_empty:
            for completion in self.completions:
                offer = completion.candidates(self.document.lines, self.cursor_location)
                if offer is not None:
                    return offer
        return None
