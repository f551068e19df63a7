"""The parser of what a terminal sends, where Textual 8.2.8's says less than the bytes do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from textual import events
from textual._xterm_parser import XTermParser
from textual.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterable

_NO_ALT: Final = frozenset("[O]\\\x1b\t\x7f")
"""What makes no key with Alt behind Escape: CSI, SS3, OSC and ST (ECMA-48), and what Textual has keys for."""
_TERMINATOR: Final = "\x1b\\"
"""The end of an OSC, DCS or APC string (ECMA-48's ST)."""
_KEYPAD: Final = re.compile("\x1bO[j-y]")
"""A key of the number pad in a mode that is never asked for (DECKPAM), so that it was `O` and a letter."""
_OTHER: Final = re.compile(r"\x1b\[(?!\[)[0-?]*[ -/]*[@-LN-ln-~](?<!\$y)")
"""A whole control sequence, but no mouse report, no mode report, and no function key of the Linux console."""


class AnswerFilter:
    """Takes out the strings with which a terminal answers, cut anywhere behind their first five bytes.

    Nobody here asks for one, but the program before may have, and a slow terminal answers late: its colours
    (OSC 10 and 11), its name (DCS >|), what it can do (DCS $r and +r), its pictures (APC G). Textual's parser
    would type them into the prompt.
    """

    _BEGIN = r"\x1b(?:\]\d|P(?:[>!]\||[01][$+]r)|_G)[^\x00-\x1f\x7f]*+"
    _WHOLE = re.compile(rf"{_BEGIN}(?:\x07|\x1b\\)")
    _BEGUN = re.compile(rf"{_BEGIN}\x1b?\Z")
    _LONGEST = 4096

    def __init__(self) -> None:
        self._tail = ""

    def filter(self, text: str) -> str:
        """The next text for the parser; what may be an answer waits for its end."""
        text = self._WHOLE.sub("", self._tail + text)
        begun = self._BEGUN.search(text)
        start = begun.start() if begun and len(begun[0]) < self._LONGEST else len(text)
        self._tail = text[start:]
        return text[:start]


class TerminalParser(XTermParser):
    """Textual's parser, for which mouse coordinates are cells, and a key right behind Escape is one with Alt.

    A terminal sends Alt as Escape before the key. Textual's parser waits for what else may come, and then
    drops the Escape of some keys (Alt+Enter is Enter), takes some for others (Alt+0 is `º`), and makes `^` of
    it where much follows. Here each is `alt+KEY` at once, with the character of the key.

    Control sequences that mean nothing to Textual are ignored, not typed.
    """

    @property
    def mouse_pixels(self) -> bool:
        """Never: the driver does not ask for pixels."""
        return False

    @mouse_pixels.setter
    def mouse_pixels(self, value: bool) -> None:
        """An in-band resize report says nothing about the mouse."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if alt:
            return self._with_alt(sequence)
        if _KEYPAD.fullmatch(sequence):
            return [*self._with_alt("O"), *super()._sequence_to_key_events(sequence[-1])]
        if len(sequence) == 2 and sequence[0] == "\x1b" and sequence[1] not in _NO_ALT:  # noqa: PLR2004
            return self._with_alt(sequence[1])
        keys = [*super()._sequence_to_key_events(sequence)]
        ignored = not keys and (sequence == _TERMINATOR or _OTHER.fullmatch(sequence))
        return [events.Key(Keys.Ignore, sequence)] if ignored else keys

    def _with_alt(self, character: str) -> list[events.Key]:
        """The key of a character, with Alt; without, where that was no key, but a sequence cut short."""
        keys = [*super()._sequence_to_key_events(character)]
        return keys if character in "[]" else [_alt(key) for key in keys]


def _alt(key: events.Key) -> events.Key:
    capital = len(key.key) == 1 and key.key.isupper()
    name = f"alt+shift+{key.key.lower()}" if capital else f"alt+{key.key}"
    return events.Key(name, key.character)
