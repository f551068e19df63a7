"""A course of values as columns of block characters."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def plot(values: Sequence[float | None], width: int, top: float, height: int = 2) -> list[str]:
    """The newest value at the right, the rows from top to bottom; a gap is where nothing is known.

    Where there are more values than columns, a column shows the highest of those that share it.

    Args:
        values: Oldest first, none below zero.
        width: Columns.
        top: What reaches the upper edge; more is cut there.
        height: Rows.
    """
    columns = _resampled(values, width)
    levels = [0 if value is None else _level(value, top, height * 8) for value in columns]
    rows = []
    for row in reversed(range(height)):
        cells = "".join(_EIGHTHS[max(0, min(8, level - row * 8))] for level in levels)
        rows.append(cells.rjust(width))
    return rows


def _level(value: float, top: float, most: int) -> int:
    """Eighths of a row; a known value shows at least one, so that nought is told from not known."""
    return max(1, min(most, round(value / top * most))) if top > 0 else 1


def _resampled(values: Sequence[float | None], width: int) -> list[float | None]:
    if len(values) <= width:
        return list(values)
    edges = [len(values) * column // width for column in range(width + 1)]
    shared = (values[start:end] for start, end in pairwise(edges))
    return [max((value for value in values if value is not None), default=None) for values in shared]
