"""What a bench says to its reader: headed tables and notes, before any form is given to them.

The recipe's figures stand beside the measured ones: a first token after 1.8 s on average and 2.4 s at P95,
a context of 8K, three stable conversations at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.backends.choice import short_name
from qwentui.bench.figures import Figures, figures
from qwentui.bench.plot import bars, sparkline
from qwentui.bench.run import Result, Step
from qwentui.bench.statistics import CONFIDENCE, Change, Summary, Verdict
from qwentui.chat.sanitize import sanitize_line
from qwentui.telemetry.transfer import byte_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwentui.bench.comparison import Comparison

RECIPE_TTFT = 1.8
RECIPE_TTFT_P95 = 2.4
_RECIPE_CONTEXT = "8K"
_RECIPE_AT_ONCE = 3
_FEW_RUNS = 20
_UNKNOWN = "–"
_GIB = 1 << 30
_BAR = 16
_BINS = 20
_VALUE = 30  # characters of a value that differs


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; the first `texts` columns and the last are text, the others are figures."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


@dataclass(frozen=True, slots=True)
class Report:
    """A title, a few lines about what was measured, tables, and notes that say what they mean."""

    title: str
    lines: tuple[str, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]


def report(result: Result) -> Report:
    """What `result` says."""
    found = figures(result)
    tables = (_one(found), _cold(found), _memory(result), _lengths(found), _at_once(found))
    return Report(
        title=f"{short_name(result.plan.model)}, measured by qwentui bench {result.id}",
        lines=tuple(_lines(result, found)),
        tables=tuple(table for table in tables if table.rows),
        notes=tuple(_notes(result, found)),
    )


def _lines(result: Result, found: Figures) -> Iterator[str]:
    around, plan = result.surroundings, result.plan
    server = f"{around.server} {around.version}" if around.server == "Ollama" else around.version
    model = " ".join(part for part in (around.quantization, around.digest[:12]) if part)
    card = f"{around.card}, driver {around.driver or 'unknown'}" if around.card else ""
    yield " · ".join(part for part in (f"{server} at {around.host}", model, card) if part)
    thinking = {None: "cannot think", True: "thinking", False: "not thinking"}[plan.think]
    yield f"num_ctx {plan.num_ctx:,} · replies of {plan.num_predict:,} tokens at most · {thinking}"
    yield f"Prompt: {sanitize_line(plan.prompt)}"
    of = f" of {plan.requests:,}" if result.stopped else ""
    failed = f", {found.failed:,} of them failed" if found.failed else ""
    yield f"{len(result.runs):,}{of} requests{failed}"
    if result.stopped:
        yield f"Not complete: {result.stopped}"


def _one(found: Figures) -> Table:
    def row(name: str, values: Summary | None, form: str, *recipe: str) -> tuple[str, ...]:
        figures_ = (_text(value, form) for value in (values.mean, values.p50, values.p95)) if values else ()
        return (name, *(figures_ or (_UNKNOWN,) * 3), *(recipe or ("",)))

    recipe = f"{RECIPE_TTFT} s, P95 {RECIPE_TTFT_P95} s"
    rows = (
        row("first token (TTFT)", found.ttft, "s", recipe),
        row("whole reply", found.elapsed, "s"),
        row("tokens/s, by the server", found.served_rate, ""),
        row("tokens/s, as received", found.received_rate, ""),
        row("tokens in a reply", found.eval_count, "n"),
    )
    return Table("One conversation", ("", "mean", "P50", "P95", "recipe"), rows if found.elapsed else ())


def _cold(found: Figures) -> Table:
    run = found.cold
    if run is None:
        return Table("", (), ())
    rows = (
        ("first token (TTFT)", _text(run.ttft, "s")),
        ("of it loading, by the server", _text(run.load_duration, "s")),
        ("whole reply", _text(run.elapsed, "s")),
    )
    return Table("Cold run, the model not in memory", ("", "once"), rows)


def _memory(result: Result) -> Table:
    peak = result.peak
    rows = [("context, tokens", f"{peak.context_length or result.plan.num_ctx:,}", _RECIPE_CONTEXT)]
    if peak.model is not None:
        spilt = "" if not peak.whole or peak.whole <= peak.model else f" of {byte_text(peak.whole)}"
        rows.append(("the model's buffers on the GPU", f"{byte_text(peak.model)}{spilt}", ""))
    if peak.used is not None:
        total = f" of {peak.total / _GIB:.1f} GiB" if peak.total else ""
        rows.append(("the card, all programs", f"{peak.used / _GIB:.1f}{total or ' GiB'}", ""))
    return Table("Memory at its peak", ("", "most", "recipe"), tuple(rows))


def _lengths(found: Figures) -> Table:
    means = [at.ttft.mean if at.ttft else 0.0 for at in found.at_length]
    rows = tuple(
        (
            f"{at.target:,} tokens",
            _text(at.tokens, "n"),
            _text(at.prompt_rate.mean if at.prompt_rate else None, "n"),
            _text(at.ttft.mean if at.ttft else None, "s"),
            bar,
        )
        for at, bar in zip(found.at_length, bars(means, _BAR), strict=True)
    )
    return Table("Prompt evaluation", ("asked for", "evaluated", "tokens/s", "first token", ""), rows)


def _at_once(found: Figures) -> Table:
    rows = tuple(
        (
            str(at.target),
            _text(at.ttft, "s"),
            _text(at.last_ttft, "s"),
            _text(at.each, ""),
            _text(at.together, ""),
            _UNKNOWN if at.served is None else str(at.served),
            str(at.failed),
            "stable" if at.target == _RECIPE_AT_ONCE else "",
        )
        for at in found.at_once
    )
    headings = ("", "first token", "last one's", "tok/s each", "together", "served", "failed", "recipe")
    return Table("Conversations at once", headings, rows)


def _notes(result: Result, found: Figures) -> Iterator[str]:
    yield from result.notes
    if found.ttft:
        yield "Times run from the moment of sending, as seen here, the way there included."
        yield (
            "Each run is a new conversation with the same prompt, which the server has in its cache from the "
            "run before; under Prompt evaluation no prompt is."
        )
        if found.ttft.count < _FEW_RUNS:
            yield f"P95 of {found.ttft.count:,} runs is not much more than the slowest of them."
    cut = sum(run.reason == "length" for run in result.of(Step.WARM))
    if cut:
        yield f"{cut:,} replies were cut at their longest length."
    if found.jump:
        yield (
            f"From {found.jump[0]:,} to {found.jump[1]:,} tokens the first token gets later faster than "
            "before: a prompt token costs half as much again, or more."
        )
    yield from _queue_notes(found)
    for error in dict.fromkeys(run.error for run in result.failed):
        count = sum(run.error == error for run in result.failed)
        yield f"{count:,} failed: {error}"


def _queue_notes(found: Figures) -> Iterator[str]:
    queued = [at for at in found.at_once if at.served is not None and at.served < at.target]
    if queued:
        most = max(at.served or 0 for at in queued)
        yield (
            f"The server wrote {most} at a time and let the others wait: for more it needs as many slots "
            "(Ollama: OLLAMA_NUM_PARALLEL), and memory for their contexts."
        )


def spread(result: Result) -> str:
    """The first tokens of all plain runs in one line, "" where there are too few to see anything."""
    moments = [run.ttft for run in result.of(Step.WARM) if run.ttft is not None]
    if len(moments) < _FEW_RUNS:
        return ""
    least, most = _text(min(moments), "s"), _text(max(moments), "s")
    return f"first token  {least} {sparkline(moments, _BINS)} {most}"


def comparison_report(compared: Comparison) -> Report:
    """What a comparison says."""
    rows = tuple(
        (
            figure.name,
            _text(figure.before, figure.unit),
            _text(figure.after, figure.unit),
            *_change(figure.change, better_if_less=figure.unit == "s"),
        )
        for figure in compared.figures
    )
    headings = ("median", "before", "after", "change", "")
    around, asked = (
        tuple(
            (name, *(sanitize_line(value, _VALUE) or _UNKNOWN for value in values)) for name, *values in rows_
        )
        for rows_ in (compared.around, compared.asked)
    )
    sure = (
        f"A change is told from the noise with {CONFIDENCE:.0%} confidence; behind it the range that holds "
        "it. It is the middle of all pairs of runs, and need not be the ratio of the medians."
    )
    notes = [sure]
    if asked:
        notes.insert(0, "These were different tests, so their figures say nothing about the machine.")
    if not around:
        notes.append("Server, driver and model are the same in both, as far as they are known.")
    tables = (
        Table("Different tests", ("", "before", "after"), asked),
        Table("What is different", ("", "before", "after"), around),
        Table("Figures", headings, rows),
    )
    return Report(
        f"{compared.before} and {compared.after}", (), tuple(t for t in tables if t.rows), tuple(notes)
    )


def _change(change: Change | None, *, better_if_less: bool) -> tuple[str, str]:
    if change is None:
        return _UNKNOWN, ""
    shown = _percent(change.ratio)
    if change.low is None or change.high is None:
        return shown, Verdict.UNKNOWN
    span = f"{_percent(change.low)} to {_percent(change.high)}"
    if change.verdict is Verdict.SAME:
        return shown, f"{Verdict.SAME} ({span})"
    word = "better" if (change.ratio < 1) is better_if_less else "worse"
    return shown, f"{word} ({span})"


def _percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.1f} %"


def _text(value: float | None, form: str) -> str:
    """A figure: seconds with "s", a count with "n", a rate without."""
    if value is None:
        return _UNKNOWN
    if form == "n":
        return f"{value:,.0f}"
    if form == "s":
        return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.1f} ms"  # noqa: PLR2004 - readable from here
    return f"{value:,.1f}"


def listing(results: Sequence[Result]) -> Table:
    """The kept results, a row each."""
    rows = []
    for result in results:
        found = figures(result)
        around = result.surroundings
        rows.append(
            (
                result.id,
                short_name(result.plan.model),
                f"{around.version}{f', driver {around.driver}' if around.driver else ''}",
                f"{found.ttft.count if found.ttft else 0:,}",
                _text(found.ttft.p50 if found.ttft else None, "s"),
                _text(found.served_rate.p50 if found.served_rate else None, ""),
                "stopped" if result.stopped else "",
            )
        )
    return Table("", ("ID", "MODEL", "SERVER", "RUNS", "TTFT P50", "TOK/S", ""), tuple(rows), texts=3)
