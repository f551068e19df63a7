"""The settings: each value, where it comes from, and changed where it stands."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Protocol

from rich.text import Text

from qwentui.backends.address import parse_host
from qwentui.chat.errors import SettingsError, StoreError
from qwentui.chat.memory_words import memory_line
from qwentui.chat.sanitize import sanitize_line
from qwentui.keyboard.keymap import DEFAULT
from qwentui.language import _
from qwentui.store.setting_words import allowed
from qwentui.store.settings_origin import ChangedMeanwhile, change, decided, in_file
from qwentui.store.settings_text import SECRETS, masked
from qwentui.store.theme_choice import AUTO
from qwentui.store.themes import load_theme, theme_names
from qwentui.tui.screens.setting_choice import SettingChoice
from qwentui.tui.screens.setting_listing import SettingListing
from qwentui.tui.screens.setting_rows import effect_sentence, rows_of, shown, source_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual import events
    from textual.widgets import Input

    from qwentui.chat.memory_fit import ModelShape
    from qwentui.keyboard.keymap import Keymap
    from qwentui.store.settings import Loaded, Settings
    from qwentui.store.settings_origin import Origin
    from qwentui.tui.screens.setting_rows import Row

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


class SettingsScreen(SettingListing):
    """Writes each change into the file at once.

    Args:
        origin: What the settings are made of.
        loaded: What that gave just now.
        host: Who goes by them.
        told: What is to be said at once.
        keymap: The keys in effect.
    """

    def __init__(
        self, origin: Origin, loaded: Loaded, host: Host, told: str = "", *, keymap: Keymap = DEFAULT
    ) -> None:
        super().__init__(origin, loaded, told, keymap=keymap)
        self._host = host
        self._edited: Row | None = None
        self._shape: ModelShape | None = None

    def explain(self, key: str) -> Text:
        """What is said about a key; about the context that is being written, what it costs."""
        cost = self._cost()
        return Text.assemble((key, "bold"), ": ", cost) if cost else super().explain(key)

    def _cost(self) -> str:
        """What the `num_ctx` that is being written takes, "" where that is not known."""
        text = self.edit.value.strip().replace("_", "")
        if self._edited is None or self._edited.key != _NUM_CTX or self._shape is None:
            return ""
        if not text.isascii() or not text.isdigit() or int(text) < 1 or len(text) > len("999999999"):
            return ""
        again = _("A change has the server load the model again.")
        return f"{memory_line(self._shape, int(text), *self._host.card())} {again}"

    def on_setting_list_opened(self) -> None:
        """Change the one that was clicked."""
        self.call_later(self.action_open)

    async def action_open(self) -> None:
        """Change the value at the cursor: go round, open a list, or write."""
        row = self._current()
        if row is None:
            return
        choices = (AUTO, *theme_names(self._host.theme_folders())) if row.key == _THEME else row.choices
        if len(choices) == _PAIR:
            await self._change(row, next(choice for choice in choices if choice != row.written))
        elif choices:
            self.app.push_screen(SettingChoice(row.key, choices, row.written), partial(self._choose, row))
        elif "\n" in row.written:
            self.say(
                _("It has several lines; change it in {path}, with an editor.").format(
                    path=sanitize_line(str(self.origin.path))
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
            self.say(_("{key} is not set in the file.").format(key=row.key))

    def _current(self) -> Row | None:
        """The row at the cursor as it is now; None where it cannot be changed here, and the user is told.

        The file is read at once, not in a thread: what is typed meanwhile must find the line to write in.
        """
        key = self.list.key
        if key is None:
            return None
        try:
            loaded = self.origin.read()
        except SettingsError as error:
            self.say(str(error))
            return None
        self._take(loaded)
        row = self.rows[key]
        if in_file(row.source):
            return row
        remedy = _("Change it there, or take it away there.")
        self.say(f"{decided(key, row.source)} {remedy}")
        return None

    def _take(self, loaded: Loaded) -> str:
        """Show other values, and have the host go by them; what the user is to be told of that."""
        self.rows = {row.key: row for row in rows_of(loaded)}
        told = self._host.adopt(loaded.settings)
        self.fill()
        return told

    def _begin(self, row: Row) -> None:
        self._edited = row
        hidden = masked(row.key, row.value) != row.value
        self.edit.password = row.key in SECRETS
        self.edit.placeholder = _("{key} is {allowed}").format(key=row.key, allowed=allowed(row.kind))
        self.edit.value = "" if hidden else row.written
        self.edit.cursor_position = len(self.edit.value)
        self.edit.display = True
        self.set_focus(self.edit)
        self.say("")
        if row.key == _NUM_CTX and self._shape is None:
            self.run_worker(self._weigh(), group="shape", exclusive=True)

    async def _weigh(self) -> None:
        self._shape = await self._host.shape()
        self.tell()

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
            self.say("")
            self._end_edit()

    def _end_edit(self) -> None:
        self._edited = None
        self.edit.display = False
        self.edit.value = ""
        self.set_focus(self.list)
        self.tell()

    async def _change(self, row: Row, text: str | None) -> bool:
        """Write another value, None for none, into the file; whether that was done or cannot be any more."""
        try:
            if text is not None:
                self._check(row.key, text)
            changed = await asyncio.to_thread(change, self.origin, row.key, text, row.value)
        except ChangedMeanwhile as error:
            self._take(error.loaded)
            self.say(str(error))
            return True
        except (SettingsError, StoreError) as error:
            self.say(str(error))
            return False
        told = self._take(changed.loaded)
        place = f"{sanitize_line(str(self.origin.path))} [{sanitize_line(changed.table)}]"
        self.say(" ".join(part for part in (self._done(row, text, place), told) if part))
        return True

    def _check(self, key: str, text: str) -> None:
        """Look at what a type does not tell of a value.

        Raises:
            SettingsError: It cannot be used.
        """
        if key == _THEME and text != AUTO:
            load_theme(text, self._host.theme_folders())
        elif key == "server.host":
            parse_host(text)

    def _done(self, before: Row, text: str | None, place: str) -> str:
        now = self.rows[before.key]
        if text is None:
            sentence = _("{key} is removed from {place}; now it is {value}, by {source}.").format(
                key=now.key, place=place, value=shown(now.key, now.value), source=source_text(now.source)
            )
        else:
            sentence = _("{key} is {value} in {place} now.").format(
                key=now.key, place=place, value=shown(now.key, now.value)
            )
        return f"{sentence} {effect_sentence(now.key)}"
