"""Ask which of a few values a setting is to have."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _

if TYPE_CHECKING:
    from textual.app import ComposeResult


class SettingChoice(ModalScreen[str | None]):
    """Gives the choice, or None when the user goes back.

    Args:
        key: The key's path.
        choices: What it can be.
        current: What it is.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "back", "Back", show=False, priority=True),
        Binding("q", "back", "Back", show=False),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self, key: str, choices: tuple[str, ...], current: str) -> None:
        super().__init__()
        self._key = key
        self._choices = choices
        self._current = current

    def compose(self) -> ComposeResult:
        """The key over the choices."""
        with Vertical(id="panel"):
            yield Static(self._key, id="message", markup=False)
            options = (Option(sanitize_line(choice)) for choice in self._choices)
            yield OptionList(*options, markup=False, compact=True)
            yield Static(_("enter takes it · esc goes back"), id="hint", markup=False)

    def on_mount(self) -> None:
        """Begin at the value that it has."""
        if self._current in self._choices:
            self.query_one(OptionList).highlighted = self._choices.index(self._current)

    def action_back(self) -> None:
        """Keep what there is."""
        self.dismiss(None)

    def action_move(self, step: int) -> None:
        """Move by one."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if step > 0 else options.action_cursor_up)()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take a choice."""
        event.stop()
        self.dismiss(self._choices[event.option_index])
