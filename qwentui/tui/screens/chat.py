"""The chat: a transcript, the composer, and the keys between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from qwentui.language import _
from qwentui.tui.bound import closed_by
from qwentui.tui.screens.composing import ComposingScreen
from qwentui.tui.widgets.composer import Composer

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from qwentui.keyboard.table import Key, Where
    from qwentui.tui.screens.reading import ReadableTranscript

_OF_A_REPLY = ("regenerate_last", "continue", "copy_answer", "fold", "search", "export")
"""The ids of what needs something to have been said."""


_INSERTING, _COMMANDING = "› ", "N "
"""What stands before the composer: in vim's normal mode its first letter."""


class ChatScreen(ComposingScreen):
    """Shows one chat; before there is a model, what is sent waits for it."""

    AUTO_FOCUS = "Composer"
    # In a very low terminal every line belongs to the talk.
    VERTICAL_BREAKPOINTS = [(0, "-low"), (9, "-short"), (12, "-high")]  # noqa: RUF012 - Textual declares it on instances

    class NewChatWanted(Message):
        """The user wants to begin again."""

    class SessionsWanted(Message):
        """The user wants to see all chats."""

    class InterruptedWanted(Message):
        """The user wants the chat whose reply was interrupted."""

    class ExportWanted(Message):
        """The user wants the chat that is shown in a file."""

    class ModelWanted(Message):
        """The user wants another model."""

    class GaugesWanted(Message):
        """The user wants to see the gauges in full."""

    class PersonaWanted(Message):
        """The user wants the model to be someone else."""

    class ThemeWanted(Message):
        """The user wants other colours."""

    class SettingsWanted(Message):
        """The user wants to see the settings."""

    class CompareWanted(Message):
        """The user wants one prompt answered by two personas."""

    class Answered(Message):
        """A reply has ended."""

    class MemoryWanted(Message):
        """The user wants to say what becomes of the model in memory."""

    class ThinkToggled(Message):
        """The user wants the next setting of `think`."""

    def compose(self) -> ComposeResult:
        """From top to bottom: where we are, the talk, what waits, what comes next."""
        yield self.title_bar
        yield self.transcript
        yield self.waiting_list
        yield self.attachment_list
        yield self.composer.popup
        with Horizontal(id="entry"):
            yield Static(_INSERTING, id="prompt", markup=False)
            yield self.composer
        yield self.gauges
        yield self.key_line

    def on_descendant_focus(self) -> None:
        """Name the keys of what has them now."""
        self._name_keys()

    def _name_keys(self) -> None:
        if self.transcript.has_focus:
            self.key_line.show("reading")
        elif self.search_bar is not None and self.search_bar.has_focus_within:
            self.key_line.show("searching")
        else:
            self.key_line.show("waiting" if self.busy else "writing")

    def show_state(self) -> None:
        """Show what is true now, and who the model is."""
        super().show_state()
        self._name_keys()
        self.title_bar.show(persona=self.session.options.persona if self.session is not None else "")

    def on_readable_transcript_pin_wanted(self, message: ReadableTranscript.PinWanted) -> None:
        """Pin the round, or unpin it."""
        turn = self.watch_context.turn_of(message.index)
        if self.session is not None and turn is not None:
            talk = self.session.conversation
            pinned = not talk.turns[turn].pinned
            self.session.conversation = talk.pin(turn, pinned=pinned)
            self.title_bar.show(note=_("pinned: always sent") if pinned else _("not pinned any more"))
            self.count_soon()

    async def action_preview(self) -> None:
        """List what the next request would hold."""
        from qwentui.tui.screens.request import RequestScreen

        session = self.session
        if session is not None:
            draft = await self.watch_context.with_files(session, self.composer.text)
            plan = await self.watch_context.plan(session, draft)
            each = session.planner.counter.of_each(plan.messages, think=session.thinks)
            screen = closed_by(RequestScreen(plan, each), self.keymap["preview"], "dismiss")
            self.app.push_screen(screen)

    def action_neutralise(self) -> None:
        """Break the control tokens in the composer, so that the model reads them as text."""
        if self.session is not None:
            self.composer.text = self.session.planner.counter.neutralise(self.composer.text)
            self.composer.move_cursor(self.composer.document.end)

    def action_stop(self) -> None:
        """One step back: close the search, stop the reply and keep what came, or go to the composer."""
        if self.end_search() or self.leave_edit():
            self.set_focus(self.composer)
        elif self.busy:
            self.desk.stop(self.live)
        else:
            self.transcript.action_dismiss()
            self.set_focus(self.composer)

    def action_interrupt(self) -> None:
        """Copy what is selected; else stop the reply; else clear the line."""
        selected = self.composer.selected_text or self.get_selected_text()
        if selected:
            self.post_message(self.CopyWanted(selected, "selection"))
            self.clear_selection()
        elif self.busy:
            self.action_stop()
        elif self.composer.text:
            self.composer.clear()
        else:
            self.notice(_("{key} quits.").format(key=self.keymap.named("quit")))

    def action_new_chat(self) -> None:
        """Begin a new chat."""
        self.post_message(self.NewChatWanted())

    def action_sessions(self) -> None:
        """Show all chats."""
        self.post_message(self.SessionsWanted())

    def action_interrupted(self) -> None:
        """Open the chat whose reply was interrupted."""
        self.post_message(self.InterruptedWanted())

    def action_gauges(self) -> None:
        """Show the gauges in full."""
        self.post_message(self.GaugesWanted())

    def action_export(self) -> None:
        """Write the chat to a file."""
        self.post_message(self.ExportWanted())

    def action_choose_model(self) -> None:
        """Choose another model."""
        self.post_message(self.ModelWanted())

    def action_memory(self) -> None:
        """Say what is to become of the model in memory."""
        self.post_message(self.MemoryWanted())

    def action_persona(self) -> None:
        """Choose who the model is to be."""
        self.post_message(self.PersonaWanted())

    def action_theme(self) -> None:
        """Choose the colours."""
        self.post_message(self.ThemeWanted())

    def on_vim_text_area_mode_changed(self, message: Composer.ModeChanged) -> None:
        """Show that characters are commands, or text again."""
        self.query_one("#prompt", Static).update(_COMMANDING if message.commanding else _INSERTING)

    def action_settings(self) -> None:
        """Show the settings."""
        self.post_message(self.SettingsWanted())

    def action_compare(self) -> None:
        """Choose two personas that answer one prompt."""
        self.post_message(self.CompareWanted())

    def action_toggle_think(self) -> None:
        """Go to the next setting of `think`."""
        self.post_message(self.ThinkToggled())

    def action_help(self) -> None:
        """Show the keys."""
        from qwentui.tui.screens.help import HelpScreen

        screen = HelpScreen(self.keymap, self._where)
        for name in ("help", "help_reading"):
            closed_by(screen, self.keymap[name], "dismiss")
        self.app.push_screen(screen)

    async def action_all_actions(self) -> None:
        """List what can be done now, and do what is chosen."""
        from qwentui.tui.screens.actions import ActionsScreen

        screen = ActionsScreen(self.keymap, self._where, self._makes_sense)
        await self.app.push_screen(closed_by(screen, self.keymap["actions"], "back"), self._act)

    async def _act(self, key: Key | None) -> None:
        if key is not None:
            nodes = {"transcript": self.transcript, "composer": self.composer, "chat": self}
            await self.app.run_action(key.action, nodes.get(key.where, self.app))

    @property
    def _where(self) -> Where:
        return "transcript" if self.transcript.has_focus else "composer"

    def _makes_sense(self, name: str) -> bool:
        """Whether the action with that id could do something now."""
        if name in _OF_A_REPLY:
            return self.live.said
        if name in ("preview", "think", "memory", "persona", "model"):
            return self.session is not None
        return self.busy if name == "stop" else bool(self.composer.text) if name == "neutralise" else True

    def action_editor(self) -> None:
        """Go on writing in the user's editor."""
        self.post_message(Composer.EditorWanted())

    def action_write(self) -> None:
        """Go to the composer."""
        self.set_focus(self.composer)

    def on_composer_read_wanted(self) -> None:
        """Give the keys to the transcript."""
        self.set_focus(self.transcript)
