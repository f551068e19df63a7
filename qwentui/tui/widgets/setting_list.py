"""The list of the settings, with a heading over each section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message
from textual.widgets import OptionList

from qwentui.keyboard.keymap import DEFAULT
from qwentui.tui.bound import bind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.widgets.option_list import Option

    from qwentui.keyboard.keymap import Keymap


class SettingList(OptionList, inherit_bindings=False):
    """Options with an id are keys; the others are headings, on which the cursor never stands."""

    class Opened(Message, namespace="setting_list"):
        """The user wants to change the key at the cursor."""

    def __init__(self, keymap: Keymap = DEFAULT) -> None:
        super().__init__(markup=False, compact=True)
        bind(self, keymap, "settings")

    @property
    def key(self) -> str | None:
        """The key at the cursor."""
        option = self.highlighted_option
        return None if option is None else option.id

    @property
    def keys(self) -> list[str]:
        """The keys that are listed."""
        return [option.id for option in self.options if option.id is not None]

    @property
    def place(self) -> int:
        """The place of the cursor among the keys, counted from 1; 0 where there are none."""
        return self.keys.index(self.key) + 1 if self.key is not None else 0

    def show(self, options: Sequence[Option]) -> None:
        """List `options`; the cursor stays on its key, else it goes to the first."""
        if [option.id for option in options] == [option.id for option in self.options]:
            for place, option in enumerate(options):
                self.replace_option_prompt_at_index(place, option.prompt)
            return
        key = self.key
        self.set_options(options)
        ids = [option.id for option in options]
        if options:
            self.highlighted = 1 if key is None or key not in ids else ids.index(key)

    async def _on_click(self, event: events.Click) -> None:
        """Go to a key; a click on the cursor's key opens it."""
        event.prevent_default()
        place = event.style.meta.get("option")
        if place is None or self.options[place].disabled:
            return
        if place == self.highlighted and self.has_focus:
            self.post_message(self.Opened())
        else:
            self.highlighted = place

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Keep the cursor in view, and the first heading with the first key."""
        super().scroll_to_highlight(top)
        if self.highlighted == 1:
            self.scroll_home(animate=False)
