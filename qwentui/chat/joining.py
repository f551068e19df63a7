"""Where a broken reply goes on: what of it is sent back, and how what comes joins it without a seam.

A model picks tokens, and most tokens begin with the blank before a word. A prompt that ends with such a blank
asks for a word without one, which models answer with a second blank; and some templates trim what they are
given. So a partial reply is sent back without the white space at its end, and of what comes, the white space
that stands there already is left out.
"""

from __future__ import annotations

from itertools import takewhile


def sent_back(partial: str) -> str:
    """What of a partial reply goes back to the model: all but the white space at its end."""
    return partial.rstrip()


class Seam:
    """Joins new text to a partial reply.

    Feed it the pieces as they come; a piece of white space alone may be kept back until the next one tells
    whether it stands there already.

    Args:
        partial: The reply as far as it is shown.
    """

    def __init__(self, partial: str) -> None:
        self._there = partial[len(sent_back(partial)) :]
        self._begun = ""
        self._closed = not self._there

    def feed(self, piece: str) -> str:
        """What of `piece`, and of what was kept back, is new."""
        if self._closed:
            return piece
        self._begun += piece
        if len(self._begun) < len(self._there) and self._there.startswith(self._begun):
            return ""
        self._closed = True
        return self._begun[_common(self._begun, self._there) :]


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
