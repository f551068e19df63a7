"""Choose who the model is to be: a filter, the personas that fit, and the prompt of the one at the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from qwentui.chat.errors import SettingsError
from qwentui.chat.persona import fitting
from qwentui.chat.sanitize import sanitize_line, sanitize_whole
from qwentui.language import _
from qwentui.store.personas import resolved
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from qwentui.store.personas import KeptPersona, Personas

_PREVIEW = 600
"""Characters of a prompt that are shown."""


@dataclass(frozen=True, slots=True)
class PersonaChosen:
    """What the user took; None is no persona."""

    kept: KeptPersona | None


class PersonaPicker(ModalScreen[PersonaChosen | None]):
    """Gives the choice, or None when the user goes back.

    Args:
        personas: What there is.
        current: The name of the one in use, or "".
        count: Says how many tokens a prompt has.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape,f9", "back", "Back", show=False, priority=True),
        Binding("down", "down", "Down", show=False, priority=True),
        Binding("up", "up", "Up", show=False, priority=True),
    ]

    def __init__(self, personas: Personas, current: str, count: Callable[[str], str]) -> None:
        super().__init__()
        self._personas = personas
        self._current = current
        self._count = count
        self._shown: list[KeptPersona | None] = []

    def compose(self) -> ComposeResult:
        """The filter over the list over the preview."""
        line = Line(placeholder=_("a few letters of the name"), compact=True)
        with Vertical(id="panel"):
            yield line
            yield OptionList(markup=False, compact=True)
            yield Static(id="preview", markup=False)
            yield Static(self._trouble(), id="hint", markup=False)

    def _trouble(self) -> str:
        ways = _("enter takes it · esc goes back")
        broken = self._personas.broken
        if broken:
            told = _("{trouble} ({count} broken: qwentui doctor)")
            return f"{told.format(trouble=broken[0].error.message, count=len(broken))} · {ways}"
        if not self._personas.kept:
            return _("Six come along: qwentui persona add --examples") + f" · {ways}"
        return ways

    def on_mount(self) -> None:
        """Begin at the persona in use."""
        self._fill("")
        names = [kept.persona.name if kept else "" for kept in self._shown]
        if self._current in names:
            self.query_one(OptionList).highlighted = names.index(self._current)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        event.stop()
        self._fill(event.value)

    def _fill(self, wanted: str) -> None:
        named = ((kept, (kept.persona.name, kept.path.stem)) for kept in self._personas.kept)
        self._shown = [*fitting(wanted, named), *([] if wanted.strip() else [None])]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(self._line(kept)) for kept in self._shown)
        options.highlighted = 0 if self._shown else None
        if not self._shown:
            self.query_one("#preview", Static).update(_("None fits."))

    def _line(self, kept: KeptPersona | None) -> Text:
        if kept is None:
            return Text(_("no persona"))
        about = "  ".join(
            part for part in (kept.persona.description, sanitize_line(kept.persona.model)) if part
        )
        return Text.assemble(kept.persona.name, ("  " + about, "dim"))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the prompt, and what it costs."""
        event.stop()
        if event.option_index >= len(self._shown):
            return
        kept = self._shown[event.option_index]
        text = _("The system prompt of the settings.")
        if kept is not None:
            try:
                system = resolved(kept).system
                cost = _("{count} tok").format(count=self._count(system))
                text = f"{cost} · {sanitize_whole(system[:_PREVIEW]).text}"
            except SettingsError as error:
                text = str(error)
        self.query_one("#preview", Static).update(text)

    def action_back(self) -> None:
        """Keep what there is."""
        self.dismiss(None)

    def action_down(self) -> None:
        """Move down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Move up."""
        self.query_one(OptionList).action_cursor_up()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the one at the cursor."""
        event.stop()
        self._take(self.query_one(OptionList).highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the one that was clicked."""
        event.stop()
        self._take(event.option_index)

    def _take(self, index: int | None) -> None:
        if index is not None and index < len(self._shown):
            self.dismiss(PersonaChosen(self._shown[index]))
