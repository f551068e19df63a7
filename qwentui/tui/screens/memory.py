"""Ask what is to become of the model in the server's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwentui.language import _

if TYPE_CHECKING:
    from textual.app import ComposeResult

Wish = Literal["load", "keep", "unload"]

_WISHES: tuple[Wish, ...] = ("load", "keep", "unload")


class MemoryScreen(ModalScreen[Wish | None]):
    """Gives the user's wish, or None when the user goes back.

    Args:
        model: The model's name as a user reads it.
        keep_alive: How long it stays after a reply, by the settings.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "back", "Back", show=False, priority=True),
        Binding("q", "back", "Back", show=False),
        Binding("l", "wish('load')", "Load", show=False),
        Binding("k", "wish('keep')", "Keep", show=False),
        Binding("u", "wish('unload')", "Unload", show=False),
    ]

    def __init__(self, model: str, keep_alive: str) -> None:
        super().__init__()
        self._model = model
        self._keep_alive = keep_alive

    def compose(self) -> ComposeResult:
        """The question over the ways."""
        load = _("l  load it now; it stays for {keep_alive} after each reply")
        lines = (
            load.format(keep_alive=self._keep_alive),
            _("k  keep it loaded until it is unloaded"),
            _("u  unload it as soon as it is idle"),
        )
        with Vertical(id="panel"):
            question = _("{model} in the server's memory").format(model=self._model)
            yield Static(question, id="message", markup=False)
            yield OptionList(*map(Option, lines), markup=False, compact=True)
            yield Static(_("enter takes it · esc goes back"), id="hint", markup=False)

    def action_back(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)

    def action_wish(self, wish: Wish) -> None:
        """Take a way by its letter."""
        self.dismiss(wish)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take a way."""
        event.stop()
        self.dismiss(_WISHES[event.option_index])
