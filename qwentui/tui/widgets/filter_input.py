"""A line to write in that has keys of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.keyboard.keymap import DEFAULT
from qwentui.tui.bound import bind
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from textual import events

    from qwentui.keyboard.keymap import Keymap


class FilterInput(Line):
    """What is looked for in a list; the keys that move in the list stay with the list.

    Args:
        placeholder: What stands there while nothing is looked for.
        text: What it begins with.
        keymap: The keys in effect.
    """

    def __init__(self, placeholder: str, text: str = "", keymap: Keymap = DEFAULT) -> None:
        super().__init__(text, placeholder, compact=True)
        bind(self, keymap, "filter")

    async def _on_key(self, event: events.Key) -> None:
        """Act on a key when its turn has come, before what was typed behind it in the same burst."""
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if binding.action.startswith("screen."):
                event.stop()
                event.prevent_default()
                await self.run_action(binding.action)
                return
