"""A line to write in that has keys of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.language import _
from qwentui.tui.keys import bindings
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from textual import events


class FilterInput(Line):
    """What is looked for in a list; the keys that move in the list stay with the list."""

    BINDINGS = bindings("filter")

    def __init__(self, text: str) -> None:
        super().__init__(text, placeholder=_("/ filters by title, #tag and what was said"), compact=True)

    async def _on_key(self, event: events.Key) -> None:
        """Act on a key when its turn has come, before what was typed behind it in the same burst."""
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if binding.action.startswith("screen."):
                event.stop()
                event.prevent_default()
                await self.run_action(binding.action)
                return
