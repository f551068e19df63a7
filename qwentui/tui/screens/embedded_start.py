"""The built-in model on its way: fetched, checked, loaded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from rich.cells import set_cell_size
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from qwentui.chat.errors import QwentuiError
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from qwentui.backends.base import Backend
    from qwentui.backends.model_fetch import Progress

_BAR = 40
_PHASE = 12
_PHASES = {
    "waiting": N_("waiting"),
    "downloading": N_("downloading"),
    "unpacking": N_("unpacking"),
    "checking": N_("checking"),
    "loading": N_("loading"),
}


class EmbeddedStart(ModalScreen["Backend | QwentuiError | None"]):
    """Gives the backend, or the error that prevents it, or None when the user cancels.

    Args:
        start: Starts the built-in server, telling its progress.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "cancel", "Cancel", show=False, priority=True),
    ]

    def __init__(self, start: Callable[[Callable[[Progress], None]], Awaitable[Backend]]) -> None:
        super().__init__()
        self._start = start

    def compose(self) -> ComposeResult:
        """What is being done, and how far it is."""
        with Vertical(id="panel"):
            yield Static(_("Starting the built-in model"), id="message", markup=False)
            yield Static("", id="progress", markup=False)
            hint = _("esc cancels; what has come is kept for the next time")
            yield Static(hint, id="hint", markup=False)

    def on_mount(self) -> None:
        """Begin at once."""
        self._work = self.run_worker(self._run(), exit_on_error=True)

    async def _run(self) -> None:
        try:
            self.dismiss(await self._start(self._show))
        except QwentuiError as error:
            self.dismiss(error)
        except asyncio.CancelledError:
            if self.is_attached:
                self.dismiss(None)
            raise

    def _show(self, progress: Progress) -> None:
        share = progress.done / progress.total if progress.total else 0.0
        full = round(share * _BAR)
        amount = ""
        if progress.total:
            told = _("{done:.0f} of {total:.0f} MB")
            amount = told.format(done=progress.done / 1e6, total=progress.total / 1e6)
        bar = "━" * full + "─" * (_BAR - full)
        self.query_one("#progress", Static).update(
            f"{set_cell_size(_(_PHASES[progress.phase]), _PHASE)}{bar} {amount}"
        )

    def action_cancel(self) -> None:
        """Stop; what was fetched stays."""
        self._work.cancel()
