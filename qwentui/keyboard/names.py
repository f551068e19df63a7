"""What keys are called: Textual's names, and those that people write."""

from __future__ import annotations

import re
from functools import cache

_UNNUMBERED = (
    *("escape", "enter", "tab", "backspace", "insert", "delete"),
    *("home", "end", "pageup", "pagedown", "up", "down", "left", "right"),
)
_NAMED = frozenset((*_UNNUMBERED, *(f"f{number}" for number in range(1, 25))))
"""The keys that write nothing."""

_ALSO_CALLED = {
    "esc": "escape",
    "return": "enter",
    "bksp": "backspace",
    "ins": "insert",
    "del": "delete",
    "pgup": "pageup",
    "page_up": "pageup",
    "page-up": "pageup",
    "pgdn": "pagedown",
    "pgdown": "pagedown",
    "page_down": "pagedown",
    "page-down": "pagedown",
    "spacebar": "space",
}
_MODIFIERS = {name: name for name in ("alt", "ctrl", "hyper", "meta", "shift", "super")} | {
    "ctl": "ctrl",
    "control": "ctrl",
    "opt": "alt",
    "option": "alt",
    "cmd": "super",
}

_CHARACTERS = {
    "slash": "/",
    "backslash": "\\",
    "at": "@",
    "minus": "-",
    "plus": "+",
    "underscore": "_",
}
"""Characters that Textual calls otherwise than Unicode does."""

_SPOKEN = {"escape": "Esc", "pageup": "PageUp", "pagedown": "PageDown", "space": "Space", "comma": "comma"}

_ALIKE = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+left_square_bracket": "escape",
    "ctrl+h": "backspace",
    "ctrl+slash": "ctrl+underscore",
    "ctrl+enter": "enter",
    "shift+enter": "enter",
    "ctrl+tab": "tab",
    "ctrl+backspace": "backspace",
}
"""Keys that a terminal without the kitty keyboard protocol sends as others."""

_CERTAIN = re.compile(rf"ctrl\+[a-z]|f[1-9]|f1[0-2]|{'|'.join(_UNNUMBERED)}")


class NoSuchKey(ValueError):
    """The text, which is the error's, names no key."""


def parsed(text: str) -> tuple[str, ...]:
    """Textual's names of the keys that `text` names: "Ctrl+L, Esc" is ("ctrl+l", "escape"); none for "".

    Raises:
        NoSuchKey: One of them is no key.
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    names = [name for part in parts for name in _of(part)]
    return tuple(dict.fromkeys(names))


def _of(text: str) -> tuple[str, ...]:
    head, _, last = (text[:-2], "+", "+") if text in ("+", f"{text[:-2]}++") else text.rpartition("+")
    before = head.split("+") if head else []
    modifiers = {_MODIFIERS.get(part.strip().lower(), "") for part in before}
    base = _base(last.strip())
    if "" in modifiers or not base:
        raise NoSuchKey(text)
    if len(base.upper()) == len(base.lower()) == 1 and base.isalpha():
        base = _letter(base, modifiers)
    name = "+".join((*sorted(modifiers), base))
    # Without the kitty keyboard protocol Ctrl+Space is a NUL, which Textual calls by its other name.
    return ("ctrl+@", "ctrl+space") if name in ("ctrl+space", "ctrl+at") else (name,)


def _letter(base: str, modifiers: set[str]) -> str:
    """A letter as it comes with `modifiers`: shift alone makes a capital, which means nothing with others."""
    if not modifiers - {"shift"}:
        is_capital = "shift" in modifiers
        modifiers.clear()
        return base.upper() if is_capital else base
    return base.lower()


def _base(text: str) -> str:
    """Textual's name of a key without modifiers; "" for none."""
    if len(text) == 1:
        return text if text.isalnum() else _ascii().get(text, "")
    name = _ALSO_CALLED.get(text.lower(), text.lower())
    return name if name in _NAMED or name in _ascii().values() else ""


@cache
def _ascii() -> dict[str, str]:
    """The names of ASCII's characters other than letters and digits: Unicode's, but for a few."""
    import unicodedata

    printable = map(chr, range(ord(" "), ord("~") + 1))
    characters = [character for character in printable if not character.isalnum()]
    full = {each: unicodedata.name(each).lower().replace("-", "_").replace(" ", "_") for each in characters}
    return full | {character: name for name, character in _CHARACTERS.items()}


def is_typed(name: str) -> bool:
    """Whether the key writes a character where text is written."""
    return "+" not in name and name not in _NAMED


def is_certain(name: str) -> bool:
    """Whether every terminal sends the key, and nothing writes it as text."""
    return _CERTAIN.fullmatch(name) is not None and name not in _ALIKE


def sent_as(name: str) -> str:
    """The other key that most terminals send for `name`; "" where they tell the two apart."""
    modifiers, _, base = name.rpartition("+")
    if modifiers == "ctrl+shift" and len(base) == 1:
        return f"ctrl+{base}"
    return _ALIKE.get(name, "")


def spoken(name: str) -> str:
    """The name of a key as people write it: Ctrl+Q for ctrl+q, `/` for slash."""
    modifiers, _, base = name.rpartition("+")
    if base in _NAMED or base in _SPOKEN:
        base = _SPOKEN.get(base, base.title())
    elif len(base) > 1:
        base = next((character for character, name in _ascii().items() if name == base), base)
    elif modifiers and base.isascii():
        base = base.upper()
    shown = "+".join((*(part.title() for part in modifiers.split("+") if part), base))
    return "Ctrl+Space" if shown == "Ctrl+@" else shown
