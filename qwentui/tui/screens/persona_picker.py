"""Choose who the model is to be: a filter, the personas that fit, and the prompt of the one at the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

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
from qwentui.tui.transcript.wrap import wrapped
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual import events
    from textual.app import ComposeResult

    from qwentui.store.personas import KeptPersona, Personas

_PREVIEW = 600
"""Characters of a prompt that are shown."""


@dataclass(frozen=True, slots=True)
class PersonaChosen:
    """What the user took; None is no persona."""

    kept: KeptPersona | None


R = TypeVar("R")


class _Letters(Line):
    """The filter.

    Args:
        placeholder: What it says while it is empty.
        actions: The screen's actions for keys that are no letters here.
    """

    def __init__(self, placeholder: str, actions: Mapping[str, str]) -> None:
        super().__init__(placeholder=placeholder, compact=True)
        self._actions = actions

    async def _on_key(self, event: events.Key) -> None:
        """Act on a key when its turn has come, between those that came in the same burst.

        Textual runs a widget's bindings only after the key has travelled up to the app.
        """
        own = [binding.action for binding in self._bindings.key_to_bindings.get(event.key, ())]
        action = f"screen.{self._actions[event.key]}" if event.key in self._actions else next(iter(own), None)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)


class PersonaBrowser(ModalScreen[R | None]):
    """Shows the personas; a subclass says what becomes of the one that is taken, and gives the result.

    The result is None when the user goes back.

    Args:
        personas: What there is.
        current: The name of the one in use, or "".
        count: Says how many tokens a prompt has.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "back", "Back", show=False, priority=True),
    ]
    LETTER_ACTIONS: ClassVar[Mapping[str, str]] = {"down": "down", "up": "up", "enter": "take"}

    def __init__(self, personas: Personas, current: str, count: Callable[[str], str]) -> None:
        super().__init__()
        self._personas = personas
        self._current = current
        self._count = count
        self._shown: list[KeptPersona | None] = []
        self._filled = ""

    def compose(self) -> ComposeResult:
        """The filter over the list over the preview."""
        line = _Letters(_("a few letters of the name"), self.LETTER_ACTIONS)
        with Vertical(id="panel"):
            yield line
            yield OptionList(markup=False, compact=True)
            yield Static(id="preview", markup=False)
            yield Static(self._trouble(), id="hint", markup=False)

    def _trouble(self) -> str:
        ways = self.ways()
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
        self._follow()

    def _follow(self) -> None:
        """Show what fits the letters that are there by now."""
        letters = self.query_one(Input).value
        if letters != self._filled:
            self._fill(letters)

    def _fill(self, wanted: str) -> None:
        self._filled = wanted
        named = ((kept, (kept.persona.name, kept.path.stem)) for kept in self._personas.kept)
        self._shown = [*fitting(wanted, named), *([] if wanted.strip() else [None])]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(self._line(kept)) for kept in self._shown)
        options.highlighted = 0 if self._shown else None
        if not self._shown:
            self.query_one("#preview", Static).update(_("None fits."))

    def _line(self, kept: KeptPersona | None) -> Text:
        mark = self.mark(kept)
        if kept is None:
            return Text(mark + _("no persona"))
        about = "  ".join(
            part for part in (kept.persona.description, sanitize_line(kept.persona.model)) if part
        )
        return Text.assemble(mark + kept.persona.name, ("  " + about, "dim"))

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
        preview = self.query_one("#preview", Static)
        # Before it has a place on the screen, Textual wraps it.
        preview.update(wrapped(text, preview.content_size.width) if preview.content_size else text)

    def action_back(self) -> None:
        """Keep what there is."""
        self.dismiss(None)

    def action_down(self) -> None:
        """Move down."""
        self._follow()
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Move up."""
        self._follow()
        self.query_one(OptionList).action_cursor_up()

    def action_take(self) -> None:
        """Take the one at the cursor."""
        for kept in self.at_cursor:
            self.take(kept)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the one that was clicked."""
        event.stop()
        self.action_take()

    @property
    def at_cursor(self) -> tuple[KeptPersona | None, ...]:
        """The persona at the cursor, None for no persona; nothing where the list is empty."""
        self._follow()
        place = self.query_one(OptionList).highlighted
        return () if place is None else tuple(self._shown[place : place + 1])

    def show_marks(self) -> None:
        """Show what stands before each persona now."""
        options = self.query_one(OptionList)
        for place, kept in enumerate(self._shown):
            options.replace_option_prompt_at_index(place, self._line(kept))

    def ways(self) -> str:
        """What the keys do."""
        return _("enter takes it · esc goes back")

    def mark(self, _kept: KeptPersona | None) -> str:
        """What stands before a persona in the list: nothing, here."""
        return ""

    def take(self, kept: KeptPersona | None) -> None:
        """The user took a persona, None for no persona."""
        raise NotImplementedError


class PersonaPicker(PersonaBrowser[PersonaChosen]):
    """Gives the choice, or None when the user goes back."""

    def take(self, kept: KeptPersona | None) -> None:
        """That is the choice."""
        self.dismiss(PersonaChosen(kept))
