"""A bench's result to standard output, in the form that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from qwentui.bench import layout
from qwentui.bench.comparison import comparison
from qwentui.bench.figures import figures
from qwentui.bench.report import (
    RECIPE_TTFT,
    RECIPE_TTFT_P95,
    Report,
    comparison_report,
    listing,
    report,
    spread,
)
from qwentui.chat.sanitize import sanitize
from qwentui.cli.output import standard_output, warn
from qwentui.language import _
from qwentui.store.files import replaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.bench.run import Result

_IN_TERMINAL = "-"


@dataclass(frozen=True, slots=True)
class Output:
    """How to say it.

    Attributes:
        form: "table", "markdown" or "csv".
        as_json: One JSON record in its place.
        plot: A file for the SVG, "-" for the terminal, None for no plot.
    """

    form: str
    as_json: bool
    plot: str | None

    def show_result(self, result: Result) -> None:
        """The report of a bench, and its plot.

        Raises:
            StoreError: It cannot be written.
        """
        if self.as_json:
            _write(_json(msgspec.to_builtins(result) | {"figures": msgspec.to_builtins(figures(result))}))
        elif self.form == "csv":
            _write(layout.csv_text(result))
        else:
            _write(self._text(report(result)))
        if self.plot == _IN_TERMINAL:
            click.echo(spread(result) or _("There are too few runs to show how they are spread."), err=True)
        elif self.plot:
            self._draw(result, Path(self.plot).expanduser())

    def show_comparison(self, before: Result, after: Result) -> None:
        """What has changed from one bench to another."""
        compared = comparison(before, after)
        if self.as_json:
            _write(_json(msgspec.to_builtins(compared)))
        else:
            _write(self._text(comparison_report(compared)))

    def list_results(self, results: Sequence[Result]) -> None:
        """The benches that were kept, a line each."""
        if self.as_json:
            _write("".join(_json(msgspec.to_builtins(result)) for result in results))
        elif results:
            _write("\n".join(layout.aligned(listing(results))) + "\n")
        else:
            warn(_("No bench was kept yet. Run one: qwentui bench"))

    def _text(self, said: Report) -> str:
        form = layout.markdown_text if self.form == "markdown" else layout.terminal_text
        # A kept result is a file, and a file may hold anything.
        return sanitize(form(said)).text

    def _draw(self, result: Result, path: Path) -> None:
        from qwentui.bench.plot import svg

        mean = _("recipe: {seconds} s").format(seconds=RECIPE_TTFT)
        marks = ((RECIPE_TTFT, mean), (RECIPE_TTFT_P95, f"P95 {RECIPE_TTFT_P95} s"))
        with replaced(path) as file:
            file.write(svg(result, marks).encode())
        click.echo(_("The plot lies at {path}.").format(path=path), err=True)


def _json(record: object) -> str:
    return msgspec.json.encode(record).decode() + "\n"


def _write(text: str) -> None:
    with standard_output() as file:
        file.write(text.encode("utf-8", errors="replace"))
