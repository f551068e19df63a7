"""The transcript: what was said, and the reply that is being said.

One line-API widget shows any number of messages; a token costs the same however long the chat is.
"""

from __future__ import annotations

import asyncio
import re
from time import perf_counter
from typing import TYPE_CHECKING

from qwentui.tui.transcript.beat import Beat
from qwentui.tui.transcript.cursor import Target
from qwentui.tui.transcript.items import ReplyItem
from qwentui.tui.transcript.reader import Reader
from qwentui.tui.transcript.reply import LiveReply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qwentui.tui.transcript.items import Item
    from qwentui.tui.transcript.palette import Palette

# The beginning of a fenced code block and its language, or what has arrived of it.
_FENCE = re.compile(r"(?:```|~~~)[ \t]*([\w+#.-]+)")
# Characters of a fence's opening line that are kept while it arrives.
_OPENING = 80
# Of a chat that is opened, the last replies whose languages are loaded ahead.
_AHEAD = 20


class Transcript(Reader):
    """Shows a chat, and a reply while it streams.

    Args:
        palette: The styles.
        fps: How often a second a streaming reply is drawn, at most.
        id: The widget's id.
    """

    def __init__(self, palette: Palette, *, fps: int = 30, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(palette, id=id)
        self._beat = Beat(fps, self._work, self._draw)
        self._changed: dict[int, int] = {}
        self._searched = False
        self._opening = ""
        self._languages: set[str] = set()
        self._loading = 0

    @property
    def ready(self) -> Callable[[], bool]:
        """Says whether the terminal keeps up; while it does not, frames are skipped."""
        return self._beat.ready

    @ready.setter
    def ready(self, ready: Callable[[], bool]) -> None:
        self._beat.ready = ready

    @property
    def fps(self) -> int:
        """How often a second a streaming reply is drawn, at most."""
        return self._beat.fps

    @fps.setter
    def fps(self, fps: int) -> None:
        self._beat.fps = fps

    def on_mount(self) -> None:
        """Begin to beat."""
        self.run_worker(self._beat.run(), name="transcript beat", group="beat")
        self.call_after_refresh(self._load_ahead)

    @property
    def items(self) -> Sequence[Item | LiveReply]:
        """Everything that it shows; an open reply is a `LiveReply`."""
        return self._document.items

    def load(self, items: Sequence[Item | LiveReply]) -> None:
        """Show `items` and nothing else, from the end; one of them may be a reply that is still open."""
        self.forget(0)
        self._changed.clear()
        self._document.load(items)
        self._window.to_end()
        self._drawn()
        if self.is_attached:
            self.call_after_refresh(self._load_ahead)

    def append(self, item: Item) -> int:
        """Put an item at the end; its index comes back."""
        with self._window.steady():
            index = self._document.append(item)
        self._drawn_from(index)
        return index

    def replace(self, index: int, item: Item) -> None:
        """Show another item at `index`."""
        self.forget(index)
        with self._window.steady():
            self._document.replace(index, item)
        self._drawn()

    def truncate(self, length: int) -> None:
        """Keep the first `length` items."""
        self.forget(length)
        with self._window.steady():
            self._document.truncate(length)
        self._drawn()

    def graft(
        self, start: int, items: Sequence[Item | LiveReply], keep: tuple[int, int] | None = None
    ) -> None:
        """Show `items` in place of what stands from `start` on.

        Args:
            start: The first item that goes.
            items: What comes instead.
            keep: An item, and the one that comes to stand in the window where it stood, under the cursor;
                None keeps the window where it is.
        """
        document, window = self._document, self._window
        screen = 0 if keep is None else document.heights.top(keep[0]) - window.top
        self.forget(start)
        self._changed.clear()
        with window.steady():
            document.truncate(start)
            for item in items:
                document.append(item)
        if keep is not None and keep[1] < len(document.heights):
            self._cursor.target = Target(keep[1])
            window.show(keep[1], 0, screen if 0 <= screen < window.height else 0)
        self._drawn()

    def open_reply(self, model: str) -> int:
        """Begin a reply at the end; its index comes back.

        Raises:
            RuntimeError: A reply is open.
        """
        if self._document.live is not None:
            raise RuntimeError("a reply is open")
        self._opening = ""
        with self._window.steady():
            index = self._document.append(LiveReply(model))
        self._drawn_from(index)
        return index

    def feed_thinking(self, text: str) -> None:
        """More thinking arrived; it is drawn by the next beat.

        Raises:
            LookupError: No reply is open; `feed_text`, `close_reply` and `set_status` raise it too.
        """
        self._document.feed_thinking(text)
        self._beat.mark()

    def feed_text(self, text: str) -> None:
        """More of the answer arrived; it is drawn by the next beat."""
        self._document.feed_text(text)
        opening = self._opening + text
        self._opening = opening[-_OPENING:]
        if "```" in opening or "~~~" in opening:
            self._load_languages(opening)
        self._beat.mark()

    def set_status(self, text: str) -> None:
        """Say `text` at the end of the open reply."""
        self._document.set_status(text)
        self._beat.mark()

    def close_reply(self, item: ReplyItem) -> None:
        """The open reply is finished; what is drawn of it stays."""
        live = self._document.live
        with self._window.steady():
            self._document.close(item)
        if self._search is not None and live is not None:
            self._search.forget(live)
        self._drawn()

    def set_sent_border(self, index: int | None, label: str) -> None:
        """Dim what stands above item `index`, under a rule that says why; None takes the rule away."""
        if self._document.border == (None if index is None else (index, label)):
            return
        with self._window.steady():
            self._document.set_border(index, label)
        self._drawn()

    def wake(self) -> None:
        """There is something to lay out or to search."""
        self._beat.mark()

    def _drawn(self) -> None:
        """The document changed: draw it."""
        self.show()
        self.refresh()
        self._beat.mark()

    def _drawn_from(self, index: int) -> None:
        """The document changed from an item on."""
        if self._document.width:
            self.show()
            self.grown(index, 0)
        self._beat.mark()

    def _work(self, deadline: float) -> bool:
        """Lay out what waits, then search, until `deadline`; whether more is left."""
        document, window = self._document, self._window
        if not document.width:
            return False
        waiting = [index for index in document.busy if index != document.live]
        if document.live is not None and not self._loading:
            waiting.append(document.live)
        seen = window.seen
        with window.steady():
            for index in sorted(waiting, key=lambda index: index not in seen):
                row = document.step(index, deadline)
                self._changed[index] = min(row, self._changed.get(index, row))
                if perf_counter() >= deadline:
                    break
        if self._search is not None and not self._search.complete:
            self._search.step(deadline)
            self._searched = True
            return True
        return any(index != document.live or not self._loading for index in document.busy)

    def _draw(self) -> None:
        """Show what the work of this frame changed."""
        self.show()
        changed, self._changed = self._changed, {}
        for index, row in changed.items():
            self.grown(index, row)
        if self._searched:
            self._searched = False
            self.tell_search()

    def _load_ahead(self) -> None:
        """Load the languages that the reader meets first when going back."""
        for item in self._document.items[-_AHEAD:]:
            if isinstance(item, ReplyItem | LiveReply):
                self._load_languages(item.content)

    def _load_languages(self, text: str) -> None:
        """Load what is needed to colour the code in `text`; the open reply waits for it."""
        for match in _FENCE.finditer(text):
            language = match[1].lower()
            if language not in self._languages and self.is_attached:
                self._languages.add(language)
                self._loading += 1
                self.run_worker(self._load_language(language), name=f"lexer {language}", group="lexers")

    async def _load_language(self, language: str) -> None:
        from qwentui.tui.transcript.markdown import warm

        try:
            await asyncio.to_thread(warm, language)
        finally:
            self._loading -= 1
            self._beat.mark()
