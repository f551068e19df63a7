"""How readings become one line: the fullest form that fits, from all there is to what matters most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from qwentui.language import _, pgettext

if TYPE_CHECKING:
    from qwentui.chat.context import ContextWindow
    from qwentui.telemetry.memory import Memory

Part = tuple[str, str]
"""Text and the class of its style."""

GIB = 1 << 30
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_NEARLY_FULL = 0.8
_MINUTE = 60.0
_AGES = 365 * 24 * 3600.0
"""Seconds from which on a model counts as kept for good: Ollama puts `keep_alive` -1 some 292 years ahead."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What the gauges know now; None is not known, and not shown.

    Attributes:
        memory: The VRAM.
        ttft: Seconds to the first token, or until now while `is_waiting`.
        is_waiting: Whether the first token is still to come.
        usual_ttft: The median for the model, in seconds.
        speed: Tokens a second.
        is_live: Whether `speed` is of the last second, and not the server's for the whole reply.
        unload: Seconds until the server unloads the model.
        is_in_use: Whether a reply of the model runs, so that nothing is counted down.
    """

    memory: Memory | None = None
    ttft: float | None = None
    is_waiting: bool = False
    usual_ttft: float | None = None
    speed: float | None = None
    is_live: bool = False
    unload: float | None = None
    is_in_use: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What of the readings is shown; `bar` is the width of a bar in cells."""

    bar: int = 0
    units: bool = False
    keep: bool = False
    speed: bool = False
    median: bool = False
    labels: bool = True


FORMS = (
    Form(16, units=True, keep=True, speed=True, median=True),
    Form(10, units=True, keep=True, speed=True, median=True),
    Form(6, units=True, keep=True, speed=True, median=True),
    Form(units=True, keep=True, speed=True, median=True),
    Form(keep=True, speed=True, median=True),
    Form(speed=True, median=True),
    Form(median=True),
    Form(),
    Form(labels=False),
)
"""The fullest first. Labels go last: a number without its name says less than one without its bar."""


def fitted(readings: Readings, window: ContextWindow | None, width: int) -> tuple[Part, ...]:
    """The fullest form that fits into `width` cells; the last one where none does."""
    parts: tuple[Part, ...] = ()
    for form in FORMS:
        parts = _line(readings, window, form)
        if sum(cell_len(text) for text, _ in parts) <= width:
            break
    return parts


def _line(readings: Readings, window: ContextWindow | None, form: Form) -> tuple[Part, ...]:
    gauges = (
        _memory(readings.memory, form),
        _ttft(readings, form),
        _speed(readings, form) if form.speed else [],
        _context(window, form),
        _unload(readings, form) if form.keep else [],
    )
    gap = "   " if form.units else "  "
    line: list[Part] = []
    for gauge in gauges:
        if gauge:
            line += [(gap if line else " ", "dim"), *gauge]
    return tuple(line)


def _label(name: str, form: Form) -> list[Part]:
    return [(f"{name} ", "dim")] if form.labels else []


def _memory(memory: Memory | None, form: Form) -> list[Part]:
    """VRAM ▕████████▉ ▏20.9/22.2G, and what is to be said with it."""
    if memory is None:
        return []
    parts = _label("VRAM", form)
    if memory.source == "model" and memory.used is not None and form.labels:
        parts.append((pgettext("gauge", "model") + " ", "dim"))
    if memory.used is not None and not memory.is_broken:
        parts += _amount(memory, form)
        if memory.cards > 1:
            parts.append((" " + _("{count} cards").format(count=memory.cards), "dim"))
        if memory.is_mig:
            parts.append((" MIG", "dim"))
    if memory.word:
        space = " " if memory.used is not None and not memory.is_broken else ""
        parts.append((space + memory.word, "error" if memory.is_broken else "dim"))
    if memory.spilled:
        share = max(1, round(memory.spilled * 100))
        parts.append((" ! " + _("{percent}% on CPU").format(percent=share), "error"))
    return parts


def _amount(memory: Memory, form: Form) -> list[Part]:
    used, total = (memory.used or 0) / GIB, (memory.total or 0) / GIB
    if not total:
        return [(f"{used:.1f}", "plain"), ("G" if form.units else "", "dim")]
    bar = _bar(used / total, form.bar, "bar")
    return [*bar, (f"{used:.1f}", "plain"), (f"/{total:.1f}{'G' if form.units else ''}", "dim")]


def _ttft(readings: Readings, form: Form) -> list[Part]:
    """TTFT 1.62s ~1.70; the dots while it still runs, the wave before what is usual."""
    if readings.ttft is None:
        return []
    unit = "s" if form.units else ""
    text = f"{readings.ttft:.1f}{unit}…" if readings.is_waiting else f"{readings.ttft:.2f}{unit}"
    parts = [*_label("TTFT", form), (text, "plain")]
    if form.median and readings.usual_ttft is not None:
        parts.append((f" ~{readings.usual_ttft:.2f}", "dim"))
    return parts


def _speed(readings: Readings, form: Form) -> list[Part]:
    if readings.speed is None:
        return []
    number = f"{'~' if readings.is_live else ''}{readings.speed:.0f}"
    return [(number, "plain"), (" tok/s" if form.units else " t/s", "dim")]


def _context(window: ContextWindow | None, form: Form) -> list[Part]:
    """CTX =3,412 ▕███▌    ┆▏7.5k/8.2k: exact (=) or about (~); the mark is where trimming begins."""
    if window is None:
        return []
    state = "plain"
    if window.mismatch:
        state = "error"
    elif window.used > _NEARLY_FULL * window.limit:
        state = "warning"
    parts = [*_label("CTX", form), (f"{'=' if window.exact else '~'}{window.used:,}", state)]
    if form.bar:
        mark = window.limit / window.num_ctx
        style = "bar" if state == "plain" else f"bar-{state}"
        parts += [(" ", "dim"), *_bar(window.used / window.num_ctx, form.bar, style, mark)]
    else:
        parts.append(("/", "dim"))
    sizes = [window.limit, window.num_ctx] if form.units else [window.limit]
    parts.append(("/".join(_thousands(size) for size in sizes), "dim"))
    if window.loaded is not None and window.loaded != window.num_ctx:
        parts.append((" ! " + _("{tokens} loaded").format(tokens=_thousands(window.loaded)), "error"))
    return parts


def _unload(readings: Readings, form: Form) -> list[Part]:
    """How long the model stays in memory: minutes, then seconds."""
    if readings.is_in_use:
        return [(_("in use"), "dim")]
    left = readings.unload
    if left is None or left <= 0:
        return []
    if left > _AGES:
        return [(_("kept"), "dim")]
    number, unit = (left / _MINUTE, _("min")) if left > _MINUTE else (left, _("s"))
    shown = f" {unit}" if form.units else unit[0]
    return [(pgettext("gauge", "unload") + " ", "dim"), (f"{number:.0f}", "plain"), (shown, "dim")]


def _bar(share: float, width: int, style: str, mark: float | None = None) -> list[Part]:
    """A bar of `width` cells between its ends, in eighths of a cell; nothing where there is no width."""
    if not width:
        return []
    eighths = max(0, min(width * 8, round(share * width * 8)))
    cells = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    cells += " " * (width - len(cells))
    place = width if mark is None else min(width - 1, int(mark * width))
    if cells[place : place + 1] == " ":
        body = [(cells[:place], style), ("┆", "dim"), (cells[place + 1 :], style)]
    else:
        body = [(cells, style)]
    return [("▕", "dim"), *body, ("▏", "dim")]


def _thousands(tokens: int) -> str:
    return f"{tokens / 1000:.1f}k" if tokens >= 1000 else str(tokens)  # noqa: PLR2004 - a thousand
