"""The only way in for text from outside.

A terminal obeys its control characters, and a reader believes the order in which letters stand. So nothing
that a model, a server, a file name or an imported session says gets further than this before every
character that is a command, a reordering or invisible is made visible or dropped. `sanitize` looks at single
characters only: a stream may be cut anywhere and the result is the same. It lets joiners and variation
selectors pass, for their neighbours may be in another piece; `sanitize_whole` looks at them where they stand:

* ZERO WIDTH JOINER stays between two emoji.
* VARIATION SELECTOR-16 stays after an emoji and in a keycap.
* ZERO WIDTH NON-JOINER stays between two letters of the scripts that spell with it (U+0600 to U+0DFF).
* Elsewhere they vanish, as VARIATION SELECTOR-15 does everywhere.
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

_JOINERS = re.compile("[\u200c\u200d\ufe0e\ufe0f]")
_EMOJI = re.compile(
    "[\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_JOINING_SCRIPT = re.compile("[\u0600-\u0dff]")
_KEYCAP_BASES = frozenset("0123456789#*")

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


def sanitize_whole(text: str) -> Sanitized:
    """Make a text safe that is no piece of a longer one: joiners that join nothing are hostile here too."""
    safe, removed = sanitize(text)
    joiners = [match for match in _JOINERS.finditer(safe) if not _belongs(match)]
    if not joiners:
        return Sanitized(safe, removed)
    ends = [0, *(match.end() for match in joiners)]
    starts = [*(match.start() for match in joiners), len(safe)]
    kept = "".join(safe[end:start] for end, start in zip(ends, starts, strict=True))
    return Sanitized(kept, removed + len(joiners))


def sanitize_line(text: str, limit: int = 200) -> str:
    """One line for names, titles and errors: safe, whitespace folded, at most `limit` characters."""
    line = " ".join(sanitize_whole(text[: limit * 4]).text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _belongs(match: re.Match[str]) -> bool:
    """Whether a joiner or selector is part of a visible sequence where it stands."""
    text, start = match.string, match.start()
    before, after = text[max(start - 2, 0) : start], text[start + 1 : start + 2]
    match match.group():
        case "\u200d":
            base = before.removesuffix("\ufe0f")[-1:]
            return _EMOJI.match(base) is not None and _EMOJI.match(after) is not None
        case "\ufe0f":
            keycap = before[-1:] in _KEYCAP_BASES and after == "\u20e3"
            return keycap or _EMOJI.match(before[-1:]) is not None
        case "\u200c":
            return all(_JOINING_SCRIPT.match(letter) for letter in (before[-1:], after))
        case _:
            return False
