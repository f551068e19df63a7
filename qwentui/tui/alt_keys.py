"""What a key with Alt means that no binding wants.

A terminal sends it as Escape and the key. So Escape and then a key come as that key with Alt, too, if they
were typed within the half second that tmux waits, or came in one packet over a slow link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.events import Key

if TYPE_CHECKING:
    from textual.screen import Screen

_BY_WORDS = {"alt+b": "ctrl+left", "alt+f": "ctrl+right"}
"""The shell's keys, which terminals on a Mac also send for Option and an arrow."""


def meant(key: Key, screen: Screen[object]) -> tuple[Key, ...]:
    """The keys that stand for `key`, in their order; itself where it has no Alt, or is bound.

    Where a word could be gone over, Alt+B and Alt+F do; else it was Escape, and a character behind it.
    """
    character = key.character
    if not (key.key.startswith("alt+") and character) or key.key in screen.active_bindings:
        return (key,)
    name = key.key.removeprefix("alt+")
    plain = Key(character if name.startswith("shift+") else name, character)
    if key.key == "alt+enter":
        # Escape would close a panel, and Enter behind it send what is in the composer.
        return (plain,)
    if key.key in _BY_WORDS and _has_words(screen, before=key.key == "alt+b"):
        return (Key(_BY_WORDS[key.key], None),)
    return (Key("escape", "\x1b"), plain)


def _has_words(screen: Screen[object], *, before: bool) -> bool:
    """Whether a text is edited with something on that side of its cursor; to vim, Alt is Escape."""
    from textual.widgets import Input, TextArea

    from qwentui.tui.widgets.vim_area import VimTextArea

    match screen.focused:
        case VimTextArea(vim=True):
            return False
        case TextArea() as area:
            return not (area.cursor_at_start_of_text if before else area.cursor_at_end_of_text)
        case Input() as line:
            return line.cursor_position > 0 if before else line.cursor_position < len(line.value)
    return False
