"""Every key and command, and what it does: those first that work where the user is; a filter finds others."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from qwentui.keyboard.places import PLACES, places_from, reaching
from qwentui.language import _
from qwentui.tui.commands.table import COMMANDS
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from textual.app import ComposeResult

    from qwentui.keyboard.keymap import Keymap
    from qwentui.keyboard.table import Where


class HelpScreen(ModalScreen[None]):
    """Lists the keys and the commands.

    Args:
        keymap: The keys in effect.
        here: Where the user is.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "back", "Close", show=False, priority=True),
        Binding("q", "dismiss", "Close", show=False),
        Binding("slash", "filter", "Filter", show=False, priority=True),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, keymap: Keymap, here: Where) -> None:
        super().__init__()
        self._keymap = keymap
        self._near = reaching(here)
        self._places = places_from(here)

    def compose(self) -> ComposeResult:
        """The filter, when it is wanted, over the table."""
        line = Line(placeholder=_("words of what it does, or a key"), compact=True)
        line.display = False
        with Vertical(id="panel"):
            yield line
            with VerticalScroll():
                yield Static(self._table(""), id="keys", markup=False)
            yield Static(_("/ filters · esc closes"), id="hint", markup=False)

    def action_back(self) -> None:
        """Close the filter, else the help."""
        line = self.query_one(Input)
        if not line.display:
            self.dismiss(None)
            return
        line.value = ""
        line.display = False
        self.set_focus(self.query_one(VerticalScroll))

    def action_filter(self) -> None:
        """Write in the filter."""
        line = self.query_one(Input)
        line.display = True
        self.set_focus(line)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        event.stop()
        self.query_one("#keys", Static).update(self._table(event.value))
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Scroll in what is found."""
        event.stop()
        self.set_focus(self.query_one(VerticalScroll))

    def action_down(self) -> None:
        """Scroll down."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """Scroll up."""
        self.query_one(VerticalScroll).scroll_up(animate=False)

    def _table(self, wanted: str) -> Group:
        words = wanted.casefold().split()
        parts: list[RenderableType] = []
        for heading, all_rows in self._sections():
            rows = [row for row in all_rows if all(word in " ".join(row).casefold() for word in words)]
            if rows:
                parts += [Text(heading, "bold"), _columns(rows), Text()]
        return Group(*parts or [Text(_("No key fits."), "dim")])

    def _sections(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """What there is under which heading: what works here, the commands, and the rest."""
        for where in self._near:
            yield self._keys(where)
        rows = [(f"/{command.name} {command.usage}".rstrip(), _(command.help)) for command in COMMANDS]
        yield _("Commands, typed in place of a prompt"), rows
        for where in self._places[len(self._near) :]:
            yield self._keys(where)

    def _keys(self, where: Where) -> tuple[str, list[tuple[str, str]]]:
        keys = [key for key in self._keymap.keys.values() if key.where == where]
        rows = [(", ".join(self._keymap.spoken(key.id)) or "–", _(key.help)) for key in keys]
        return _(PLACES[where]).format(**self._ways()), rows

    def _ways(self) -> dict[str, str]:
        """The keys that lead to the places, for their headings."""
        return {
            name: self._keymap.first(name) or "–"
            for name in ("read", "sessions", "filter", "settings", "compare")
        }


def _columns(rows: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 0, 0, 2), expand=True)
    table.add_column(ratio=2)
    table.add_column(ratio=3)
    for name, told in rows:
        table.add_row(Text(name), Text(told))
    return table
