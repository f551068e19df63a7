"""Gives screens and widgets their keys, as the user has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from textual.binding import Binding

from qwentui.keyboard.keymap import names
from qwentui.keyboard.places import reaching

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from qwentui.keyboard.keymap import Keymap
    from qwentui.keyboard.table import Key, Where

Node = TypeVar("Node", bound="DOMNode")

_ORDERED: frozenset[Where] = frozenset({"transcript", "sessions"})
"""Where nothing is typed: keys act in their order, and before what is typed behind one that leaves is given
to anyone. Textual runs other bindings after a key has travelled up, which in a burst is too late."""


def bind(node: DOMNode, keymap: Keymap, where: Where) -> None:
    """Bind in `node` the keys that belong to `where`; they go before those of its base classes.

    Textual's own keymap (`App.set_keymap`) cannot take a key away, drops whatever else is bound to a key that
    moves, is applied anew at every key pressed, and is not seen by widgets that look their bindings up.
    """
    for key in keymap.keys.values():
        if key.id in keymap.rebound and key.where in reaching(where)[1:]:
            # What the base classes do at that key would go before what the user wants of it.
            for name in names(key):
                node._bindings.key_to_bindings.pop(name, None)  # noqa: SLF001 - where Textual keeps them
    for key in keymap.keys.values():
        if key.where == where:
            _add(node, key, key.action, priority=key.priority or where in _ORDERED)


def closed_by(node: Node, key: Key, action: str) -> Node:
    """`node`, which the key that opens it closes, too, before what is typed behind it is given to anyone."""
    _add(node, key, action, priority=True)
    return node


def _add(node: DOMNode, key: Key, action: str, *, priority: bool) -> None:
    for name in names(key):
        binding = Binding(name, action, key.help, id=key.id, priority=priority, show=False)
        # The lists in there are shared with the class.
        node._bindings.key_to_bindings[name] = [binding]  # noqa: SLF001 - where Textual keeps them
