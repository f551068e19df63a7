"""The settings: each value, where it comes from, and changed where it stands."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Protocol

from rich.text import Text
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from qwentui.backends.address import parse_host
from qwentui.chat.errors import SettingsError, StoreError
from qwentui.chat.memory_words import memory_line
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _
from qwentui.store.setting_words import allowed
from qwentui.store.settings_origin import ChangedMeanwhile, change, decided, in_file
from qwentui.store.settings_text import SECRETS, masked
from qwentui.store.themes import load_theme, theme_names
from qwentui.tui.screens.setting_choice import SettingChoice
from qwentui.tui.screens.setting_rows import about, chosen, effect_sentence, line, rows_of, shown, source_text
from qwentui.tui.widgets.filter_input import FilterInput
from qwentui.tui.widgets.line import Line
from qwentui.tui.widgets.setting_list import SettingList

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual import events
    from textual.app import ComposeResult
    from textual.widgets import Input, OptionList

    from qwentui.chat.memory_fit import ModelShape
    from qwentui.store.settings import Loaded, Settings
    from qwentui.store.settings_origin import Origin
    from qwentui.tui.screens.setting_rows import Row

_KEYS = (
    N_("enter changes it"),
    N_("d default"),
    N_("a all keys"),
    N_("/ filters"),
    N_("q back"),
)
_FILTER_KEYS = (N_("enter changes it"), N_("↑↓ move"), N_("esc back to the list"))
_EDIT_KEYS = (N_("enter keeps it"), N_("esc leaves it"))
_PAIR = 2
"""Of so many choices, the other one is taken without a list."""
_NUM_CTX, _THEME = "model.num_ctx", "screen.theme"


class Host(Protocol):
    """Who goes by the settings."""

    def adopt(self, settings: Settings) -> str:
        """Go by other settings from now on; what the user is to be told of that, "" for nothing."""

    async def shape(self) -> ModelShape | None:
        """What decides about the memory that the model takes; None where that is not known."""

    def card(self) -> tuple[int, str]:
        """The memory of the card in bytes, and how a sentence calls the card."""

    def theme_folders(self) -> Sequence[Path]:
        """Where the themes lie."""


class SettingsScreen(Screen[None]):
    """Lists the settings, and writes each change into the file at once.

    Args:
        origin: What the settings are made of.
        loaded: What that gave just now.
        host: Who goes by them.
        told: What is to be said at once.
    """

    AUTO_FOCUS = "SettingList"
    # In a low terminal the list needs the lines.
    VERTICAL_BREAKPOINTS = [(0, "-low"), (14, "-high")]  # noqa: RUF012 - Textual declares it on instances

    def __init__(self, origin: Origin, loaded: Loaded, host: Host, told: str = "") -> None:
        super().__init__()
        self._origin = origin
        self._host = host
        self._rows = {row.key: row for row in rows_of(loaded)}
        self._every = False
        self._edited: Row | None = None
        self._shape: ModelShape | None = None
        self._said, self._said_of = told, ""
        self.filter = FilterInput(_("/ filters all keys by name, value and meaning"))
        self.list = SettingList()
        self.about = Static("", id="about", markup=False)
        self.edit = Line(compact=True)
        self.last_line = Static("", id="last-line", markup=False)

    def compose(self) -> ComposeResult:
        """Where they come from, the filter, the list, what is said about the key at the cursor, the keys."""
        yield Static(self._title(), id="heading", markup=False)
        yield self.filter
        yield self.list
        yield self.about
        yield self.edit
        yield self.last_line

    def _title(self) -> str:
        path, profile = sanitize_line(str(self._origin.path)), sanitize_line(self._origin.profile_in_use)
        if not profile:
            return _("Settings · {path}").format(path=path)
        return _("Settings · {path} · profile {profile}").format(path=path, profile=profile)

    def on_mount(self) -> None:
        """Nothing is edited yet."""
        self.edit.display = False

    def on_resize(self) -> None:
        """The lines are as wide as the list."""
        self.call_after_refresh(self._fill)

    # What is listed

    def _fill(self) -> None:
        """List what is wanted; the cursor stays on its key."""
        width = max(self.list.scrollable_content_region.width, 1)
        options: list[Option] = []
        section = ""
        for row in chosen(self._rows.values(), self.filter.value, every=self._every):
            if row.key.partition(".")[0] != section:
                section = row.key.partition(".")[0]
                options.append(Option(Text(section, "bold"), disabled=True))
            options.append(Option(line(row, width), id=row.key))
        self.list.show(options)
        if self._said and not self._said_of:
            self._said_of = self.list.key or ""
        self._tell()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for what is typed; say what a number costs."""
        event.stop()
        if event.input is self.filter:
            self._fill()
        elif self._edited is not None:
            self._say("")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what the key means."""
        event.stop()
        self._tell()

    def action_toggle_all(self) -> None:
        """List all keys, or the usual ones."""
        self._every = not self._every
        self._fill()

    def action_filter(self) -> None:
        """Write in the filter."""
        self.set_focus(self.filter)

    def action_leave_filter(self) -> None:
        """Go to the list; what is filtered stays."""
        self.set_focus(self.list)

    def action_move(self, step: int) -> None:
        """Move in the list while the filter has the keys."""
        (self.list.action_cursor_down if step > 0 else self.list.action_cursor_up)()

    def action_back(self) -> None:
        """Go back to the chat."""
        self.dismiss(None)

    # What is said

    def _say(self, text: str) -> None:
        """Say `text` in place of what the key at the cursor means, until the cursor moves."""
        self._said, self._said_of = text, self.list.key or ""
        self._tell()

    def _tell(self) -> None:
        key = self.list.key
        if self._said_of and key != self._said_of:
            self._said = self._said_of = ""
        if self._said:
            self.about.update(self._said)
        elif key is None:
            self.about.update(_("No key fits."))
        else:
            text = about(self._rows[key])
            if cost := self._cost():
                text = Text.assemble((key, "bold"), ": ", cost)
            self.about.update(text)
        self._show_keys()

    def _cost(self) -> str:
        """What the `num_ctx` that is being written takes, "" where that is not known."""
        text = self.edit.value.strip().replace("_", "")
        if self._edited is None or self._edited.key != _NUM_CTX or self._shape is None:
            return ""
        if not text.isascii() or not text.isdigit() or int(text) < 1 or len(text) > len("999999999"):
            return ""
        again = _("A change has the server load the model again.")
        return f"{memory_line(self._shape, int(text), *self._host.card())} {again}"

    def _show_keys(self) -> None:
        keys = _EDIT_KEYS if self.edit.display else _FILTER_KEYS if self.focused is self.filter else _KEYS
        text = Text(f" {self.list.place}/{len(self.list.keys)}", no_wrap=True)
        for part in map(_, keys):
            if text.cell_len + Text(part).cell_len + len(" · ") > self.size.width:
                break
            text.append(f" · {part}")
        self.last_line.update(text)

    def on_descendant_focus(self) -> None:
        """Show the keys of what has them now."""
        self._show_keys()

    # Changing a value

    def on_setting_list_opened(self) -> None:
        """Change the one that was clicked."""
        self.call_later(self.action_open)

    async def action_open(self) -> None:
        """Change the value at the cursor: go round, open a list, or write."""
        row = self._current()
        if row is None:
            return
        choices = theme_names(self._host.theme_folders()) if row.key == _THEME else row.choices
        if len(choices) == _PAIR:
            await self._change(row, next(choice for choice in choices if choice != row.written))
        elif choices:
            self.app.push_screen(SettingChoice(row.key, choices, row.written), partial(self._choose, row))
        elif "\n" in row.written:
            self._say(
                _("It has several lines; change it in {path}, with an editor.").format(
                    path=sanitize_line(str(self._origin.path))
                )
            )
        else:
            self._begin(row)

    async def _choose(self, row: Row, text: str | None) -> None:
        if text is not None and text != row.written:
            await self._change(row, text)

    async def action_default(self) -> None:
        """Take the value at the cursor out of the file."""
        row = self._current()
        if row is not None and (row.source == "file" or row.source.startswith("profile ")):
            await self._change(row, None)
        elif row is not None:
            self._say(_("{key} is not set in the file.").format(key=row.key))

    def _current(self) -> Row | None:
        """The row at the cursor as it is now; None where it cannot be changed here, and the user is told.

        The file is read at once, not in a thread: what is typed meanwhile must find the line to write in.
        """
        key = self.list.key
        if key is None:
            return None
        try:
            loaded = self._origin.read()
        except SettingsError as error:
            self._say(str(error))
            return None
        self._take(loaded)
        row = self._rows[key]
        if in_file(row.source):
            return row
        self._say(f"{decided(key, row.source)} {_('Change it there, or take it away there.')}")
        return None

    def _take(self, loaded: Loaded) -> str:
        """Show other values, and have the host go by them; what the user is to be told of that."""
        self._rows = {row.key: row for row in rows_of(loaded)}
        told = self._host.adopt(loaded.settings)
        self._fill()
        return told

    def _begin(self, row: Row) -> None:
        self._edited = row
        hidden = masked(row.key, row.value) != row.value
        self.edit.password = row.key in SECRETS
        self.edit.placeholder = _("{key} is {allowed}").format(key=row.key, allowed=allowed(row.kind))
        self.edit.value = "" if hidden else row.written
        self.edit.cursor_position = len(self.edit.value)
        self.edit.display = True
        self._said = self._said_of = ""
        self.set_focus(self.edit)
        self._tell()
        if row.key == _NUM_CTX and self._shape is None:
            self.run_worker(self._weigh(), group="shape", exclusive=True)

    async def _weigh(self) -> None:
        self._shape = await self._host.shape()
        self._tell()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep what was written, if it can be."""
        event.stop()
        row, text = self._edited, event.value
        if event.input is not self.edit or row is None:
            return
        is_hidden = masked(row.key, row.value) != row.value
        if text == row.written or (is_hidden and not text):
            self._end_edit()
        elif not text.strip() and row.may_be_unset:
            self._end_edit()
            await self.action_default()
        elif await self._change(row, text):
            self._end_edit()

    def on_key(self, event: events.Key) -> None:
        """Escape leaves what is being written as it was."""
        if event.key == "escape" and self.edit.display:
            event.stop()
            self._said = self._said_of = ""
            self._end_edit()

    def _end_edit(self) -> None:
        self._edited = None
        self.edit.display = False
        self.edit.value = ""
        self.set_focus(self.list)
        self._tell()

    async def _change(self, row: Row, text: str | None) -> bool:
        """Write another value, None for none, into the file; whether that was done or cannot be any more."""
        try:
            if text is not None:
                self._check(row.key, text)
            changed = await asyncio.to_thread(change, self._origin, row.key, text, row.value)
        except ChangedMeanwhile as error:
            self._take(error.loaded)
            self._say(str(error))
            return True
        except (SettingsError, StoreError) as error:
            self._say(str(error))
            return False
        told = self._take(changed.loaded)
        place = f"{sanitize_line(str(self._origin.path))} [{sanitize_line(changed.table)}]"
        self._say(" ".join(part for part in (self._done(row, text, place), told) if part))
        return True

    def _check(self, key: str, text: str) -> None:
        """Look at what a type does not tell of a value.

        Raises:
            SettingsError: It cannot be used.
        """
        if key == _THEME:
            load_theme(text, self._host.theme_folders())
        elif key == "server.host":
            parse_host(text)

    def _done(self, before: Row, text: str | None, place: str) -> str:
        now = self._rows[before.key]
        if text is None:
            sentence = _("{key} is removed from {place}; now it is {value}, by {source}.").format(
                key=now.key, place=place, value=shown(now.key, now.value), source=source_text(now.source)
            )
        else:
            sentence = _("{key} is {value} in {place} now.").format(
                key=now.key, place=place, value=shown(now.key, now.value)
            )
        return f"{sentence} {effect_sentence(now.key)}"
