"""What the replies in the store have cost: times as mean, median and P95, by model and by day.

A reply counts as a measurement when its first token was timed by this program: imported ones were not. One
that was tried again, or taken up after a break, counts with all the time that it took, for the user waited so
long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.percentile import percentile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

RECENT = 200
"""Replies, the newest ones, by which a model's usual times are judged."""

_REPLIES = """
    SELECT messages.model, {day} AS day, ttft, elapsed, eval_count, eval_duration, finish_reason
    FROM messages JOIN sessions ON sessions.number = messages.session
    WHERE role = 'assistant' AND finish_reason IS NOT NULL AND ttft IS NOT NULL AND sessions.origin IS NULL
    AND messages.created_at >= :since AND (:model = '' OR messages.model = :model)
    ORDER BY 1, 2
"""
_DAY = "date(messages.created_at / 1000, 'unixepoch', 'localtime')"
_NEWEST = """
    SELECT ttft, eval_count, eval_duration, load_duration FROM messages
    WHERE role = 'assistant' AND model = ? AND ttft IS NOT NULL AND finish_reason IN ('stop', 'length')
    ORDER BY id DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Spread:
    """A quantity over many replies, in the quantity's own unit."""

    mean: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """The replies of one model, on one day or over all time (`day` is "").

    Times are in seconds; `tokens_per_second` is over each reply's `eval_count / eval_duration`, None where no
    server told them. `finish_reasons` counts how they ended.
    """

    model: str
    day: str
    replies: int
    tokens: int
    ttft: Spread
    total: Spread
    tokens_per_second: Spread | None
    finish_reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class Typical:
    """What is usual for a model on this machine: seconds, and tokens a second; None before a first reply."""

    count: int = 0
    ttft_p50: float | None = None
    ttft_p95: float | None = None
    tokens_per_second: float | None = None


def spread(values: Sequence[float]) -> Spread:
    """Mean, median and P95.

    Raises:
        ValueError: There are no values.
    """
    return Spread(sum(values) / max(len(values), 1), percentile(values, 0.5), percentile(values, 0.95))


def statistics(
    connection: sqlite3.Connection, *, by_day: bool = False, since: float = 0.0, model: str = ""
) -> Iterator[Statistics]:
    """What the replies have cost, by model, and by the day in local time if wanted.

    Args:
        connection: A store.
        by_day: Whether each day stands alone.
        since: Seconds since 1970 of the oldest reply that counts.
        model: The only model that counts, "" for all.

    Raises:
        sqlite3.Error: The store cannot be read.
    """
    rows = connection.execute(
        _REPLIES.format(day=_DAY if by_day else "''"), {"since": round(since * 1000), "model": model}
    )
    group: list[sqlite3.Row] = []
    for row in rows:
        if group and (row["model"], row["day"]) != (group[0]["model"], group[0]["day"]):
            yield _of(group)
            group = []
        group.append(row)
    if group:
        yield _of(group)


def _of(rows: list[sqlite3.Row]) -> Statistics:
    reasons: dict[str, int] = {}
    for row in rows:
        reasons[row["finish_reason"]] = reasons.get(row["finish_reason"], 0) + 1
    rates = [rate for row in rows if (rate := _rate(row)) is not None]
    return Statistics(
        model=rows[0]["model"],
        day=rows[0]["day"],
        replies=len(rows),
        tokens=sum(row["eval_count"] or 0 for row in rows),
        ttft=spread([row["ttft"] for row in rows]),
        total=spread([row["elapsed"] for row in rows]),
        tokens_per_second=spread(rates) if rates else None,
        finish_reasons=dict(sorted(reasons.items())),
    )


def typical(connection: sqlite3.Connection, model: str, recent: int = RECENT) -> Typical:
    """What was usual over the last `recent` complete replies of `model`.

    Raises:
        sqlite3.Error: The store cannot be read.
    """
    rows = connection.execute(_NEWEST, (model, recent)).fetchall()
    if not rows:
        return Typical()
    times = [row["ttft"] for row in rows]
    rates = [rate for row in rows if (rate := _rate(row)) is not None]
    return Typical(
        len(rows), percentile(times, 0.5), percentile(times, 0.95), percentile(rates, 0.5) if rates else None
    )


def _rate(row: sqlite3.Row) -> float | None:
    if not row["eval_count"] or not row["eval_duration"]:
        return None
    rate: float = row["eval_count"] / row["eval_duration"]
    return rate
