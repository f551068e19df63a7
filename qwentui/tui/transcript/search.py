"""Finding words in a transcript, across wraps and through emphasis."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

from qwentui.tui.transcript.body import TEXT
from qwentui.tui.transcript.plain import text_of

if TYPE_CHECKING:
    from qwentui.tui.transcript.body import Body
    from qwentui.tui.transcript.document import Document

# What may stand between two letters of a word: in the source marks of emphasis, in rows a wrap and a bar.
_IN_SOURCE = r"[*_`~\\]*"
_IN_ROWS = r"(?:[ ]*\n[\s│▎▏┃|]*)?"

# Items whose matches are remembered by row.
_KEPT_ITEMS = 64


class Match(NamedTuple):
    """The part of a match that stands in one row: characters `start` to `end`.

    Attributes:
        start: The first character.
        end: The one after the last.
        number: Which match of the item it is, counted from 0; -1 while the item still changes.
    """

    start: int
    end: int
    number: int


def _pattern(text: str, between: str) -> re.Pattern[str]:
    words = [between.join(map(re.escape, word)) for word in text.split()]
    return re.compile(r"[\s*_`~│▎▏┃|]+".join(words), re.IGNORECASE)


class Search:
    """A search in a document.

    The items are counted by their source, in slices; an item whose rows are looked at is counted by its
    rows, in which a match is what the reader sees.

    Attributes:
        text: What is searched.
        current: The match the reader is at: its item and its number there.
    """

    def __init__(self, document: Document, text: str) -> None:
        self.text = text
        self.current: tuple[int, int] | None = None
        self._document = document
        self._source = _pattern(text, _IN_SOURCE)
        self._rows = _pattern(text, _IN_ROWS)
        self._row = _pattern(text, "")
        self._counts: dict[int, int] = {}
        self._counted = 0
        self._found: dict[int, tuple[ref[Body], int, dict[int, list[Match]]]] = {}

    @property
    def complete(self) -> bool:
        """Whether all items are counted."""
        return self._counted >= len(self._document.items)

    @property
    def count(self) -> int:
        """How many matches are known."""
        return sum(self._counts.values())

    @property
    def ordinal(self) -> int:
        """The place of the current match among all, counted from 1; 0 when there is none."""
        if self.current is None:
            return 0
        index, number = self.current
        return sum(count for item, count in self._counts.items() if item < index) + number + 1

    def step(self, deadline: float) -> None:
        """Count on until `deadline` (of `perf_counter`)."""
        while not self.complete:
            self._count(self._counted)
            self._counted += 1
            if perf_counter() >= deadline:
                return

    def forget(self, index: int) -> None:
        """The items from `index` on changed."""
        self._counted = min(self._counted, index)
        for item in [item for item in self._counts if item >= index]:
            del self._counts[item]
        if self.current is not None and self.current[0] >= index:
            self.current = None

    def move(self, start: int, step: int) -> tuple[int, int] | None:
        """Go to the next match (`step` 1) or the one before (-1), around the ends of the document.

        Args:
            start: The item to begin with where there is no current match.
            step: The direction.

        Returns:
            The item and the row of the match.
        """
        if not self._document.items:
            return None
        index, number = self.current or (start, -1 if step > 0 else self._count(start) and self._exact(start))
        number += step
        for _ in range(len(self._document.items) + 1):
            if self._count(index) and 0 <= number < self._exact(index):
                self.current = (index, number)
                return index, self._row_of(index, number)
            index = (index + step) % len(self._document.items)
            number = 0 if step > 0 or not self._count(index) else self._exact(index) - 1
        self.current = None
        return None

    def matches(self, index: int, row: int) -> list[Match]:
        """The matches in a row of an item that is laid out."""
        body = self._document.body(index)
        if body is None:
            return []
        if body.busy or index == self._document.live:
            text = _searched(body, row)
            return [Match(match.start(), match.end(), -1) for match in self._row.finditer(text)]
        return self._in_rows(index, body).get(row, [])

    def _count(self, index: int) -> int:
        if index not in self._counts:
            self._counts[index] = sum(1 for _ in self._source.finditer(self._document.text(index)))
        return self._counts[index]

    def _exact(self, index: int) -> int:
        rows = self._in_rows(index, self._document.finish(index))
        self._counts[index] = 1 + max((match.number for row in rows.values() for match in row), default=-1)
        return self._counts[index]

    def _row_of(self, index: int, number: int) -> int:
        rows = self._in_rows(index, self._document.finish(index))
        return next((row for row, found in rows.items() if any(match.number == number for match in found)), 0)

    def _in_rows(self, index: int, body: Body) -> dict[int, list[Match]]:
        known = self._found.get(index)
        if known is not None and known[0]() is body and known[1] == body.height:
            return known[2]
        found = self._look(body)
        if len(self._found) >= _KEPT_ITEMS:
            self._found.clear()
        self._found[index] = (ref(body), body.height, found)
        return found

    def _look(self, body: Body) -> dict[int, list[Match]]:
        texts = [_searched(body, row) for row in range(body.height)]
        tops = [0, *accumulate(len(text) + 1 for text in texts)]
        found: dict[int, list[Match]] = {}
        for number, match in enumerate(self._rows.finditer("\n".join(texts))):
            start, end = match.span()
            for row in range(bisect_right(tops, start) - 1, bisect_left(tops, end)):
                first, last = max(start - tops[row], 0), min(end - tops[row], len(texts[row]))
                if first < last:
                    found.setdefault(row, []).append(Match(first, last, number))
        return found


def _searched(body: Body, row: int) -> str:
    """The part of a row that is the item's own text."""
    found = body.at(row)
    if found is None or found[0].part != TEXT or found[0].fold is not None:
        return ""
    return text_of(body.line(row).row)
