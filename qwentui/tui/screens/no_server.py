"""Nothing to talk to: what is wrong, and the ways on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from qwentui.language import _
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from textual.app import ComposeResult


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Ask the same address once more."""


@dataclass(frozen=True, slots=True)
class TryHost:
    """Ask another address, by the rules of OLLAMA_HOST."""

    host: str


@dataclass(frozen=True, slots=True)
class UseEmbedded:
    """Run the built-in model."""


WayOn = TryAgain | TryHost | UseEmbedded


class NoServerScreen(ModalScreen[WayOn]):
    """One sentence, one hint, three keys.

    Args:
        message: What is wrong.
        hint: What to do about it outside of the program.
        host: The address that was asked.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("r,enter", "again", "Try again", show=False),
        Binding("a", "address", "Another address", show=False),
        Binding("b", "embedded", "The built-in model", show=False),
    ]

    # The keys work at once; the line for an address takes the focus when it is asked for.
    AUTO_FOCUS = ""

    def __init__(self, message: str, hint: str, host: str) -> None:
        super().__init__()
        self._message = message
        self._hint = hint
        self._host = host

    def compose(self) -> ComposeResult:
        """The sentence, the hint, the ways on, and a line for another address."""
        with Vertical(id="panel"):
            yield Static(self._message, id="message", markup=False)
            yield Static(self._hint, id="hint", markup=False)
            yield Static(
                _(
                    "r  try again\n"
                    "a  another address\n"
                    "b  run the small built-in model on this machine (fetches 94 MB once)\n"
                    "ctrl+q  quit"
                ),
                id="ways",
                markup=False,
            )
            address = Line(self._host, "host:port")
            address.display = False
            yield address

    def action_again(self) -> None:
        """Try the same address."""
        self.dismiss(TryAgain())

    def action_address(self) -> None:
        """Show the line for another address."""
        address = self.query_one(Input)
        address.display = True
        self.set_focus(address)

    def action_embedded(self) -> None:
        """Run the built-in model."""
        self.dismiss(UseEmbedded())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the address."""
        event.stop()
        if event.value.strip():
            self.dismiss(TryHost(event.value.strip()))
