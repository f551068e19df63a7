"""The program: makes the parts, joins them, and ends cleanly."""

from __future__ import annotations

import gc
import os
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from textual import events
from textual.app import SuspendNotSupported
from textual.binding import Binding
from textual.filter import Monochrome, NoColor

from qwentui.chat.errors import QwentuiError, StoreError
from qwentui.chat.sanitize import sanitize_whole
from qwentui.language import _
from qwentui.store.prompt_history import append_prompt, load_prompts
from qwentui.tui import phrases
from qwentui.tui.alt_keys import meant
from qwentui.tui.bound import bind, closed_by
from qwentui.tui.clipboard import osc52, write_copy
from qwentui.tui.editor import edit, page
from qwentui.tui.screens.chat import ChatScreen
from qwentui.tui.settings_app import SettingsApp
from qwentui.tui.theme import Uncolored, palette_colors
from qwentui.tui.theming import Theming
from qwentui.tui.transcript.guards import install_signals
from qwentui.tui.transcript.output import install, wanted
from qwentui.tui.transcript.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.filter import LineFilter

    from qwentui.launch import Launch
    from qwentui.store.theme_values import ThemeFile

T = TypeVar("T")

UNCOLORED = Uncolored()


class QwentuiApp(SettingsApp, inherit_bindings=False):
    """One window on one server.

    Args:
        launch: What to talk to, and how.
        theme: The colours.
    """

    CSS_PATH = "qwentui.tcss"
    TITLE = "qwentui"
    ENABLE_COMMAND_PALETTE = False
    # Textual's own Ctrl+Q stays away: quitting is in the table of keys.
    BINDINGS = [Binding("ctrl+c", "help_quit", show=False, system=True)]  # noqa: RUF012 - Textual declares it

    def __init__(self, launch: Launch, theme: ThemeFile) -> None:
        super().__init__(launch)
        palette = Palette.from_colors(**palette_colors(theme))
        self.chat = ChatScreen(
            palette, launch.settings.screen.fps, self._load_history, self.desk, self.keymap
        )
        self.chat.composer.vim = launch.settings.screen.vim
        bind(self, self.keymap, "everywhere")
        if not launch.settings.screen.footer:
            self.chat.key_line.display = False
        self._warned: set[str] = set()
        self.no_color = bool(os.environ.get("NO_COLOR"))
        self.theming = Theming(self, self.chat, launch, theme, self.adopt)
        staged = wanted(os.environ) and launch.settings.screen.output == "diff"
        self._stage = install(self, enabled=staged)

    def get_default_screen(self) -> ChatScreen:
        """The chat is what the program opens on."""
        return self.chat

    async def on_event(self, event: events.Event) -> None:
        """Act on input; a key with Alt may stand for others."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            for key in meant(event, self.screen):
                await super().on_event(key)
        else:
            await super().on_event(event)

    def on_mount(self) -> None:
        """Paint first; look for the model after that."""
        if self._stage is not None:
            stage = self._stage
            self.chat.transcript.ready = lambda: not stage.busy
        if not self.is_headless:
            install_signals(self, self._save)
        self.call_after_refresh(self._settle)
        self.call_after_refresh(self.start)

    def _settle(self) -> None:
        """After the first paint: tell of the settings, and get ready what the first reply needs."""
        for warning in (*self.launch.warnings, *self.keymap.troubles):
            self.chat.notice(warning, "warning")
        self.run_worker(partial(import_module, "qwentui.tui.transcript.markdown"), thread=True)
        self._watch_gauges()
        self.complete_commands()
        self.theming.start()
        # What a start has made lives as long as the program; going through it took 75 ms at a time.
        gc.freeze()

    def _watch_gauges(self) -> None:
        from qwentui.tui.screens.gauge_watch import GaugeWatch

        watch = GaugeWatch(self.chat, self.talks.usual, self.launch.settings.gauges.vram_gib)
        self.watch_gauges = self.chat.watch_gauges = watch
        watch.start()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and under NO_COLOR one that takes all colours: Textual's own leaves shades of grey."""
        filters = [one for one in super().get_line_filters() if not isinstance(one, Monochrome | NoColor)]
        return [*filters, UNCOLORED] if self.no_color else filters

    def on_chat_screen_theme_wanted(self) -> None:
        """Let the user choose the colours."""
        self.theming.ask()

    async def action_use_theme(self, name: str) -> None:
        """Take the colours of that name."""
        await self.theming.use(name)

    def on_chat_screen_gauges_wanted(self) -> None:
        """Show the gauges in full."""
        if self.watch_gauges is not None:
            from qwentui.tui.screens.gauge_panel import GaugePanel

            panel = GaugePanel(self.watch_gauges.sight)
            self.push_screen(closed_by(panel, self.keymap["gauges"], "dismiss"))

    def _save(self) -> None:
        """Put on disk what must not be lost: the process is about to end."""
        self.chat.sync_draft()
        self.close_log()
        self.talks.close()

    def _load_history(self) -> list[str]:
        try:
            return load_prompts(self.launch.paths.prompt_history)
        except StoreError as error:
            self.chat.notice(str(error), "warning")
            return []

    def on_composing_screen_sent(self, message: ChatScreen.Sent) -> None:
        """Keep the prompt for the next time; look for a model again if there is none yet."""
        self.run_worker(partial(self._remember, message.text), thread=True, group="history")
        searching = any(worker.group == "connect" and worker.is_running for worker in self.workers)
        if self.chat.session is None and not searching:
            self.start()

    def _remember(self, prompt: str) -> None:
        try:
            append_prompt(self.launch.paths.prompt_history, prompt)
        except StoreError as error:
            self.call_from_thread(self._warn_once, str(error))

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self.chat.notice(text, "warning")

    def on_reading_screen_copy_wanted(self, message: ChatScreen.CopyWanted) -> None:
        """Put text on the clipboard, or into a file when that cannot be."""
        way = self.launch.settings.screen.clipboard
        sequence = None if way == "file" else osc52(message.text, tmux=way == "tmux")
        if sequence is not None and self._driver is not None:
            self._driver.write(sequence)
            self.chat.title_bar.show(note=phrases.copied(message.what))
            return
        try:
            path = write_copy(self.launch.paths.state, message.text)
        except StoreError as error:
            self.chat.notice(str(error), "error")
        else:
            self.chat.notice(phrases.copied_to_file(message.what, str(path)))

    def on_composer_editor_wanted(self) -> None:
        """Give the terminal to the user's editor, and take back what was written."""
        composer = self.chat.composer
        text = self._in_terminal(partial(edit, composer.text))
        if text is not None:
            composer.text = sanitize_whole(text).text
            composer.move_cursor(composer.document.end)

    def on_reading_screen_pager_wanted(self, message: ChatScreen.PagerWanted) -> None:
        """Give the terminal to the user's pager."""
        self._in_terminal(partial(page, sanitize_whole(message.text).text))

    def _in_terminal(self, program: Callable[[], T]) -> T | None:
        """Hand the terminal over while `program` runs; None when it cannot be or the program fails."""
        try:
            with self.suspend():
                return program()
        except SuspendNotSupported:
            self.chat.notice(_("This terminal cannot be handed over to another program."), "warning")
        except QwentuiError as error:
            self.chat.notice(str(error), "error")
        return None

    def on_composer_leave_wanted(self) -> None:
        """End the program."""
        self.exit()
