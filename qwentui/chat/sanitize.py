"""The only way in for text from outside.

A terminal obeys its control characters, and a reader believes the order in which letters stand. So nothing
that a model, a server, a file name or an imported session says gets further than this before every
character that is a command, a reordering or invisible is made visible or dropped. The rule looks at single
characters only: a stream may be cut anywhere and the result is the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_REPLACEMENT = "\ufffd"

# Invisible or reordering: they vanish. U+200C and U+200D join scripts and emoji and stay.
_VANISHING = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x061C, 0x061C),  # Arabic letter mark
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors and vowel separator
    (0x200B, 0x200B),  # zero width space
    (0x200E, 0x200F),  # left-to-right and right-to-left marks
    (0x202A, 0x202E),  # bidirectional embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, bidirectional isolates, deprecated formats
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0D),  # variation selectors that no terminal draws
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
    (0xFFF9, 0xFFFB),  # interlinear annotation
    (0x1D173, 0x1D17A),  # musical formats
    (0xE0000, 0xE0FFF),  # tags and further variation selectors
)


def _table() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)}
    table[0x0D] = ""
    table[0x7F] = "\u2421"
    table |= dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT)
    table |= dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT)
    table |= {0x2028: "\n", 0x2029: "\n"}
    for first, last in _VANISHING:
        table |= dict.fromkeys(range(first, last + 1), "")
    return table


HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
    + "".join(f"{chr(first)}-{chr(last)}" for first, last in _VANISHING)
    + "]"
)
"""One character that may not pass as it is."""

_TABLE = _table()
_QUIET = {"\r", "\u2028", "\u2029"}


class Sanitized(NamedTuple):
    """Text that is safe to show, and how many characters were removed or made visible on the way."""

    text: str
    removed: int


def sanitize(text: str) -> Sanitized:
    """Make `text` safe: C0, C1, DEL and lone surrogates become visible, invisible ones vanish.

    Tab and newline stay; carriage returns go, and the Unicode line and paragraph separators become
    newlines, neither counted, for they are line ends and no attempt at anything.
    """
    hits = HOSTILE.findall(text)
    if not hits:
        return Sanitized(text, 0)
    return Sanitized(text.translate(_TABLE), sum(hit not in _QUIET for hit in hits))


def sanitize_line(text: str, limit: int = 200) -> str:
    """One line for names, titles and errors: safe, whitespace folded, at most `limit` characters."""
    line = " ".join(sanitize(text[: limit * 4]).text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
