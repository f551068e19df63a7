"""Vim's normal mode: keys in, what is to be done with the text out.

Counts, the motions `h l j k w b e W B E 0 ^ $ gg G f F t T`, the operators `d c y` on them and on lines, and
`i a I A o O x X D C s S r u p P` are there; anything else is forgotten when it can mean nothing any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rich.cells import cell_len

from qwentui.tui.vim.motions import (
    INCLUSIVE,
    LINEWISE,
    STEPS,
    first_of,
    found_in_line,
    line_end,
    line_number,
    line_start,
    resting,
    word_to_take,
)

Also = Literal["", "insert", "undo", "up", "down"]

_MOTION = r"gg|[hjklwbeWBEG0^$]|[fFtT](?s:.)"
_WHOLE = re.compile(
    rf"(?P<count>[1-9]\d{{0,3}}+)?+"
    rf"(?:(?P<operator>[dcy])(?P<again>[1-9]\d{{0,3}}+)?+(?P<over>(?P=operator)|{_MOTION})"
    rf"|(?P<motion>{_MOTION})|r(?P<other>(?s:.))|(?P<command>[iaIAoOxXDCsSupP]))"
)
_BEGUN = re.compile(r"(?:[1-9]\d{0,3})?(?:[dcy](?:[1-9]\d{0,3})?[gfFtT]?|[gfFtTr])?")
_SHORT = {
    "x": ("d", "l"),
    "X": ("d", "h"),
    "D": ("d", "$"),
    "C": ("c", "$"),
    "s": ("c", "l"),
    "S": ("c", "c"),
}
"""Commands that are an operator over a motion."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What a command does.

    Attributes:
        cursor: Where the cursor is after it.
        start: Where text is replaced from.
        end: And up to, not included.
        text: What stands there then; None changes nothing.
        also: What else is to be done.
        times: How often that is.
    """

    cursor: int
    start: int = 0
    end: int = 0
    text: str | None = None
    also: Also = ""
    times: int = 1


class _Span(NamedTuple):
    """What an operator takes: a part of the text.

    Attributes:
        start: Where it begins.
        end: And ends, not included.
        lines: Whether it is whole lines, each with the newline behind it.
        last: Whether the last line of the text is one of them, which has no newline.
    """

    start: int
    end: int
    lines: bool = False
    last: bool = False


class _Register(NamedTuple):
    """What was deleted or copied last.

    Attributes:
        text: It, whole lines with a newline at the end.
        lines: Whether it is whole lines.
    """

    text: str = ""
    lines: bool = False


class Normal:
    """One text area's normal mode.

    Attributes:
        pending: What was pressed of a command that is not whole.
    """

    def __init__(self) -> None:
        self.pending = ""
        self._register = _Register()

    def press(self, key: str, text: str, at: int) -> Deed | None:
        """What is to be done now; None where the command is not whole yet, or means nothing.

        Args:
            key: A character.
            text: The text as it is.
            at: Where the cursor is; behind a line, as after the End key, it counts as on the last character.
        """
        at = resting(text, at)
        self.pending += key
        whole = _WHOLE.fullmatch(self.pending)
        if whole is None:
            if _BEGUN.fullmatch(self.pending) is None:
                self.pending = ""
            return None
        self.pending = ""
        count = int(whole["count"] or 1) * int(whole["again"] or 1)
        stated = bool(whole["count"] or whole["again"])
        if whole["operator"]:
            return self._operate(whole["operator"], whole["over"], text, at, count if stated else None)
        if whole["other"]:
            return _put_over(text, at, whole["other"], count)
        if whole["motion"]:
            return _move(whole["motion"], text, at, count if stated else None)
        return self._command(whole["command"], text, at, count)

    def _operate(self, operator: str, over: str, text: str, at: int, count: int | None) -> Deed | None:
        down = over == "j" or (over == operator and (count or 1) > 1)
        if (down or over == "k") and _reached("j" if down else "k", text, at, count) is None:
            # Where there is no line in that direction, nothing is done.
            return None
        lines = over == operator or over in LINEWISE
        span = _lines(over, text, at, count) if lines else _span(over, operator, text, at, count)
        if span is None or (operator == "d" and not text):
            return None
        if operator == "d":
            span = _whole_lines(text, span)
        # As in vim: of an empty line, that nothing was copied or changed is remembered.
        kept_if_empty = "cy" if over[0] in INCLUSIVE else "y"
        if span.start < span.end or span.lines or operator in kept_if_empty:
            self._register = _Register(text[span.start : span.end] + "\n" * span.last, span.lines)
        if operator == "y":
            reached = at if over == operator else _reached(over, text, at, count)
            return Deed(resting(text, min(at, at if reached is None else reached)))
        if operator == "c":
            end = span.end - (span.lines and not span.last)
            return Deed(span.start, span.start, end, "", "insert")
        return _deleted(text, span)

    def _command(self, command: str, text: str, at: int, count: int) -> Deed | None:
        if command in _SHORT:
            operator, motion = _SHORT[command]
            return self._operate(operator, motion, text, at, count)
        match command:
            case "u":
                return Deed(at, also="undo", times=count)
            case "p" | "P":
                return self._paste(text, at, count, before=command == "P")
            case "o":
                end = line_end(text, at)
                return Deed(end + 1, end, end, "\n", "insert")
            case "O":
                start = line_start(text, at)
                return Deed(start, start, start, "\n", "insert")
        places = {
            "i": at,
            "a": min(at + 1, line_end(text, at)),
            "I": first_of(text, at),
            "A": line_end(text, at),
        }
        return Deed(places[command], also="insert")

    def _paste(self, text: str, at: int, count: int, *, before: bool) -> Deed | None:
        if not self._register.text:
            return None
        put = self._register.text * count
        if not self._register.lines:
            place = at if before or line_start(text, at) == line_end(text, at) else at + 1
            # As in vim, on its last character, but at the beginning of several lines.
            cursor = place if "\n" in put else place + len(put) - 1
            return Deed(resting(text[:place] + put + text[place:], cursor), place, place, put)
        if before:
            start = line_start(text, at)
            return Deed(resting(put, first_of(put, 0)) + start, start, start, put)
        end = line_end(text, at)
        return Deed(end + 1 + resting(put, first_of(put, 0)), end, end, "\n" + put.removesuffix("\n"))


def _reached(motion: str, text: str, at: int, count: int | None) -> int | None:
    """The place to which a motion leads; None where it leads nowhere."""
    times = count or 1
    match motion[0]:
        case "j":
            return _down(text, at, times)
        case "k":
            return _down(text, at, -times)
        case "G" | "g":
            last = text.count("\n") + 1
            line = line_number(text, count or (1 if motion == "gg" else last))
            return resting(text, first_of(text, line))
        case "f" | "F" | "t" | "T" as how:
            return found_in_line(text, at, how, motion[1], times)
        case "$" if times > 1:
            below = _down(text, at, times - 1)
            return None if below is None else STEPS["$"](text, below)
    for _turn in range(times):
        at = STEPS[motion](text, at)
    return at


def _down(text: str, at: int, rows: int) -> int | None:
    """The place in the same column of cells so many rows on, or as many as there are; None without any."""
    row, last = text.count("\n", 0, at), text.count("\n")
    there = max(0, min(row + rows, last))
    if there == row:
        return None
    column = cell_len(text[line_start(text, at) : at])
    place = line_number(text, there + 1)
    end = line_end(text, place)
    while place < end and (column := column - cell_len(text[place])) >= 0:
        place += 1
    return resting(text, place)


def _move(motion: str, text: str, at: int, count: int | None) -> Deed | None:
    if motion in "jk":
        return Deed(at, also="down" if motion == "j" else "up", times=count or 1)
    place = _reached(motion, text, at, count)
    return None if place is None else Deed(resting(text, place))


def _whole_lines(text: str, span: _Span) -> _Span:
    """`:help d-special`: what is left of several lines with nothing but space goes, too."""
    start, end = line_start(text, span.start), line_end(text, span.end)
    left = text[start : span.start] + text[span.end : end]
    if span.lines or "\n" not in text[span.start : span.end] or left.strip():
        return span
    return _Span(start, min(end + 1, len(text)), lines=True, last=end == len(text))


def _deleted(text: str, span: _Span) -> Deed:
    start, end = span.start, span.end
    if not span.lines:
        return Deed(resting(text[:start] + text[end:], start), start, end, "")
    if span.last and start > 0:
        # It goes with the newline before it.
        start -= 1
    after = text[:start] + text[end:]
    return Deed(resting(after, first_of(after, min(span.start, len(after)))), start, end, "")


def _span(motion: str, operator: str, text: str, at: int, count: int | None) -> _Span | None:
    """What an operator takes with a motion that is not one of lines."""
    if operator == "c" and motion in ("w", "W") and not text[at : at + 1].isspace():
        # As in vim, a word is changed without the space behind it.
        motion = "e" if motion == "w" else "E"
        on_last = STEPS[motion](text, at - 1) == at
        times = (count or 1) - on_last
        place = _reached(motion, text, at, times) if times else at
    elif motion in ("w", "W"):
        before = _reached(motion, text, at, count - 1) if count and count > 1 else at
        place = word_to_take(text, at if before is None else before, big=motion == "W")
    elif motion in ("b", "B") and at == 0:
        return None
    else:
        place = _reached(motion, text, at, count)
    if place is None:
        return None
    start, end = sorted((at, place))
    if motion[0] in INCLUSIVE and place >= at:
        # On an empty line there is nothing to take along, yet it is joined to the first one.
        return _Span(start, end + (text[end : end + 1] not in ("", "\n")))
    if start < end and end == line_start(text, end):
        # `:help exclusive-linewise`: what ends at the beginning of a line ends with the line before.
        end -= 1
        if not text[line_start(text, start) : start].strip():
            return _Span(line_start(text, start), end + 1, lines=True)
    return _Span(start, end)


def _lines(motion: str, text: str, at: int, count: int | None) -> _Span:
    """The whole lines that an operator takes, with the newline behind the last one where there is one."""
    row, last = text.count("\n", 0, at), text.count("\n")
    match motion:
        case "j":
            rows = row, min(row + (count or 1), last)
        case "k":
            rows = max(row - (count or 1), 0), row
        case "G" | "gg":
            target = min((count or (1 if motion == "gg" else last + 1)) - 1, last)
            rows = min(row, target), max(row, target)
        case _:
            rows = row, min(row + (count or 1) - 1, last)
    start, end = line_number(text, rows[0] + 1), line_end(text, line_number(text, rows[1] + 1))
    return _Span(start, min(end + 1, len(text)), lines=True, last=rows[1] == last)


def _put_over(text: str, at: int, other: str, count: int) -> Deed | None:
    """Put one character in the place of `count` ones; nothing where the line has not so many."""
    if at + count > line_end(text, at):
        return None
    return Deed(at + count - 1, at, at + count, other * count)
