"""The parser of what a terminal sends, where Textual 8.2.8's says less than the bytes do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from textual import events
from textual._xterm_parser import XTermParser

if TYPE_CHECKING:
    from collections.abc import Iterable

_ESCAPE: Final = "\x1b"
_INTRODUCERS: Final = "[O]"
"""What begins a longer sequence right behind Escape: CSI, SS3 and OSC (ECMA-48)."""
_KEYPAD: Final = re.compile("\x1bO[j-y]")
"""A key of the number pad in a mode that is never asked for (DECKPAM), so that it was `O` and a letter."""


class TerminalParser(XTermParser):
    """Textual's parser, for which mouse coordinates are cells, and a key right behind Escape is one with Alt.

    A terminal sends Alt as Escape before the key. Textual's parser waits for what else may come, and then
    drops the Escape of some keys (Alt+Enter is Enter), takes some for others (Alt+0 is `º`), and makes `^` of
    it where much follows. Here each is `alt+KEY` at once, with the character of the key.
    """

    @property
    def mouse_pixels(self) -> bool:
        """Never: the driver does not ask for pixels."""
        return False

    @mouse_pixels.setter
    def mouse_pixels(self, value: bool) -> None:
        """An in-band resize report says nothing about the mouse."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        character = sequence[-1:]
        if _KEYPAD.fullmatch(sequence):
            yield from self._sequence_to_key_events("O", alt=True)
            yield from self._sequence_to_key_events(character)
            return
        behind = len(sequence) == 2 and sequence[0] == _ESCAPE and character not in _INTRODUCERS  # noqa: PLR2004
        if not alt and not (behind and (character.isprintable() or character == "\r")):
            yield from super()._sequence_to_key_events(sequence)
            return
        for key in super()._sequence_to_key_events(character):
            name = f"shift+{key.key.lower()}" if len(key.key) == 1 and key.key.isupper() else key.key
            yield events.Key(f"alt+{name}", key.character)
