"""All actions that make sense now, found by a few letters, with their keys: the program's command palette.

Textual's own palette asks its providers in workers while an animation runs, which is written to the terminal,
and lists what they find as it comes; this list is short, there at once, and looks like the other pickers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from qwentui.keyboard.places import reaching
from qwentui.language import _
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.app import ComposeResult

    from qwentui.keyboard.keymap import Keymap
    from qwentui.keyboard.table import Key, Where

T = TypeVar("T")

_UNLISTED = frozenset(
    (
        *("actions", "actions_listed", "interrupt", "leave", "read", "write"),
        *("send", "newline", "history", "undo", "page_up", "page_down"),
        *("up", "down", "left", "right", "top", "end"),
        *("next_message", "previous_message", "next_block", "previous_block"),
        *("slash", "help_reading", "actions_reading", "search_next", "search_previous", "toggle_fold"),
        *("row_down", "row_up", "rows_down", "rows_up", "first_row", "last_row"),
    )
)
"""What moves, types or leads here, and what the chat has under another id: nobody would look for it here."""

_KEY_WIDTH = 14


class ActionsScreen(ModalScreen["Key | None"]):
    """Gives the chosen action, or None when the user goes back.

    Args:
        keymap: The keys in effect.
        here: Where the user is.
        usable: Whether the action with that id makes sense now.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "back", "Back", show=False, priority=True),
        Binding("down", "down", "Down", show=False, priority=True),
        Binding("up", "up", "Up", show=False, priority=True),
    ]

    def __init__(self, keymap: Keymap, here: Where, usable: Callable[[str], bool]) -> None:
        super().__init__()
        self._keymap = keymap
        self._all = list(_listed(keymap, here, usable))
        self._shown: list[Key] = []

    def compose(self) -> ComposeResult:
        """The filter over the list."""
        line = Line(placeholder=_("a few letters of what is to be done"), compact=True)
        with Vertical(id="panel"):
            yield line
            yield OptionList(markup=False, compact=True)
            yield Static(_("enter does it · esc goes back"), id="hint", markup=False)

    def on_mount(self) -> None:
        """List all of them."""
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        event.stop()
        self._fill(event.value)

    def _fill(self, wanted: str) -> None:
        self._shown = ranked(wanted, self._all, lambda key: (_(key.help), key.id, self._keymap.first(key.id)))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(self._line(key)) for key in self._shown)
        options.highlighted = 0 if self._shown else None

    def _line(self, key: Key) -> Text:
        name = self._keymap.first(key.id)
        return Text.assemble((name + " " * max(1, _KEY_WIDTH - cell_len(name)), "dim"), _(key.help))

    def action_back(self) -> None:
        """Do nothing."""
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
            self.dismiss(self._shown[index])


def _listed(keymap: Keymap, here: Where, usable: Callable[[str], bool]) -> Iterator[Key]:
    for where in reaching(here):
        for key in keymap.keys.values():
            if key.where == where and key.id not in _UNLISTED and usable(key.id):
                yield key


def ranked(wanted: str, things: Sequence[T], texts: Callable[[T], tuple[str, ...]]) -> list[T]:
    """Those of `things` that the letters of `wanted` fit, the best first; case does not matter.

    A text that begins with them is best, then one with a word that does, then one that has them somewhere.
    Only where there is none of these do texts fit that have them in this order with others between.

    Args:
        wanted: What the user wrote.
        things: What there is, in the order in which equals stay.
        texts: What a thing is called.
    """
    letters = wanted.strip().casefold()
    ranks = [min(_rank(letters, text.casefold()) for text in texts(thing)) for thing in things]
    worst = min(max(min(ranks, default=_NOT), _INSIDE), _APART)
    ordered = sorted(zip(ranks, range(len(things)), strict=True))
    return [things[place] for rank, place in ordered if rank <= worst]


_BEGINS, _WORD, _INSIDE, _APART, _NOT = range(5)


def _rank(letters: str, text: str) -> int:
    if text.startswith(letters):
        return _BEGINS
    if f" {letters}" in text:
        return _WORD
    if letters in text:
        return _INSIDE
    rest = iter(text)
    return _APART if all(letter in rest for letter in letters if not letter.isspace()) else _NOT
