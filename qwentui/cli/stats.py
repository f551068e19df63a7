"""`qwentui stats`: what the replies have cost, from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from qwentui.cli import speaking
from qwentui.language import N_, _

if TYPE_CHECKING:
    from datetime import datetime

    from qwentui.store.statistics import Spread, Statistics

_HEADINGS = (
    N_("MODEL"),
    N_("REPLIES"),
    N_("TOKENS"),
    N_("TTFT MEAN"),
    "P50",
    "P95",
    N_("TOTAL MEAN"),
    "P50",
    "P95",
    N_("TOK/S"),
    N_("ENDS"),
)


@speaking.command("stats")
@speaking.option("-m", "--model", metavar="NAME", default="", help=N_("This model only."))
@speaking.option(
    "--since", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help=N_("Replies since that day.")
)
@speaking.option("--by-day", is_flag=True, help=N_("Each day in a line of its own."))
@speaking.option("--json", "as_json", is_flag=True, help=N_("Print one JSON record a line."))
def command(*, model: str, since: datetime | None, by_day: bool, as_json: bool) -> None:
    """Show what the replies have cost: first token and total in seconds, and tokens a second, by model.

    The first token is timed from Enter; P95 is the time that one reply in twenty exceeds. What is printed to
    anything but a terminal has tabs between its columns.
    """
    from qwentui.cli.opened import with_store
    from qwentui.cli.output import warn
    from qwentui.cli.table import print_records, print_table
    from qwentui.store.statistics import statistics

    moment = since.timestamp() if since is not None else 0.0
    found = with_store(
        lambda database: list(statistics(database.connection, by_day=by_day, since=moment, model=model))
    )
    if as_json:
        print_records([_record(entry) for entry in found])
    else:
        headings = [_("DAY")] * by_day + [_(heading) for heading in _HEADINGS]
        print_table(
            headings,
            [_columns(entry, by_day=by_day) for entry in found],
            numbers=range(by_day + 1, len(headings) - 1),
        )
    if not found:
        warn(_("No reply has been timed yet."))


def _record(entry: Statistics) -> dict[str, object]:
    import msgspec

    record: dict[str, object] = msgspec.to_builtins(entry)
    if not entry.day:
        del record["day"]
    return record


def _columns(entry: Statistics, *, by_day: bool) -> tuple[str, ...]:
    from qwentui.chat.sanitize import sanitize_line

    ends = ", ".join(f"{reason} {count}" for reason, count in entry.finish_reasons.items())
    rate = entry.tokens_per_second
    columns = (
        sanitize_line(entry.model, 40),
        str(entry.replies),
        str(entry.tokens),
        *_seconds(entry.ttft),
        *_seconds(entry.total),
        "" if rate is None else f"{rate.p50:.1f}",
        ends,
    )
    return (entry.day, *columns) if by_day else columns


def _seconds(times: Spread) -> tuple[str, str, str]:
    return f"{times.mean:.2f}", f"{times.p50:.2f}", f"{times.p95:.2f}"
