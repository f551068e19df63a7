"""Choose one of several models."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwentui.backends.choice import short_name
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from qwentui.backends.base import ModelSummary


class ModelPicker(ModalScreen[str | None]):
    """Gives the chosen model's name, or None when the user goes back.

    Args:
        question: Why there is a choice, one line.
        models: The models, in the order to show.
        loaded: The names of those in memory now.
        current: The name of the one in use, or "".
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "back", "Back", show=False, priority=True),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(
        self, question: str, models: Sequence[ModelSummary], loaded: frozenset[str], current: str
    ) -> None:
        super().__init__()
        self._question = question
        self._models = tuple(models)
        self._loaded = loaded
        self._current = current

    def compose(self) -> ComposeResult:
        """The question over the list."""
        with Vertical(id="panel"):
            yield Static(self._question, id="message", markup=False)
            yield OptionList(*(Option(self._line(model)) for model in self._models), compact=True)
            yield Static(_("enter takes it · esc goes back"), id="hint", markup=False)

    def on_mount(self) -> None:
        """Begin at the model in use."""
        names = [model.name for model in self._models]
        self.query_one(OptionList).highlighted = names.index(self._current) if self._current in names else 0

    def _line(self, model: ModelSummary) -> Text:
        parts = [model.parameter_size, model.quantization_level]
        if model.size is not None:
            parts.append(f"{model.size / 1e9:.1f} GB")
        if model.name in self._loaded:
            parts.append(_("loaded"))
        about = sanitize_line("  ".join(part for part in parts if part))
        return Text.assemble(sanitize_line(short_name(model.name), 60), ("  " + about, "dim"))

    def action_back(self) -> None:
        """Keep what there is."""
        self.dismiss(None)

    def action_down(self) -> None:
        """Move down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Move up."""
        self.query_one(OptionList).action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the model."""
        event.stop()
        self.dismiss(self._models[event.option_index].name)
