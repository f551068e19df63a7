"""Every key and command, and what it does: read off their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from qwentui.language import N_, _
from qwentui.tui.commands.table import COMMANDS
from qwentui.tui.keys import KEYS, spoken

if TYPE_CHECKING:
    from textual.app import ComposeResult

_HEADINGS = {
    "everywhere": N_("Everywhere"),
    "chat": N_("In the chat"),
    "composer": N_("While writing"),
    "completion": N_("While a list of completions is open"),
    "transcript": N_("While reading (Tab)"),
    "sessions": N_("In the list of chats (Ctrl+S)"),
    "filter": N_("In its filter (/)"),
}
_KEY_WIDTH = 30


class HelpScreen(ModalScreen[None]):
    """Lists the keys and the commands."""

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape,q,f1", "dismiss", "Close", show=False),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The table, scrollable where it is too long."""
        with VerticalScroll(id="panel"):
            yield Static(_table(), markup=False)

    def action_down(self) -> None:
        """Scroll down."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """Scroll up."""
        self.query_one(VerticalScroll).scroll_up(animate=False)


def _table() -> Text:
    text = Text()
    text.append(_("Commands, typed in place of a prompt") + "\n", "bold")
    for command in COMMANDS:
        text.append(_line(f"/{command.name} {command.usage}".rstrip(), _(command.help)))
    text.append("\n")
    for where, heading in _HEADINGS.items():
        text.append(f"{_(heading)}\n", "bold")
        for key in KEYS:
            if key.where == where:
                text.append(_line(spoken(key), _(key.help)))
        text.append("\n")
    text.append(_("esc closes"), "dim")
    return text


def _line(name: str, about: str) -> str:
    return f"  {name}{' ' * max(1, _KEY_WIDTH - cell_len(name))}{about}\n"
