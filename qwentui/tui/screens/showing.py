"""A screen that shows one of the chats on the desk, and goes from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from qwentui.backends.choice import short_name
from qwentui.keyboard.keymap import DEFAULT
from qwentui.language import _
from qwentui.tui.bound import bind
from qwentui.tui.screens.branching import BranchingScreen
from qwentui.tui.screens.context_watch import ContextWatch
from qwentui.tui.transcript.items import NoticeItem
from qwentui.tui.widgets.attachment_list import AttachmentList
from qwentui.tui.widgets.composer import Composer
from qwentui.tui.widgets.gauges import Gauges
from qwentui.tui.widgets.key_line import KeyLine
from qwentui.tui.widgets.path_completion import PathCompletion
from qwentui.tui.widgets.title_bar import TitleBar
from qwentui.tui.widgets.waiting_list import WaitingList

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.timer import Timer

    from qwentui.keyboard.keymap import Keymap
    from qwentui.session import ChatSession
    from qwentui.tui.desk import Desk
    from qwentui.tui.live import LiveChat
    from qwentui.tui.transcript.items import Severity
    from qwentui.tui.transcript.palette import Palette

_TICK = 0.25
"""Seconds between two looks at the clock while a reply runs."""
_REST = 0.05
"""Seconds after a keystroke until the draft is counted; longer while a reply needs the processor."""
_LONG_REST = 0.2
_KEEP_REST = 0.5
"""Seconds after a keystroke until the draft is kept on disk."""
_NOTE = 8.0
"""Seconds for which a note about another chat stands in the title bar."""


class GaugeKeeper(Protocol):
    """What keeps the gauges true."""

    def show(self) -> None:
        """Put what is known on the gauges."""

    def close(self) -> None:
        """End what runs beside the program."""


class ShowingScreen(BranchingScreen):
    """Shows one chat; what belongs to that chat leaves the screen with it.

    Args:
        palette: The transcript's colours.
        fps: Frames a second while text streams.
        load_history: Gives the prompts of earlier times, oldest first.
        desk: Where the chats are.
        keymap: The keys in effect.

    Attributes:
        live: The chat that is shown.
        watch_gauges: Keeps the gauges true; None until the first paint is out.
    """

    def __init__(
        self,
        palette: Palette,
        fps: int,
        load_history: Callable[[], list[str]],
        desk: Desk,
        keymap: Keymap = DEFAULT,
    ) -> None:
        super().__init__(palette, fps, keymap)
        self.desk = desk
        bind(self, keymap, "chat")
        self.live: LiveChat = desk.open()
        self.live.sheet.show(self.transcript)
        self.title_bar = TitleBar()
        self.composer = Composer(load_history, keymap)
        self.path_completion = PathCompletion(
            lambda work: self.run_worker(work, group="paths"), self.composer.look_again
        )
        self.composer.completions.append(self.path_completion)
        self.waiting_list = WaitingList()
        self.gauges = Gauges()
        self.key_line = KeyLine(keymap)
        self.attaching = desk.attaching
        self.attachment_list = AttachmentList()
        self.watch_context = ContextWatch(
            self.gauges, self.transcript, self.live, files=self.attachment_list, attaching=desk.attaching
        )
        self.watch_gauges: GaugeKeeper | None = None
        self._ticker: Timer | None = None
        self._counting: Timer | None = None
        self._keeping: Timer | None = None
        self._note: Timer | None = None

    def on_mount(self) -> None:
        """Get a clock, which runs while a reply does."""
        self._ticker = self.set_interval(_TICK, self._tick, pause=True)

    def on_unmount(self) -> None:
        """Nobody looks at the gauges any more."""
        if self.watch_gauges is not None:
            self.watch_gauges.close()

    @property
    def session(self) -> ChatSession | None:
        """The session on show."""
        return self.live.session

    @property
    def busy(self) -> bool:
        """Whether a reply runs here."""
        return self.live.busy

    def show_chat(self, chat: LiveChat) -> None:
        """Show another chat; the one that is shown goes on by itself."""
        if chat is self.live:
            return
        left = self.live
        self.leave_edit()
        self.sync_draft()
        left.sheet.leave()
        self.end_search()
        self.live = self.watch_context.chat = chat
        chat.unseen = False
        chat.sheet.show(self.transcript)
        self._put_draft(chat.draft)
        self.title_bar.show(note="")
        self._tick()
        self.show_state()
        if not (left.said or left.busy or left.draft.strip() or self.desk.waits(left)):
            self.desk.drop(left)
        self.set_focus(self.composer)

    def show_state(self) -> None:
        """Show what is true now of the session, of the other chats, and of what waits."""
        if self._ticker is not None:
            (self._ticker.resume if self.busy else self._ticker.pause)()
        session = self.live.session
        if session is not None:
            self.title_bar.show(model=short_name(session.model.name), host=session.backend.host)
        running, parallel = self.desk.running, self.desk.parallel
        others = running - self.live.busy
        live = _("{running}/{parallel} live").format(running=running, parallel=parallel) if others else ""
        self.title_bar.show(title=self.live.title, live=live)
        prompts = [(self.desk.place(prompt), prompt.text) for prompt in self.desk.waits(self.live)]
        self.composer.waiting = bool(prompts)
        self.waiting_list.show(prompts)
        self.count_soon()

    def go_to(self, item: int | None, query: str) -> None:
        """Bring an item of the transcript into view, at what was looked for, and read on from there."""
        if item is not None:
            self.transcript.show_item(item, query)
            self.set_focus(self.transcript)

    def notice(self, text: str, severity: Severity = "info") -> None:
        """Say something about the talk, in the transcript, where the eye is."""
        self.transcript.append(NoticeItem(text, severity))

    def note(self, text: str) -> None:
        """Say something short, for a moment, in the title bar."""
        self.title_bar.show(note=text)
        if self._note is not None:
            self._note.stop()
        self._note = self.set_timer(_NOTE, lambda: self.title_bar.show(note=""))

    def give_back(self, chat: LiveChat, text: str) -> None:
        """Put `text` before what stands in a chat's composer."""
        if chat is self.live:
            self.composer.give_back(text)
            self.sync_draft()
        else:
            chat.draft = f"{text}\n{chat.draft}" if chat.draft else text

    def sync_draft(self) -> None:
        """Take down what stands in the composer, and keep it."""
        self.live.draft = self.draft
        self.desk.keep(self.live)

    def count_soon(self) -> None:
        """Count when the keys rest for a moment."""
        if self._counting is None and self.is_attached:
            self._counting = self.set_timer(_LONG_REST if self.desk.running else _REST, self._count)

    def on_text_area_changed(self) -> None:
        """The draft counts too, and is not to be lost."""
        self.count_soon()
        if self._keeping is None:
            self._keeping = self.set_timer(_KEEP_REST, self._keep)

    def _keep(self) -> None:
        self._keeping = None
        self.sync_draft()

    def _count(self) -> None:
        self._counting = None
        self.run_worker(self._look(), group="count", exclusive=True)

    async def _look(self) -> None:
        if self.session is not None:
            await self.watch_context.look(self.session, lambda: self.composer.text)
        else:
            await self.watch_context.with_files(None, self.composer.text)

    def _tick(self) -> None:
        if self.live.run is not None:
            self.live.run.tick()
        if self.watch_gauges is not None:
            self.watch_gauges.show()

    def _put_draft(self, text: str) -> None:
        self.composer.text = text
        self.composer.move_cursor(self.composer.document.end)
