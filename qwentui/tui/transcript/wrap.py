"""Styled text cut into rows by cell width.

A row breaks at spaces and between CJK characters, not before closing and not after opening punctuation
(a light kinsoku), and never inside a grapheme cluster. A word that is longer than a row is cut at the width.
Widths are those of ``rich.cells``, which Textual draws by.

The cut is greedy and has no memory beyond the row: text whose last row is laid out again together with what
follows breaks exactly as the whole would.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row = tuple[Segment, ...]
"""One screen row: styled pieces of text without a newline."""

_CLOSERS = frozenset("!%),.:;?]}¨°·ˇˉ―‖’”…‰′″›℃∶、。〃〉》」』】〕〗〞︰！＂％＇），．：；？］｀｜｝～￠—")
_OPENERS = frozenset("([{‘“‹〈《「『【〔〖〝（［｛￡￥$£¥")

_WIDE = (
    "\u2e80-\u2e99\u2f00-\u2fd5\u3000-\u3029\u3030-\u303e\u3041-\u3096\u309b-\u30ff\u3105-\u312f\u3131-\u3163"
    "\u3190-\u31e3\u3200-\u321e\u3220-\u3247\u3250-\ua48c\uac00-\ud7a3\uf900-\ufa6d\uff01-\uff60\uffe0-\uffe6"
    "\U00020000-\U0002a6df"
)
_NARROW = (
    " -~\xa1-\xac\xae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038e-\u0482\u2010-\u2027\u2030-\u205e"
    "\u2190-\u2193\u2200-\u2319\u2500-\u25fc"
)
_FULLEST = 32
"""A row of more characters than this for each cell breaks inside a cluster: only an attack is that long."""

JOINED = re.compile("[\u0300-\u036f\u200d\u20d0-\u20ff\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
"""What belongs to the character before it: accents, joiners, keycaps, flags' halves, tones of skin."""
_NEAR = 32
"""Characters on each side of a border that are looked at for what joins across it."""
_FIRST_WIDE = "\u2e80"
_REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]")


@cache
def _even() -> re.Pattern[str]:
    """Text whose widths do not depend on neighbours. Compiled when first needed: it takes milliseconds."""
    return re.compile(f"[{_NARROW}{_WIDE}]*\\Z")


@cache
def _wide() -> re.Pattern[str]:
    """A run of characters of two cells each, in even text."""
    return re.compile(f"[{_WIDE}]+")


def is_cjk(character: str) -> bool:
    """Whether it is a character or punctuation of Chinese or Japanese, which are written without spaces."""
    return (
        "\u2e80" <= character <= "\ua4cf"
        or "\uf900" <= character <= "\ufaff"
        or "\ufe30" <= character <= "\ufe4f"
        or "\uff00" <= character <= "\uffef"
        or "\U00020000" <= character <= "\U0003ffff"
    )


def cells(text: str) -> int:
    """Width of ``text`` in cells."""
    return len(text) if text.isascii() else cell_len(text)


def row_cells(row: Iterable[Segment]) -> int:
    """Width of a row in cells."""
    return sum(cells(segment.text) for segment in row)


def wrap(line: Sequence[Segment], width: int) -> list[Row]:
    """Breaks ``line`` into rows of at most ``width`` cells; a newline in the text always breaks."""
    text = "".join([segment.text for segment in line])
    if len(text) <= width and text.isascii() and "\n" not in text:
        return [tuple(line)] if text else []
    return _sliced(line, _breaks(text, width))


def wrapped(text: str, width: int) -> str:
    """Plain ``text`` in rows of at most ``width`` cells, which break between Chinese characters too."""
    lines = text.split("\n")
    rows = [row for line in lines for row in (wrap([Segment(line)], width) or [()])]
    return "\n".join("".join(segment.text for segment in row).rstrip() for row in rows)


def wrap_open(line: Sequence[Segment], width: int) -> tuple[list[Row], Row]:
    """Breaks a ``line`` that goes on.

    Returns:
        The rows that nothing can change any more, and the rest, to be put in front of what follows.
    """
    return _settled(line, _breaks("".join([segment.text for segment in line]), width))


def chop(line: Sequence[Segment], width: int) -> list[Row]:
    """Cuts ``line`` into rows of ``width`` cells wherever that falls, as for code."""
    text = "".join([segment.text for segment in line])
    if len(text) <= width and text.isascii():
        return [tuple(line)] if text else []
    return _sliced(line, _chops(text, width))


def chop_open(line: Sequence[Segment], width: int) -> tuple[list[Row], Row]:
    """Cuts a ``line`` that goes on; returns what ``wrap_open`` does."""
    return _settled(line, _chops("".join([segment.text for segment in line]), width))


def joint(before: str, after: str) -> int:
    """How many characters of ``after`` belong to the last cluster of ``before``, so that widths add up."""
    if not before or (JOINED.match(after) is None and before[-1] != "\u200d"):
        return 0
    start = max(len(before) - _NEAR, 0)
    border = len(before) - start
    return next(
        (end - border for _, end, _ in clusters(before[start:] + after[:_NEAR]) if end >= border), len(after)
    )


def clusters(text: str) -> list[tuple[int, int, int]]:
    """Grapheme clusters as (start, end, cells); two regional indicators are one flag."""
    spans, _ = split_graphemes(text)
    joined: list[tuple[int, int, int]] = []
    half_flag = False
    for start, end, size in spans:
        regional = _REGIONAL.match(text, start) is not None
        if (regional and half_flag) or (not size and joined):
            first, _, before = joined[-1]
            joined[-1] = (first, end, before + size)
            half_flag = False
        else:
            joined.append((start, end, size))
            half_flag = regional
    return joined


def safe_cut(text: str, limit: int) -> int:
    """The last index up to ``limit`` that does not cut a cluster, or ``limit`` if there is none near."""
    if text[limit - 1 : limit + 1].isascii():
        return limit
    start = max(limit - 64, 0)
    ends = [start + end for _, end, _ in clusters(text[start : limit + 8]) if start + end <= limit]
    return ends[-1] if ends else limit


def _settled(line: Sequence[Segment], ranges: list[tuple[int, int]]) -> tuple[list[Row], Row]:
    if len(ranges) < 2:  # noqa: PLR2004 - with fewer than two rows the last one is all there is
        return [], tuple(line)
    size = sum(len(segment.text) for segment in line)
    rows = _sliced(line, [*ranges[:-1], (ranges[-1][0], size)])
    return rows[:-1], rows[-1]


def _breaks(text: str, width: int) -> list[tuple[int, int]]:
    """Index ranges of the rows of ``text``, without the spaces at which it broke."""
    ranges: list[tuple[int, int]] = []
    start, size = 0, len(text)
    ascii_only = text.isascii()
    while start < size:
        fit = min(start + width, size) if ascii_only else _fit(text, start, width)
        newline = text.find("\n", start, fit + 1)
        if newline >= 0:
            ranges.append((start, _trimmed(text, start, newline)))
            start = newline + 1
            continue
        if fit >= size:
            ranges.append((start, size))
            break
        end = _last_space(text, start, fit) if ascii_only else _last_break(text, start, fit)
        ranges.append((start, _trimmed(text, start, end)))
        start = _after_spaces(text, end)
    return ranges


def _last_space(text: str, start: int, fit: int) -> int:
    space = text.rfind(" ", start, fit + 1)
    return space if space > start else fit


def _last_break(text: str, start: int, fit: int) -> int:
    """The last index in ``start + 1 .. fit`` at which a row may end, or ``fit``."""
    borders = _borders(text, start, fit)
    for index in range(fit, start, -1):
        before, after = text[index - 1], text[index]
        if after == " ":
            return index
        if before >= _FIRST_WIDE or after >= _FIRST_WIDE:
            apart = before == " " or not (after in _CLOSERS or before in _OPENERS)
            if apart and (borders is None or index in borders):
                return index
    return fit


def _borders(text: str, start: int, fit: int) -> frozenset[int] | None:
    """Where clusters end between ``start`` and ``fit``, or None where every index is such a border."""
    if _even().match(text[start : fit + 1]):
        return None
    return frozenset(start + first for first, _, _ in clusters(text[start : fit + 1]))


def _chops(text: str, width: int) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    start, size = 0, len(text)
    while start < size:
        end = min(_fit(text, start, width), size)
        ranges.append((start, end))
        start = end
    return ranges


def _fit(text: str, start: int, width: int) -> int:
    """The largest index to which ``text`` from ``start`` fits into ``width`` cells; at least one cluster."""
    chunk = text[start : start + width + 1]
    if chunk.isascii():
        return min(start + width, len(text))
    if _even().match(chunk):
        return start + _fit_even(chunk, width)
    return _fit_clusters(text, start, width)


def _fit_clusters(text: str, start: int, width: int) -> int:
    # A cluster may hold any number of characters, so the window grows until the row is full or absurdly long.
    window = 2 * width + 32
    while True:
        end, room = start, width
        for first, last, size in clusters(text[start : start + window]):
            if size > room and first:
                return start + first
            room -= size
            end = start + last
        if end >= len(text) or window > _FULLEST * width:
            return end
        window *= 4


def _fit_even(chunk: str, width: int) -> int:
    """How many characters of even text fit into ``width`` cells."""
    end = 0
    while width > 0 and end < len(chunk):
        piece = chunk[end : end + max(width // 2, 1)]
        size = len(piece) + sum(map(len, _wide().findall(piece)))
        if size > width:
            break
        width -= size
        end += len(piece)
    return max(end, 1)


def _trimmed(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1] == " ":
        end -= 1
    return end


def _after_spaces(text: str, start: int) -> int:
    size = len(text)
    while start < size and text[start] == " ":
        start += 1
    return start


def _sliced(line: Sequence[Segment], ranges: Iterable[tuple[int, int]]) -> list[Row]:
    rows: list[Row] = []
    index, offset = 0, 0
    for start, end in ranges:
        row: list[Segment] = []
        while index < len(line):
            text, style, _ = line[index]
            stop = offset + len(text)
            if stop > start:
                part = text[max(start - offset, 0) : end - offset]
                if part:
                    row.append(Segment(part, style))
                if stop >= end:
                    break
            index += 1
            offset = stop
        rows.append(tuple(row))
    return rows
