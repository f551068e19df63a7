"""The settings in a list: found, toggled between the usual ones and all, and each one explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from qwentui.chat.sanitize import sanitize_line
from qwentui.keyboard.keymap import DEFAULT
from qwentui.language import N_, _
from qwentui.tui.screens.setting_rows import about, chosen, line, rows_of
from qwentui.tui.widgets.filter_input import FilterInput
from qwentui.tui.widgets.line import Line
from qwentui.tui.widgets.setting_list import SettingList

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import Input, OptionList

    from qwentui.keyboard.keymap import Keymap
    from qwentui.store.settings import Loaded
    from qwentui.store.settings_origin import Origin

_KEYS = (
    N_("enter changes it"),
    N_("d default"),
    N_("a all keys"),
    N_("/ filters"),
    N_("q back"),
)
_FILTER_KEYS = (N_("enter changes it"), N_("↑↓ move"), N_("esc back to the list"))
_EDIT_KEYS = (N_("enter keeps it"), N_("esc leaves it"))


class SettingListing(Screen[None]):
    """Lists the settings; who inherits from it changes them.

    Args:
        origin: What the settings are made of.
        loaded: What that gave just now.
        told: What is to be said at once.

    Attributes:
        origin: As given.
        rows: All keys, by their paths.
        filter: What is looked for.
        list: The keys that fit.
        about: What is said about the one at the cursor.
        edit: Where a value is written; not shown otherwise.
    """

    AUTO_FOCUS = "SettingList"
    # In a low terminal the list needs the lines.
    VERTICAL_BREAKPOINTS = [(0, "-low"), (14, "-high")]  # noqa: RUF012 - Textual declares it on instances

    def __init__(self, origin: Origin, loaded: Loaded, told: str = "", *, keymap: Keymap = DEFAULT) -> None:
        super().__init__()
        self.origin = origin
        self.rows = {row.key: row for row in rows_of(loaded)}
        self._every = False
        self._said, self._said_of = told, ""
        self.filter = FilterInput(_("/ filters all keys by name, value and meaning"), keymap=keymap)
        self.list = SettingList(keymap)
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
        path, profile = sanitize_line(str(self.origin.path)), sanitize_line(self.origin.profile_in_use)
        if not profile:
            return _("Settings · {path}").format(path=path)
        return _("Settings · {path} · profile {profile}").format(path=path, profile=profile)

    def on_mount(self) -> None:
        """Nothing is edited yet."""
        self.edit.display = False

    def on_resize(self) -> None:
        """The lines are as wide as the list."""
        self.call_after_refresh(self.fill)

    # What is listed

    def fill(self) -> None:
        """List what is wanted; the cursor stays on its key."""
        width = max(self.list.scrollable_content_region.width, 1)
        options: list[Option] = []
        section = ""
        for row in chosen(self.rows.values(), self.filter.value, every=self._every):
            if row.key.partition(".")[0] != section:
                section = row.key.partition(".")[0]
                options.append(Option(Text(section, "bold"), disabled=True))
            options.append(Option(line(row, width), id=row.key))
        self.list.show(options)
        if self._said and not self._said_of:
            self._said_of = self.list.key or ""
        self.tell()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for what is typed; what was said of a value is over when another one is written."""
        event.stop()
        if event.input is self.filter:
            self.fill()
        elif self.edit.display:
            self.say("")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what the key means."""
        event.stop()
        self.tell()

    def action_toggle_all(self) -> None:
        """List all keys, or the usual ones."""
        self._every = not self._every
        self.fill()

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

    def say(self, text: str) -> None:
        """Say `text` in place of what the key at the cursor means, until the cursor moves."""
        self._said, self._said_of = text, self.list.key or ""
        self.tell()

    def tell(self) -> None:
        """Show what was said last of the key at the cursor, else what the key means."""
        key = self.list.key
        if self._said_of and key != self._said_of:
            self._said = self._said_of = ""
        if self._said:
            self.about.update(self._said)
        elif key is None:
            self.about.update(_("No key fits."))
        else:
            self.about.update(self.explain(key))
        self._show_keys()

    def explain(self, key: str) -> Text:
        """What is said about a key while nothing else is."""
        return about(self.rows[key])

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
