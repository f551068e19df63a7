"""Choose two personas that answer the same prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from qwentui.language import _
from qwentui.tui.screens.persona_picker import PersonaBrowser

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qwentui.store.personas import KeptPersona, Personas

_PAIR = 2


@dataclass(frozen=True, slots=True)
class PairChosen:
    """What the user took, the first one first; None is no persona."""

    first: KeptPersona | None
    second: KeptPersona | None


class PairPicker(PersonaBrowser[PairChosen]):
    """Gives the choice, or None when the user goes back.

    Space marks the first one, and then the second, or takes a mark away. Enter marks one that is missing, and
    goes with the two.

    Args:
        personas: What there is.
        count: Says how many tokens a prompt has.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("space", "toggle_mark", "Mark", show=False),
        Binding("f12", "back", "Back", show=False, priority=True),
    ]
    LETTER_ACTIONS: ClassVar[Mapping[str, str]] = {**PersonaBrowser.LETTER_ACTIONS, "space": "toggle_mark"}

    def __init__(self, personas: Personas, count: Callable[[str], str]) -> None:
        first = personas.kept[0].persona.name if personas.kept else ""
        super().__init__(personas, first, count)
        self._marked: list[KeptPersona | None] = []

    def ways(self) -> str:
        """What the keys do."""
        return _("space marks the first and the second · enter asks both · esc goes back")

    def mark(self, kept: KeptPersona | None) -> str:
        """A for the first one, B for the second."""
        return f"{'AB'[self._marked.index(kept)] if kept in self._marked else ' '} "

    def action_toggle_mark(self) -> None:
        """Mark the persona at the cursor, or take its mark away."""
        for kept in self.at_cursor:
            if kept in self._marked:
                self._marked.remove(kept)
            elif len(self._marked) < _PAIR:
                self._marked.append(kept)
        self.line_again()

    def take(self, kept: KeptPersona | None) -> None:
        """Go with the two that are marked; mark this one where one is missing."""
        if len(self._marked) < _PAIR and kept not in self._marked:
            self._marked.append(kept)
        if len(self._marked) == _PAIR:
            self.dismiss(PairChosen(*self._marked))
        else:
            self.line_again()
