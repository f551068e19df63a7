"""A report as text: for a terminal, as Markdown, as CSV."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from qwentui.bench.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.bench.report import Report, Table
    from qwentui.bench.run import Result

_GAP = "  "
_MEASURE = 79
_PIECES = re.compile(
    r"\s*[（《【“]*(?:[\u2e80-\u9fff]|[^\s\u2e80-\u9fff（《【“，。、；：！？）》】”]+|$)[，。、；：！？）》】”]*"
)
"""What a line may break before: a word or a Chinese character, with the punctuation that belongs to it."""


def terminal_text(report: Report) -> str:
    """The report in aligned columns."""
    lines = [report.title, *report.lines]
    for table in report.tables:
        lines += ["", table.title, *aligned(table)]
    if report.notes:
        lines.append("")
    for note in report.notes:
        lines += _item(note)
    return "\n".join(lines) + "\n"


def _item(note: str) -> Iterator[str]:
    """A note as an item of a list, wrapped at spaces and between Chinese characters."""
    line, indent = "*", "  "
    for piece in _PIECES.findall(f" {note}"):
        if _cells(line + piece.rstrip()) > _MEASURE:
            yield line.rstrip()
            line = indent + piece.lstrip()
        else:
            line += piece
    yield line.rstrip()


def markdown_text(report: Report) -> str:
    """The report in GitHub's Markdown."""
    parts = [f"# {_escaped(report.title)}", *(_escaped(line) for line in report.lines)]
    for table in report.tables:
        parts += [f"## {table.title}", "\n".join(_pipes(table))]
    parts += ["\n".join(f"- {_escaped(note)}" for note in report.notes)] if report.notes else []
    return "\n\n".join(parts) + "\n"


def csv_text(result: Result) -> str:
    """The runs of a result, a row each, under the names of `Run`'s fields (RFC 4180)."""
    out = io.StringIO()
    rows = csv.writer(out)
    names = Run.__struct_fields__
    rows.writerow(names)
    for run in result.runs:
        values = (getattr(run, name) for name in names)
        rows.writerow("" if value is None else value for value in values)
    return out.getvalue()


def aligned(table: Table) -> Iterator[str]:
    """The rows of a table under its headings: text to the left, figures to the right."""
    rows = [table.headings, *table.rows]
    last = len(table.headings) - 1
    widths = [max(_cells(row[column]) for row in rows) for column in range(last + 1)]
    for row in rows:
        padded = (
            text + pad if column < table.texts or column == last else pad + text
            for column, text in enumerate(row)
            for pad in (" " * (widths[column] - _cells(text)),)
        )
        yield _GAP.join(padded).rstrip()


def _cells(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _pipes(table: Table) -> Iterator[str]:
    yield "| " + " | ".join(_escaped(heading) for heading in table.headings) + " |"
    yield "|---|" + "---:|" * (len(table.headings) - 1)
    for row in table.rows:
        yield "| " + " | ".join(_escaped(text) for text in row) + " |"


def _escaped(text: str) -> str:
    """Text in which nothing is Markdown: a model's name or a prompt may hold anything."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#~" else letter for letter in text)
