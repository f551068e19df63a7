"""Choose who the model is to be: a filter, the personas that fit, and the prompt of the one at the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rich.text import Text
from textual.widgets import Static

from qwentui.chat.errors import SettingsError
from qwentui.chat.matching import fitting
from qwentui.chat.sanitize import sanitize_line, sanitize_whole
from qwentui.language import _
from qwentui.store.personas import resolved
from qwentui.tui.screens.filtered_list import FilteredList
from qwentui.tui.transcript.wrap import wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qwentui.store.personas import KeptPersona, Personas

_PREVIEW = 600
"""Characters of a prompt that are shown."""


@dataclass(frozen=True, slots=True)
class PersonaChosen:
    """What the user took; None is no persona."""

    kept: KeptPersona | None


R = TypeVar("R")


class PersonaBrowser(FilteredList["KeptPersona | None", R]):
    """Shows the personas; a subclass says what becomes of the one that is taken, and gives the result.

    The result is None when the user goes back.

    Args:
        personas: What there is.
        current: The name of the one in use, or "".
        count: Says how many tokens a prompt has.
    """

    def __init__(self, personas: Personas, current: str, count: Callable[[str], str]) -> None:
        super().__init__(_("a few letters of the name"))
        self._personas = personas
        self._current = current
        self._count = count

    def below(self) -> Iterator[Static]:
        """The prompt of the persona at the cursor."""
        yield Static(id="preview", markup=False)

    def hint(self) -> str:
        """What the keys do, after what is wrong."""
        ways = self.ways()
        broken = self._personas.broken
        if broken:
            told = _("{trouble} ({count} broken: qwentui doctor)")
            return f"{told.format(trouble=broken[0].error.message, count=len(broken))} · {ways}"
        if not self._personas.kept:
            return _("Six come along: qwentui persona add --examples") + f" · {ways}"
        return ways

    def begins_at(self) -> int:
        """At the persona in use."""
        names = [kept.persona.name if kept else "" for kept in self.shown]
        return names.index(self._current) if self._current in names else 0

    def found(self, wanted: str) -> Sequence[KeptPersona | None]:
        """The personas that fit by their name or their file's, and none as long as nothing is written."""
        named = ((kept, (kept.persona.name, kept.path.stem)) for kept in self._personas.kept)
        return [*fitting(wanted, named), *([] if wanted.strip() else [None])]

    def line(self, kept: KeptPersona | None) -> Text:
        """Its name, and what it is."""
        mark = self.mark(kept)
        if kept is None:
            return Text(mark + _("no persona"))
        about = "  ".join(
            part for part in (kept.persona.description, sanitize_line(kept.persona.model)) if part
        )
        return Text.assemble(mark + kept.persona.name, ("  " + about, "dim"))

    def point(self, kept: KeptPersona | None) -> None:
        """Show the prompt, and what it costs."""
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

    def point_at_nothing(self) -> None:
        """Say so."""
        self.query_one("#preview", Static).update(_("None fits."))

    def ways(self) -> str:
        """What the keys do."""
        return super().hint()

    def mark(self, _kept: KeptPersona | None) -> str:
        """What stands before a persona in the list: nothing, here."""
        return ""


class PersonaPicker(PersonaBrowser[PersonaChosen]):
    """Gives the choice, or None when the user goes back."""

    def take(self, kept: KeptPersona | None) -> None:
        """That is the choice."""
        self.dismiss(PersonaChosen(kept))
