"""Rows in columns: aligned in a terminal, with tabs between them elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_GAP = "  "
_BETWEEN = " │ "
_TAB = 4


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[int] = ()
) -> None:
    """Write rows to standard output; the headings only to a terminal.

    Args:
        headings: The names of the columns.
        rows: The rows, as wide as the headings.
        numbers: The columns that stand to the right.
    """
    from qwentui.cli.output import on_terminal, standard_output

    lines = ["\t".join(row) for row in rows]
    if on_terminal() and rows:
        lines = _aligned([headings, *rows], numbers)
    with standard_output() as file:
        for line in lines:
            file.write(line.encode("utf-8", "replace") + b"\n")


def print_beside(heads: tuple[str, str], texts: tuple[str, str], width: int) -> None:
    """Write two texts to standard output, one beside the other.

    Args:
        heads: What stands over each.
        texts: The texts.
        width: The columns that there are.
    """
    from itertools import zip_longest

    from qwentui.cli.output import standard_output
    from qwentui.tui.transcript.wrap import cells, wrapped

    room = (width - len(_BETWEEN)) // 2
    columns = (wrapped(text.strip("\n").expandtabs(_TAB), room).split("\n") for text in texts)
    left, right = ([head, "", *rows] for head, rows in zip(heads, columns, strict=True))
    with standard_output() as file:
        for one, other in zip_longest(left, right, fillvalue=""):
            row = f"{one}{' ' * (room - cells(one))}{_BETWEEN}{other}".rstrip()
            file.write(row.encode("utf-8", "replace") + b"\n")
        file.write(b"\n")


def print_records(records: Sequence[dict[str, object]]) -> None:
    """Write one JSON record a line."""
    import msgspec

    from qwentui.cli.output import standard_output

    with standard_output() as file:
        for record in records:
            file.write(msgspec.json.encode(record) + b"\n")


def _aligned(rows: Sequence[Sequence[str]], numbers: Collection[int]) -> list[str]:
    from qwentui.cli.cells import cells, padded

    widths = [max(cells(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        _GAP.join(
            padded(text, widths[column], right=column in numbers) for column, text in enumerate(row)
        ).rstrip()
        for row in rows
    ]
