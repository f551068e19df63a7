"""The line that names the keys that matter where the user is: the most important first, as many as fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qwentui.keyboard.keymap import Keymap

Doing = Literal["writing", "waiting", "reading", "searching"]
"""What the user does: `waiting` is writing while a reply runs."""

_BETWEEN = " · "

_HINTS: dict[Doing, tuple[tuple[str, str], ...]] = {
    "writing": (
        ("send", N_("send")),
        ("help", N_("keys")),
        ("actions", N_("all actions")),
        ("sessions", N_("chats")),
        ("read", N_("read")),
        ("newline", N_("new line")),
        ("new", N_("new chat")),
        ("model", N_("model")),
        ("quit", N_("quit")),
        ("editor", N_("editor")),
        ("persona", N_("persona")),
        ("search", N_("search")),
    ),
    "waiting": (
        ("stop", N_("stop")),
        ("sessions", N_("chats")),
        ("new", N_("new chat")),
        ("fold", N_("thinking")),
        ("read", N_("read")),
        ("help", N_("keys")),
        ("actions", N_("all actions")),
        ("quit", N_("quit")),
    ),
    "reading": (
        ("write", N_("write")),
        ("next_message", N_("next")),
        ("previous_message", N_("before")),
        ("copy_message", N_("copy")),
        ("slash", N_("search")),
        ("edit", N_("edit")),
        ("regenerate", N_("ask again")),
        ("toggle_fold", N_("fold")),
        ("copy_block", N_("copy code")),
        ("help", N_("keys")),
        ("pin", N_("pin")),
        ("quote", N_("quote")),
        ("pager", N_("pager")),
    ),
    "searching": (("stop", N_("close the search")),),
}
"""The ids of what is named, and what is said of each."""


class KeyLine(Widget):
    """Names keys; painted anew only when something else is done or the width is another.

    Args:
        keymap: The keys in effect.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--dim"}

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap
        self._doing: Doing = "writing"

    def show(self, doing: Doing) -> None:
        """Name what matters to who does that."""
        if doing != self._doing:
            self._doing = doing
            self.refresh()

    def render_line(self, _y: int) -> Strip:
        """The only line."""
        dim = self.get_component_rich_style("key-line--dim")
        line = fitted(labelled(self._keymap, _HINTS[self._doing]), self.size.width - 1)
        return Strip([Segment(f" {line}", dim)]).adjust_cell_length(self.size.width, dim)


def labelled(keymap: Keymap, hints: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The first key of each id with its label, where it has one; the label alone where the id is ""."""
    for name, label in hints:
        key = keymap.first(name) if name else ""
        if key or not name:
            yield f"{key} {_(label)}".strip()


def fitted(parts: Iterable[str], width: int) -> str:
    """As many of `parts`, from the first on, as fit in `width` cells with a dot between them."""
    line = ""
    for part in parts:
        longer = f"{line}{_BETWEEN}{part}" if line else part
        if cell_len(longer) > width:
            break
        line = longer
    return line
