"""All actions that make sense now, found by a few letters, with their keys: the program's command palette.

Textual's own palette asks its providers in workers while an animation runs, which is written to the terminal,
and lists what they find as it comes; this list is short, there at once, and looks like the other pickers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.cells import cell_len
from rich.text import Text

from qwentui.chat.matching import in_order, without_space
from qwentui.keyboard.places import reaching
from qwentui.language import _
from qwentui.tui.screens.filtered_list import FilteredList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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


class ActionsScreen(FilteredList["Key", "Key"]):
    """Gives the chosen action, or None when the user goes back.

    Args:
        keymap: The keys in effect.
        here: Where the user is.
        usable: Whether the action with that id makes sense now.
    """

    def __init__(self, keymap: Keymap, here: Where, usable: Callable[[str], bool]) -> None:
        super().__init__(_("a few letters of what is to be done"))
        self._keymap = keymap
        self._all = list(_listed(keymap, here, usable))

    def found(self, wanted: str) -> list[Key]:
        """The actions that fit by what they do, their id or their key."""
        return ranked(wanted, self._all, lambda key: (_(key.help), key.id, self._keymap.first(key.id)))

    def line(self, key: Key) -> Text:
        """Its key, and what it does."""
        name = self._keymap.first(key.id)
        return Text.assemble((name + " " * max(1, _KEY_WIDTH - cell_len(name)), "dim"), _(key.help))

    def hint(self) -> str:
        """What the keys do."""
        return _("enter does it · esc goes back")

    def take(self, key: Key) -> None:
        """That is the choice."""
        self.dismiss(key)


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
    return _APART if in_order(text, without_space(letters)) else _NOT
