"""A screen with a transcript to read: scroll, search, fold, copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message
from textual.screen import Screen

from qwentui.keyboard.keymap import DEFAULT
from qwentui.tui.bound import bind
from qwentui.tui.transcript.view import Transcript

if TYPE_CHECKING:
    from qwentui.keyboard.keymap import Keymap
    from qwentui.tui.phrases import What
    from qwentui.tui.transcript.palette import Palette
    from qwentui.tui.widgets.search_bar import SearchBar


class ReadableTranscript(Transcript):
    """The transcript with its keys.

    Args:
        palette: The colours.
        fps: Frames a second while text streams.
        keymap: The keys in effect.
    """

    class PinWanted(Message):
        """The user wants the message at `index` pinned, or not any more."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, palette: Palette, fps: int, keymap: Keymap) -> None:
        super().__init__(palette, fps=fps)
        bind(self, keymap, "transcript")

    def action_pin(self) -> None:
        """Pin the round of the message at the cursor, or unpin it."""
        index = self._cursor.message()
        if index is not None:
            self.post_message(self.PinWanted(index))

    def action_copy(self) -> None:
        """Copy what is selected, else the message at the cursor."""
        if self.selecting or self.text_selection is not None:
            self.action_copy_selection()
        else:
            self.action_copy_message()


class ReadingScreen(Screen[None]):
    """Gives a transcript its keys and its search; subclasses place the transcript.

    Args:
        palette: The transcript's colours.
        fps: Frames a second while text streams.
        keymap: The keys in effect.
    """

    class CopyWanted(Message):
        """`text`, which is `what`, is to go to the clipboard."""

        def __init__(self, text: str, what: What) -> None:
            super().__init__()
            self.text = text
            self.what = what

    class PagerWanted(Message):
        """`text` is to be shown in the user's pager."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, palette: Palette, fps: int, keymap: Keymap = DEFAULT) -> None:
        super().__init__()
        self.keymap = keymap
        self.transcript = ReadableTranscript(palette, fps, keymap)
        self.search_bar: SearchBar | None = None

    def end_search(self) -> bool:
        """Close the search; whether one was open."""
        if self.search_bar is None or not self.search_bar.display:
            return False
        self.search_bar.close()
        self.transcript.action_search_clear()
        return True

    def action_fold(self) -> None:
        """Fold or unfold the code at the cursor, or else a thinking."""
        self.transcript.action_toggle_fold()

    def action_copy_answer(self) -> None:
        """Copy the last answer."""
        self.transcript.action_copy_answer()

    def action_page_up(self) -> None:
        """Scroll up a page."""
        self.transcript.action_page_up()

    def action_page_down(self) -> None:
        """Scroll down a page."""
        self.transcript.action_page_down()

    def action_to_top(self) -> None:
        """Go to the beginning."""
        self.transcript.scroll_home()

    def action_to_end(self) -> None:
        """Go to the end and follow it."""
        self.transcript.scroll_end()

    async def action_search(self) -> None:
        """Open the search, in a line below the transcript."""
        from qwentui.tui.widgets.search_bar import SearchBar

        if self.search_bar is None:
            self.search_bar = SearchBar()
            await self.mount(self.search_bar, after=self.transcript)
        self.search_bar.open()

    async def action_search_for(self, text: str) -> None:
        """Search for `text`, and walk its matches."""
        await self.action_search()
        if self.search_bar is not None:
            self.search_bar.put(text)

    def on_search_bar_changed(self, message: SearchBar.Changed) -> None:
        """Look for the text."""
        self.transcript.search(message.text)

    def on_search_bar_done(self) -> None:
        """Walk the matches."""
        self.set_focus(self.transcript)

    def on_transcript_search_changed(self, message: Transcript.SearchChanged) -> None:
        """Show how far the search is."""
        if self.search_bar is not None:
            self.search_bar.tell(message.ordinal, message.count, complete=message.complete)

    def on_transcript_pager_requested(self, message: Transcript.PagerRequested) -> None:
        """Have it shown in the user's pager."""
        self.post_message(self.PagerWanted(message.text))

    def on_transcript_copied(self, message: Transcript.Copied) -> None:
        """Have it copied."""
        self.post_message(self.CopyWanted(message.text, message.what))
