"""Where vim's motions lead in a text.

A text is one string with newlines, a place in it an index. Motions give the place that they reach; whether
an operator takes the character there, too, or whole lines, `INCLUSIVE` and `LINEWISE` say. The names and
rules are those of `:help motion.txt`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

INCLUSIVE = frozenset("e$ftE")
"""Motions whose last character an operator takes along."""

LINEWISE = frozenset(("j", "k", "G", "gg"))
"""Motions with which an operator takes whole lines."""

_BLANK, _MARK, _WORD, _WIDE = range(4)


def line_start(text: str, at: int) -> int:
    """The first place of a line."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """The place behind the last character of a line."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def resting(text: str, at: int) -> int:
    """Where the cursor rests in normal mode: on a character, or on an empty line."""
    at = max(0, min(at, len(text)))
    start, end = line_start(text, at), line_end(text, at)
    return max(start, min(at, end - 1))


def first_of(text: str, at: int) -> int:
    """The first character of a line that is no space; behind the last one where all are."""
    start, end = line_start(text, at), line_end(text, at)
    line = text[start:end]
    return start + len(line) - len(line.lstrip())


def _kind(character: str, *, big: bool) -> int:
    """Words are runs of one kind; Chinese is another kind than letters, as in vim."""
    if character.isspace():
        return _BLANK
    if big:
        return _WORD
    if "\u2e80" <= character <= "\ufaff":
        return _WIDE
    return _WORD if character.isalnum() or character == "_" else _MARK


def next_word(text: str, at: int, *, big: bool = False) -> int:
    """The beginning of the next word; an empty line is one."""
    end = len(text)
    if at < end:
        kind = _kind(text[at], big=big)
        while at < end and kind != _BLANK and _kind(text[at], big=big) == kind:
            at += 1
    while at < end and text[at].isspace():
        at += 1
        if text[at - 1 : at + 1] == "\n\n":
            break
    return at


def word_to_take(text: str, at: int, *, big: bool = False) -> int:
    """Where an operator's `w` ends: as `next_word`, but not behind the line of the last word taken."""
    end = line_end(text, at)
    return min(next_word(text, at, big=big), end) if at < end else min(at + 1, len(text))


def word_before(text: str, at: int, *, big: bool = False) -> int:
    """The beginning of this word, or of the one before; an empty line is one."""
    at -= 1
    while at > 0 and text[at].isspace():
        if text[at - 1 : at + 1] == "\n\n":
            return at
        at -= 1
    if at <= 0:
        return 0
    kind = _kind(text[at], big=big)
    while at > 0 and _kind(text[at - 1], big=big) == kind:
        at -= 1
    return at


def word_end(text: str, at: int, *, big: bool = False) -> int:
    """The last character of this word, or of the next one; where there is none, the last place of all."""
    end = len(text)
    place = at + 1
    while place < end and text[place].isspace():
        place += 1
    if place >= end:
        return max(at, resting(text, end))
    kind = _kind(text[place], big=big)
    while place + 1 < end and _kind(text[place + 1], big=big) == kind:
        place += 1
    return place


def found_in_line(text: str, at: int, how: str, wanted: str, times: int = 1) -> int | None:
    """Where `f`, `F`, `t` or `T` leads to the `times`-th one; None where the line has not so many."""
    start, end = line_start(text, at), line_end(text, at)
    for _turn in range(times):
        at = text.find(wanted, at + 1, end) if how in "ft" else text.rfind(wanted, start, at)
        if at < 0:
            return None
    return at - (how == "t") + (how == "T")


def line_number(text: str, number: int) -> int:
    """The first place of a line by its number from 1, of the last one where there are not so many."""
    at = 0
    for _line in range(number - 1):
        newline = text.find("\n", at)
        if newline < 0:
            break
        at = newline + 1
    return at


STEPS: dict[str, Callable[[str, int], int]] = {
    "h": lambda text, at: max(line_start(text, at), at - 1),
    "l": lambda text, at: min(line_end(text, at), at + 1),
    "w": next_word,
    "b": word_before,
    "e": word_end,
    "W": lambda text, at: next_word(text, at, big=True),
    "B": lambda text, at: word_before(text, at, big=True),
    "E": lambda text, at: word_end(text, at, big=True),
    "0": line_start,
    "^": lambda text, at: resting(text, first_of(text, at)),
    "$": lambda text, at: max(line_start(text, at), line_end(text, at) - 1),
}
"""One step of each motion that a count repeats."""
