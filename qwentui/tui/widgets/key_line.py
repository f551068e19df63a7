"""The line that names the keys that matter where the user is: the most important first, as many as fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from qwentui.language import NP_, pgettext

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qwentui.keyboard.keymap import Keymap

Doing = Literal["writing", "waiting", "reading", "searching"]
"""What the user does: `waiting` is writing while a reply runs."""

_BETWEEN = " · "

_HINTS: dict[Doing, tuple[tuple[str, str], ...]] = {
    "writing": (
        ("send", NP_("key line", "send")),
        ("help", NP_("key line", "keys")),
        ("actions", NP_("key line", "all actions")),
        ("sessions", NP_("key line", "chats")),
        ("read", NP_("key line", "read")),
        ("newline", NP_("key line", "new line")),
        ("new", NP_("key line", "new chat")),
        ("model", NP_("key line", "model")),
        ("quit", NP_("key line", "quit")),
        ("editor", NP_("key line", "editor")),
        ("persona", NP_("key line", "persona")),
        ("search", NP_("key line", "search")),
    ),
    "waiting": (
        ("stop", NP_("key line", "stop")),
        ("sessions", NP_("key line", "chats")),
        ("new", NP_("key line", "new chat")),
        ("fold", NP_("key line", "thinking")),
        ("read", NP_("key line", "read")),
        ("help", NP_("key line", "keys")),
        ("actions", NP_("key line", "all actions")),
        ("quit", NP_("key line", "quit")),
    ),
    "reading": (
        ("write", NP_("key line", "write")),
        ("next_message", NP_("key line", "next")),
        ("previous_message", NP_("key line", "before")),
        ("copy_message", NP_("key line", "copy")),
        ("slash", NP_("key line", "search")),
        ("edit", NP_("key line", "edit")),
        ("regenerate", NP_("key line", "ask again")),
        ("toggle_fold", NP_("key line", "fold")),
        ("copy_block", NP_("key line", "copy code")),
        ("help", NP_("key line", "keys")),
        ("pin", NP_("key line", "pin")),
        ("quote", NP_("key line", "quote")),
        ("pager", NP_("key line", "pager")),
    ),
    "searching": (("stop", NP_("key line", "close the search")),),
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
            yield f"{key} {pgettext('key line', label)}".strip()


def fitted(parts: Iterable[str], width: int) -> str:
    """As many of `parts`, from the first on, as fit in `width` cells with a dot between them."""
    line = ""
    for part in parts:
        longer = f"{line}{_BETWEEN}{part}" if line else part
        if cell_len(longer) > width:
            break
        line = longer
    return line
