"""Puts generated tables between their marks in the README."""

from __future__ import annotations

from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def with_table(text: str, name: str, table: str) -> str:
    """`text` with the table of that name between its marks."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, _, rest = text.partition(begin)
    return before + begin + table + end + rest.partition(end)[2]


def write(name: str, table: str) -> None:
    """Put the table of that name into the README."""
    README.write_text(with_table(README.read_text(encoding="utf-8"), name, table), encoding="utf-8")
