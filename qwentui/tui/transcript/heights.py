"""Where each item of the transcript stands, in rows.

The heights live in a Fenwick tree (P. M. Fenwick, "A new data structure for cumulative frequency tables",
1994): a height changes, and a row finds its item, in O(log n), so the ten-thousandth message costs what the
first one does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Heights:
    """A list of non-negative heights in rows that knows its running sums."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        # _sums[i] covers the i & -i heights that end with the i-th, counted from 1.
        self._sums = [0, *self._heights]
        for index in range(1, len(self._sums)):
            parent = index + (index & -index)
            if parent < len(self._sums):
                self._sums[parent] += self._sums[index]

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def __setitem__(self, index: int, height: int) -> None:
        delta = height - self._heights[index]
        self._heights[index] = height
        position = index + 1
        while delta and position < len(self._sums):
            self._sums[position] += delta
            position += position & -position

    @property
    def total(self) -> int:
        """The height of all items together."""
        return self.top(len(self._heights))

    def append(self, height: int) -> None:
        """Add an item at the end."""
        position = len(self._sums)
        below = position - (position & -position)
        self._sums.append(height + self.total - self.top(below))
        self._heights.append(height)

    def truncate(self, length: int) -> None:
        """Keep the first `length` items."""
        del self._heights[length:]
        del self._sums[length + 1 :]

    def top(self, index: int) -> int:
        """The row at which item `index` begins; for the number of items, the row below the last."""
        rows = 0
        while index > 0:
            rows += self._sums[index]
            index -= index & -index
        return rows

    def find(self, row: int) -> tuple[int, int]:
        """The item that holds `row`, and the row within it.

        Items of no height hold no row. A row below the end gives the number of items and how far below.
        """
        index = 0
        step = 1 << len(self._heights).bit_length()
        while step:
            if index + step < len(self._sums) and self._sums[index + step] <= row:
                index += step
                row -= self._sums[index]
            step >>= 1
        return index, row
