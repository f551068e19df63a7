"""Emphasis, strong and strikethrough: which runs of marks open, which close, and which pair up."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from qwentui.tui.transcript.wrap import is_cjk

EMPHASIS, STRONG, STRIKE = 1, 2, 4
"""Flags of text between two marks; they add up."""

_REACH = 64
"""A mark closes none that lies behind this many other open ones, so that pairing stays linear."""


@dataclass(slots=True)
class Delimiter:
    """A run of ``*``, ``_`` or ``~`` that may still open or close something.

    Attributes:
        node: Index of the text node that holds the marks.
        position: Index of the first mark in the source.
        mark: The character.
        length: How many there were.
        left: How many are not paired yet.
        opens: Whether it can open.
        closes: Whether it can close.
    """

    node: int
    position: int
    mark: str
    length: int
    left: int
    opens: bool
    closes: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """An opener and a closer, and how many marks of each the pair uses up."""

    opener: Delimiter
    closer: Delimiter
    flag: int
    count: int


def sides(mark: str, before: str, after: str) -> tuple[bool, bool]:
    """Whether a run of ``mark`` between two characters can open and can close.

    CJK punctuation counts as a letter beside ``*`` and ``~``.
    """
    if mark == "_":
        left, right = _flanking(before, after, cjk=False)
        opens = left and (not right or _is_punctuation(before))
        return opens, right and (not left or _is_punctuation(after))
    return _flanking(before, after, cjk=True)


def pair(delimiters: list[Delimiter]) -> tuple[list[Pair], list[Delimiter]]:
    """Pairs ``delimiters``, which are in the order of the text, from the inside out.

    Returns:
        The pairs, and the delimiters that text still to come might close.
    """
    pairs: list[Pair] = []
    stack: list[Delimiter] = []
    for closer in delimiters:
        while closer.closes and closer.left:
            index = _opener(stack, closer)
            if index is None:
                break
            del stack[index + 1 :]
            pairs.append(_paired(stack[index], closer))
            if not stack[index].left:
                stack.pop()
        if closer.opens and closer.left:
            stack.append(closer)
    return pairs, stack


def _paired(opener: Delimiter, closer: Delimiter) -> Pair:
    count = min(opener.left, closer.left, 2)
    opener.left -= count
    closer.left -= count
    flag = STRIKE if opener.mark == "~" else STRONG if count > 1 else EMPHASIS
    return Pair(opener, closer, flag, count)


def _opener(stack: list[Delimiter], closer: Delimiter) -> int | None:
    """Index of the nearest delimiter that ``closer`` can close."""
    for index in range(len(stack) - 1, max(len(stack) - 1 - _REACH, -1), -1):
        entry = stack[index]
        if entry.mark != closer.mark:
            continue
        # CommonMark's "multiple of 3" rule keeps ``*a**b*`` from pairing across.
        both = entry.closes or closer.opens
        if both and not (entry.length + closer.length) % 3 and (entry.length % 3 or closer.length % 3):
            continue
        return index
    return None


def _flanking(before: str, after: str, *, cjk: bool) -> tuple[bool, bool]:
    cjk_before = cjk and _is_cjk_or_hangul(before)
    cjk_after = cjk and _is_cjk_or_hangul(after)
    hard_before = not cjk_before and _is_punctuation(before)
    hard_after = not cjk_after and _is_punctuation(after)
    left = not after.isspace() and (not hard_after or before.isspace() or hard_before or cjk_before)
    right = not before.isspace() and (not hard_before or after.isspace() or hard_after or cjk_after)
    return left, right


@lru_cache(maxsize=1024)
def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _is_cjk_or_hangul(character: str) -> bool:
    return not character.isascii() and (is_cjk(character) or "\uac00" <= character <= "\ud7a3")
