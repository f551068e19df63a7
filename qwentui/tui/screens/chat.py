"""The chat: a transcript, the composer, and one session between them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static
from textual.worker import WorkerCancelled

from qwentui.backends.choice import short_name
from qwentui.chat.errors import PromptTooLong
from qwentui.tui.keys import bindings
from qwentui.tui.screens.branching import BranchingScreen
from qwentui.tui.screens.context_watch import ContextWatch
from qwentui.tui.transcript.items import NoticeItem, UserItem
from qwentui.tui.widgets.composer import Composer
from qwentui.tui.widgets.gauges import Gauges
from qwentui.tui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.timer import Timer
    from textual.worker import Worker

    from qwentui.chat.conversation import Conversation
    from qwentui.session import ChatSession, Replying
    from qwentui.store.records import ShownTurn
    from qwentui.tui.screens.reading import ReadableTranscript
    from qwentui.tui.screens.reply import ReplyRun
    from qwentui.tui.transcript.items import Severity
    from qwentui.tui.transcript.palette import Palette


_TICK = 0.25
"""Seconds between two looks at the clock while a reply runs."""
_REST = 0.05
"""Seconds after a keystroke until the draft is counted; longer while a reply needs the processor."""
_LONG_REST = 0.2


class ChatScreen(BranchingScreen):
    """Shows one session; before there is one, what is sent waits for it.

    Args:
        palette: The transcript's colours.
        fps: Frames a second while text streams.
        load_history: Gives the prompts of earlier times, oldest first.
    """

    BINDINGS = bindings("chat")
    AUTO_FOCUS = "Composer"
    # In a very low terminal every line belongs to the talk.
    VERTICAL_BREAKPOINTS = [(0, "-low"), (9, "-high")]  # noqa: RUF012 - Textual declares it on instances

    class Sent(Message):
        """The user sent `text`; it is in the transcript."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class NewChatWanted(Message):
        """The user wants to begin again."""

    class ModelWanted(Message):
        """The user wants another model."""

    class Answered(Message):
        """A reply has ended."""

    class ThinkToggled(Message):
        """The user wants the next setting of `think`."""

    def __init__(self, palette: Palette, fps: int, load_history: Callable[[], list[str]]) -> None:
        super().__init__(palette, fps)
        self.title_bar = TitleBar()
        self.composer = Composer(load_history)
        self.gauges = Gauges()
        self.watch_context = ContextWatch(self.gauges, self.transcript)
        self._counting: Timer | None = None
        self._confirmed = ""
        self._session: ChatSession | None = None
        self._waiting: str | None = None
        self._reply: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom: where we are, the talk, what comes next."""
        yield self.title_bar
        yield self.transcript
        with Horizontal(id="entry"):
            yield Static("› ", id="prompt", markup=False)
            yield self.composer
        yield self.gauges

    @property
    def session(self) -> ChatSession | None:
        """The session on show."""
        return self._session

    @property
    def busy(self) -> bool:
        """Whether a reply runs."""
        return self._reply is not None

    def show(self, session: ChatSession) -> None:
        """Take `session` over, and send to it what was waiting."""
        self._session = session
        self.title_bar.show(model=short_name(session.model.name), host=session.backend.host)
        self.count_soon()
        if self._waiting is not None:
            text, self._waiting = self._waiting, None
            self._begin(session, session.reply(text))

    async def stop_reply(self) -> None:
        """Stop the reply that runs, if one does, and wait until what came of it is kept."""
        self._waiting = None
        if self._reply is not None:
            reply = self._reply
            reply.cancel()
            with suppress(WorkerCancelled):
                await reply.wait()

    def load(self, conversation: Conversation, turns: tuple[ShownTurn, ...]) -> None:
        """Show a talk that was had before, of whose turns the store knows `turns`."""
        from qwentui.tui.screens.reply import items_of

        items, self.watch_context.items = items_of(conversation, turns)
        self.transcript.load(items)

    def clear(self) -> None:
        """Empty the transcript for a new chat."""
        self.leave_edit()
        self.transcript.load(())
        self.watch_context.items.clear()
        self.gauges.show_usage(None)
        self.composer.focus()

    def notice(self, text: str, severity: Severity = "info") -> None:
        """Say something about the talk, in the transcript, where the eye is."""
        self.transcript.append(NoticeItem(text, severity))

    async def on_composer_submitted(self, message: Composer.Submitted) -> None:
        """Send, unless a reply runs or something is to be asked first: then the text goes back."""
        message.stop()
        if self.editing:
            self.send_edit(message.text)
        elif self.busy or self._waiting is not None:
            self.composer.give_back(message.text)
            self.app.bell()
        elif self._session is None:
            self._waiting = message.text
            self._sent(message.text)
        elif await self._may_send(self._session, message.text):
            self._sent(message.text)
            self._begin(self._session, self._session.reply(message.text))
        else:
            self.composer.give_back(message.text)

    async def _may_send(self, session: ChatSession, text: str) -> bool:
        """Whether `text` fits and holds nothing that the model would obey, or is sent all the same."""
        control = session.planner.counter.control_tokens(text)
        if control and text != self._confirmed:
            self._confirmed = text
            from qwentui.tui import phrases

            self.notice(phrases.control_tokens(control), "warning")
            return False
        try:
            plan = await self.watch_context.plan(session, text)
            if not plan.count.exact:
                plan = await session.plan(text)
            plan.check()
        except PromptTooLong as error:
            self.notice(str(error), "error")
            return False
        return True

    def _sent(self, text: str) -> None:
        self.composer.remember(text)
        self.transcript.scroll_end()
        self.watch_context.items.append(self.transcript.append(UserItem(text)))
        self.post_message(self.Sent(text))

    def _begin(self, session: ChatSession, reply: Replying) -> None:
        from qwentui.tui.screens.reply import ReplyRun

        self._reply = self.run_worker(self._run(ReplyRun(session, self.transcript), reply))

    async def _run(self, run: ReplyRun, reply: Replying) -> None:
        ticker = self.set_interval(_TICK, run.tick)
        try:
            await run.run(reply)
        finally:
            ticker.stop()
            self._reply = None
            self.gauges.show_usage(run.usage)
            self.count_soon()
            self.post_message(self.Answered())

    def count_soon(self) -> None:
        """Count when the keys rest for a moment."""
        if self._counting is None:
            self._counting = self.set_timer(_LONG_REST if self.busy else _REST, self._count)

    def _count(self) -> None:
        self._counting = None
        self.run_worker(self._look(), group="count", exclusive=True)

    async def _look(self) -> None:
        if self._session is not None:
            await self.watch_context.look(self._session, lambda: self.composer.text)

    def on_text_area_changed(self) -> None:
        """The draft counts too."""
        self.count_soon()

    def on_readable_transcript_pin_wanted(self, message: ReadableTranscript.PinWanted) -> None:
        """Pin the round, or unpin it."""
        turn = self.watch_context.turn_of(message.index)
        if self._session is not None and turn is not None:
            talk = self._session.conversation
            pinned = not talk.turns[turn].pinned
            self._session.conversation = talk.pin(turn, pinned=pinned)
            self.title_bar.show(note="pinned: always sent" if pinned else "not pinned any more")
            self.count_soon()

    async def action_preview(self) -> None:
        """List what the next request would hold."""
        from qwentui.tui.screens.request import RequestScreen

        session = self._session
        if session is not None:
            plan = await self.watch_context.plan(session, self.composer.text)
            each = session.planner.counter.of_each(plan.messages, think=session.thinks)
            self.app.push_screen(RequestScreen(plan, each))

    def action_neutralise(self) -> None:
        """Break the control tokens in the composer, so that the model reads them as text."""
        if self._session is not None:
            self.composer.text = self._session.planner.counter.neutralise(self.composer.text)
            self.composer.move_cursor(self.composer.document.end)

    def action_stop(self) -> None:
        """One step back: close the search, stop the reply and keep what came, or go to the composer."""
        if self.end_search() or self.leave_edit():
            self.composer.focus()
        elif self._reply is not None:
            self._reply.cancel()
        else:
            self.transcript.action_dismiss()
            self.composer.focus()

    def action_interrupt(self) -> None:
        """Copy what is selected; else stop the reply; else clear the line."""
        selected = self.composer.selected_text or self.get_selected_text()
        if selected:
            self.post_message(self.CopyWanted(selected, "the selection"))
            self.clear_selection()
        elif self.busy:
            self.action_stop()
        elif self.composer.text:
            self.composer.clear()
        else:
            self.notice("Ctrl+Q quits.")

    def action_new_chat(self) -> None:
        """Begin a new chat."""
        self.post_message(self.NewChatWanted())

    def action_choose_model(self) -> None:
        """Choose another model."""
        self.post_message(self.ModelWanted())

    def action_toggle_think(self) -> None:
        """Go to the next setting of `think`."""
        self.post_message(self.ThinkToggled())

    def action_help(self) -> None:
        """Show the keys."""
        from qwentui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen())

    def action_write(self) -> None:
        """Go to the composer."""
        self.composer.focus()

    def on_composer_read_wanted(self) -> None:
        """Give the keys to the transcript."""
        self.transcript.focus()
