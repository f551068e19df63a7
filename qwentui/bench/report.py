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
from qwentui.language import _, ngettext, pgettext
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
        title=_("{model}, measured by qwentui bench {id}").format(
            model=short_name(result.plan.model), id=result.id
        ),
        lines=tuple(_lines(result, found)),
        tables=tuple(table for table in tables if table.rows),
        notes=tuple(_notes(result, found)),
    )


def _lines(result: Result, found: Figures) -> Iterator[str]:
    around, plan = result.surroundings, result.plan
    server = f"{around.server} {around.version}" if around.server == "Ollama" else around.version
    model = " ".join(part for part in (around.quantization, around.digest[:12]) if part)
    place = _("{server} at {host}").format(server=server, host=around.host)
    driven = _("{card}, driver {driver}").format(card=around.card, driver=around.driver or _("unknown"))
    yield " · ".join(part for part in (place, model, driven if around.card else "") if part)
    thinking = {None: _("cannot think"), True: _("thinking"), False: _("not thinking")}[plan.think]
    replies = _("replies of {count:,} tokens at most").format(count=plan.num_predict)
    yield f"num_ctx {plan.num_ctx:,} · {replies} · {thinking}"
    yield _("Prompt: {prompt}").format(prompt=sanitize_line(plan.prompt))
    yield _requests(result, found.failed)
    if result.stopped:
        yield _("Not complete: {reason}").format(reason=result.stopped)


def _requests(result: Result, failed: int) -> str:
    """How many requests were made, and what became of them."""
    count = len(result.runs)
    if result.stopped and failed:
        sentence = _("{n:,} of {planned:,} requests, {failed:,} of them failed")
    elif result.stopped:
        sentence = _("{n:,} of {planned:,} requests")
    elif failed:
        sentence = _("{n:,} requests, {failed:,} of them failed")
    else:
        sentence = ngettext("{n:,} request", "{n:,} requests", count)
    return sentence.format(n=count, planned=result.plan.requests, failed=failed)


def _one(found: Figures) -> Table:
    def row(name: str, values: Summary | None, form: str, *recipe: str) -> tuple[str, ...]:
        figures_ = (_text(value, form) for value in (values.mean, values.p50, values.p95)) if values else ()
        return (name, *(figures_ or (_UNKNOWN,) * 3), *(recipe or ("",)))

    recipe = f"{RECIPE_TTFT} s, P95 {RECIPE_TTFT_P95} s"
    rows = (
        row(_("first token (TTFT)"), found.ttft, "s", recipe),
        row(_("whole reply"), found.elapsed, "s"),
        row(_("tokens/s, by the server"), found.served_rate, ""),
        row(_("tokens/s, as received"), found.received_rate, ""),
        row(_("tokens in a reply"), found.eval_count, "n"),
    )
    headings = ("", pgettext("bench", "mean"), "P50", "P95", _("recipe"))
    return Table(_("One conversation"), headings, rows if found.elapsed else ())


def _cold(found: Figures) -> Table:
    run = found.cold
    if run is None:
        return Table("", (), ())
    rows = (
        (_("first token (TTFT)"), _text(run.ttft, "s")),
        (_("of it loading, by the server"), _text(run.load_duration, "s")),
        (_("whole reply"), _text(run.elapsed, "s")),
    )
    return Table(_("Cold run, the model not in memory"), ("", pgettext("bench", "once")), rows)


def _memory(result: Result) -> Table:
    peak = result.peak
    rows = [(_("context, tokens"), f"{peak.context_length or result.plan.num_ctx:,}", _RECIPE_CONTEXT)]
    if peak.model is not None:
        spilt = _("{held} of {all}") if peak.whole and peak.whole > peak.model else "{held}"
        held = spilt.format(held=byte_text(peak.model), all=byte_text(peak.whole or peak.model))
        rows.append((_("the model's buffers on the GPU"), held, ""))
    if peak.used is not None:
        used = _("{used:.1f} of {total:.1f} GiB") if peak.total else "{used:.1f} GiB"
        held = used.format(used=peak.used / _GIB, total=(peak.total or 0) / _GIB)
        rows.append((_("the card, all programs"), held, ""))
    return Table(_("Memory at its peak"), ("", pgettext("bench", "most"), _("recipe")), tuple(rows))


def _lengths(found: Figures) -> Table:
    means = [at.ttft.mean if at.ttft else 0.0 for at in found.at_length]
    rows = tuple(
        (
            _("{count:,} tokens").format(count=at.target),
            _text(at.tokens, "n"),
            _text(at.prompt_rate.mean if at.prompt_rate else None, "n"),
            _text(at.ttft.mean if at.ttft else None, "s"),
            bar,
        )
        for at, bar in zip(found.at_length, bars(means, _BAR), strict=True)
    )
    headings = (_("asked for"), _("evaluated"), _("tokens/s"), _("first token"), "")
    return Table(_("Prompt evaluation"), headings, rows)


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
            pgettext("bench", "stable") if at.target == _RECIPE_AT_ONCE else "",
        )
        for at in found.at_once
    )
    headings = (
        "",
        _("first token"),
        _("last one's"),
        _("tok/s each"),
        pgettext("bench", "together"),
        pgettext("bench", "served"),
        pgettext("bench", "failed"),
        _("recipe"),
    )
    return Table(_("Conversations at once"), headings, rows)


def _notes(result: Result, found: Figures) -> Iterator[str]:
    yield from result.notes
    if found.ttft:
        yield _("Times run from the moment of sending, as seen here, the way there included.")
        yield _(
            "Each run is a new conversation with the same prompt, which the server has in its cache from the "
            "run before; under Prompt evaluation no prompt is."
        )
        if found.ttft.count < _FEW_RUNS:
            few = _("P95 of {count:,} runs is not much more than the slowest of them.")
            yield few.format(count=found.ttft.count)
    cut = sum(run.reason == "length" for run in result.of(Step.WARM))
    if cut:
        yield ngettext(
            "{n:,} reply was cut at its longest length.",
            "{n:,} replies were cut at their longest length.",
            cut,
        ).format(n=cut)
    if found.jump:
        yield _(
            "From {start:,} to {end:,} tokens the first token gets later faster than before: a prompt token"
            " costs half as much again, or more."
        ).format(start=found.jump[0], end=found.jump[1])
    yield from _queue_notes(found)
    for error in dict.fromkeys(run.error for run in result.failed):
        count = sum(run.error == error for run in result.failed)
        yield _("{count:,} failed: {reason}").format(count=count, reason=error)


def _queue_notes(found: Figures) -> Iterator[str]:
    queued = [at for at in found.at_once if at.served is not None and at.served < at.target]
    if queued:
        most = max(at.served or 0 for at in queued)
        yield _(
            "The server wrote {count} at a time and let the others wait: for more it needs as many slots "
            "(Ollama: OLLAMA_NUM_PARALLEL), and memory for their contexts."
        ).format(count=most)


def spread(result: Result) -> str:
    """The first tokens of all plain runs in one line, "" where there are too few to see anything."""
    moments = [run.ttft for run in result.of(Step.WARM) if run.ttft is not None]
    if len(moments) < _FEW_RUNS:
        return ""
    least, most = _text(min(moments), "s"), _text(max(moments), "s")
    return _("first token") + f"  {least} {sparkline(moments, _BINS)} {most}"


def comparison_report(compared: Comparison) -> Report:
    """What a comparison says."""
    rows = tuple(
        (
            _(figure.name),
            _text(figure.before, figure.unit),
            _text(figure.after, figure.unit),
            *_change(figure.change, better_if_less=figure.unit == "s"),
        )
        for figure in compared.figures
    )
    headings = (_("median"), _("before"), _("after"), _("change"), "")
    around, asked = (
        tuple(
            (_(name), *(sanitize_line(value, _VALUE) or _UNKNOWN for value in values))
            for name, *values in rows_
        )
        for rows_ in (compared.around, compared.asked)
    )
    sure = _(
        "A change is told from the noise with {confidence:.0%} confidence; behind it the range that holds "
        "it. It is the middle of all pairs of runs, and need not be the ratio of the medians."
    )
    notes = [sure.format(confidence=CONFIDENCE)]
    if asked:
        notes.insert(0, _("These were different tests, so their figures say nothing about the machine."))
    if not around:
        notes.append(_("Server, driver and model are the same in both, as far as they are known."))
    tables = (
        Table(_("Different tests"), ("", _("before"), _("after")), asked),
        Table(_("What is different"), ("", _("before"), _("after")), around),
        Table(_("Figures"), headings, rows),
    )
    title = _("{before} and {after}").format(before=compared.before, after=compared.after)
    return Report(title, (), tuple(t for t in tables if t.rows), tuple(notes))


def _change(change: Change | None, *, better_if_less: bool) -> tuple[str, str]:
    if change is None:
        return _UNKNOWN, ""
    shown = _percent(change.ratio)
    if change.low is None or change.high is None:
        return shown, _(Verdict.UNKNOWN)
    span = _("{low} to {high}").format(low=_percent(change.low), high=_percent(change.high))
    if change.verdict is Verdict.SAME:
        word = _(Verdict.SAME)
    else:
        word = _("better") if (change.ratio < 1) is better_if_less else _("worse")
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
                _("{version}, driver {driver}").format(version=around.version, driver=around.driver)
                if around.driver
                else around.version,
                f"{found.ttft.count if found.ttft else 0:,}",
                _text(found.ttft.p50 if found.ttft else None, "s"),
                _text(found.served_rate.p50 if found.served_rate else None, ""),
                _("stopped") if result.stopped else "",
            )
        )
    headings = (_("ID"), _("MODEL"), _("SERVER"), _("RUNS"), "TTFT P50", _("TOK/S"), "")
    return Table("", headings, tuple(rows), texts=3)
