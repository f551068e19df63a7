"""The gauges in full: each with its course, what it means, where it comes from and how old it is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from qwentui.language import _
from qwentui.telemetry.history import MOMENTS
from qwentui.telemetry.vram import SPILL_REMEDY, others, spilled
from qwentui.tui.transcript.wrap import wrapped
from qwentui.tui.widgets.gauge_forms import GIB
from qwentui.tui.widgets.gauge_plot import plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.chat.context import ContextWindow
    from qwentui.store.statistics import Typical
    from qwentui.telemetry.history import History, PastReply
    from qwentui.telemetry.memory import Memory, ModelMemory
    from qwentui.telemetry.vram import Card, Cards
from qwentui.tui.widgets.gauge_forms import Readings

_ROOM_FOR_END = 44
_SHOWN_REPLIES = 12
_SHOWN_HOLDERS = 4


@dataclass(frozen=True, slots=True)
class Sight:
    """All that the gauges know at one moment.

    Attributes:
        readings: What the line of gauges tells.
        window: The context, None while there is no model.
        cards: The last sample of this machine's cards, None where they do not matter.
        model: What the server tells of its model.
        asked: When it told that, seconds of the monotonic clock; None if it does not.
        usual: What is usual for the model.
        history: The last minutes.
        name: The model's name, "" for none.
    """

    readings: Readings
    window: ContextWindow | None
    cards: Cards | None
    model: ModelMemory
    asked: float | None
    usual: Typical | None
    history: History
    name: str


def report(sight: Sight, width: int) -> Text:
    """The panel's text, with plots and the table made for `width` cells."""
    text = Text.assemble((_("Gauges, the last five minutes") + "\n\n", "bold"))
    _memory(text, sight, width)
    _ttft(text, sight, width)
    _speed(text, sight, width)
    _context(text, sight, width)
    _unload(text, sight, width)
    _replies(text, [reply for reply in sight.history.replies if reply.model == sight.name], width)
    text.append(_("esc closes"), "dim")
    return text


def _gauge(text: Text, name: str, value: str, rows: Sequence[str], meaning: str) -> None:
    text.append(f"{name}  ", "bold")
    text.append(f"{value}\n")
    for row in rows:
        text.append(f"{row}\n")
    text.append(f"{meaning}\n\n", "dim")


def _course(values: Sequence[float | None], width: int, top: float) -> list[str]:
    """The plot of a value that was looked at every second; as wide as five minutes, whatever is there."""
    if all(value is None for value in values):
        return []
    missing = MOMENTS - len(values)
    return plot([*[None] * missing, *values], width, top)


def _age(moment: float | None) -> str:
    if moment is None:
        return _("never")
    return _("{seconds:.0f} s ago").format(seconds=max(0.0, time.monotonic() - moment))


def _memory(text: Text, sight: Sight, width: int) -> None:
    memory = sight.readings.memory
    if memory is None:
        _gauge(
            text,
            "VRAM",
            _("not known"),
            (),
            wrapped(_("Neither the server nor this machine tells it."), width),
        )
        return
    values = [moment.vram for moment in sight.history.moments]
    known = [value for value in values if value is not None]
    top = float(memory.total or max(known, default=0.0))
    if memory.source == "card":
        sampled = None if sight.cards is None else sight.cards.at
        meaning = _("All that is on the card, other programs too; by NVIDIA's driver (NVML), {age}.")
        meaning = meaning.format(age=_age(sampled))
        if sight.cards is not None and sight.cards.trouble:
            meaning = sight.cards.trouble
    else:
        meaning = _("The model's buffers on the GPU, not all that is there; by /api/ps, {age}.")
        meaning = meaning.format(age=_age(sight.asked))
    value = " · ".join(part for part in (_amount(memory), memory.word) if part)
    _gauge(text, "VRAM", value, _course(values, width, top), wrapped(meaning, width))
    text.right_crop(1)
    cards = sight.cards.cards if sight.cards is not None else ()
    for card in cards:
        text.append(f"{wrapped(_card(card), width)}\n", "dim")
        # On which of several cards the model lies, the server does not tell.
        holders = _holders(card, sight.model.size_vram if len(cards) == 1 else None)
        if holders:
            text.append(f"{wrapped(holders, width)}\n", "dim")
    if sight.model.size:
        text.append(f"{wrapped(_model(sight), width)}\n", "dim")
    text.append("\n")


def _amount(memory: Memory) -> str:
    if memory.used is None:
        return ""
    told = _("{used:.1f} of {total:.1f} GiB") if memory.total else "{used:.1f} GiB"
    return told.format(used=memory.used / GIB, total=(memory.total or 0) / GIB)


def _card(card: Card) -> str:
    parts = [f"{card.index}: {card.name}"]
    if card.trouble:
        return f"{parts[0]}. {card.trouble}"
    if card.used is not None and card.total is not None:
        parts.append(f"{card.used / GIB:.1f}/{card.total / GIB:.1f} GiB")
    if card.utilisation is not None:
        parts.append(_("{percent} % busy").format(percent=card.utilisation))
    if card.temperature is not None:
        parts.append(f"{card.temperature} °C")
    if card.power is not None:
        parts.append(f"{card.power:.0f} W")
    return " · ".join(parts)


def _holders(card: Card, model: int | None) -> str:
    """Who holds a card's memory, and how much of it is not the model's, which takes `model` bytes there."""
    held = sorted((process for process in card.processes if process.used), key=lambda one: -(one.used or 0))
    parts = [f"{one.name or one.pid} {(one.used or 0) / GIB:.1f} GiB" for one in held[:_SHOWN_HOLDERS]]
    told = [_("Held by {holders}.").format(holders=", ".join(parts))] if parts else []
    beside = others(card, model)
    if beside is not None:
        told.append(_("{size:.1f} GiB are not the model's buffers.").format(size=beside / GIB))
    return " ".join(told)


def _model(sight: Sight) -> str:
    size, on_gpu = sight.model.size or 0, sight.model.size_vram
    told = _("The model takes {size:.1f} GiB; by /api/ps, {age}.")
    if on_gpu is not None:
        told = _("The model takes {size:.1f} GiB, {on_gpu:.1f} of them on the GPU; by /api/ps, {age}.")
    told = told.format(size=size / GIB, on_gpu=(on_gpu or 0) / GIB, age=_age(sight.asked))
    share = spilled(size, on_gpu)
    if not share:
        return told
    slow = _("{share:.0%} runs on the CPU, which is slow.").format(share=share)
    return f"{told} {slow} {_(SPILL_REMEDY)}"


def _ttft(text: Text, sight: Sight, width: int) -> None:
    readings, usual = sight.readings, sight.usual
    value = _("none yet") if readings.ttft is None else f"{readings.ttft:.2f} s"
    if readings.is_waiting:
        value = _("{seconds}, still waiting").format(seconds=value)
    if usual is not None and usual.ttft_p50 is not None and usual.ttft_p95 is not None:
        told = _("usual {p50:.2f} s, P95 {p95:.2f} s over {count} replies")
        value += " · " + told.format(p50=usual.ttft_p50, p95=usual.ttft_p95, count=usual.count)
    times = [reply.usage.ttft for reply in sight.history.replies if reply.model == sight.name]
    known = [seconds for seconds in times if seconds is not None]
    rows = plot(times, width, max(known)) if known else []
    meaning = _("From Enter to the first token, thinking too; by this program's clock. A column is a reply.")
    _gauge(text, "TTFT", value, rows, wrapped(meaning, width))


def _speed(text: Text, sight: Sight, width: int) -> None:
    readings = sight.readings
    if readings.speed is None:
        value = _("none yet")
    else:
        value = _("{rate:.1f} tok/s now") if readings.is_live else _("{rate:.1f} tok/s")
        value = value.format(rate=readings.speed)
    values = [moment.speed for moment in sight.history.moments]
    top = max((speed for speed in values if speed is not None), default=0.0)
    meaning = _(
        "While a reply comes, the tokens of the last second, by this program's clock; after it,"
        " eval_count / eval_duration, by the server."
    )
    _gauge(text, _("Speed"), value, _course(values, width, top), wrapped(meaning, width))


def _context(text: Text, sight: Sight, width: int) -> None:
    window = sight.window
    if window is None:
        _gauge(text, _("Context"), _("not known"), (), wrapped(_("There is no model yet."), width))
        return
    count = f"{'=' if window.exact else '~'}{window.used:,}"
    value = _("{count} of {limit:,} tokens, num_ctx {num_ctx:,}")
    value = value.format(count=count, limit=window.limit, num_ctx=window.num_ctx)
    values = [moment.context for moment in sight.history.moments]
    meaning = _("The next prompt with your draft, counted as you type: exactly (=).")
    if not window.exact:
        meaning = _(
            "The next prompt with your draft, counted as you type: about (~), for the vocabulary of the model"
            " is not at hand."
        )
    if window.mismatch:
        meaning += f" {window.mismatch}"
    _gauge(text, _("Context"), value, _course(values, width, float(window.num_ctx)), wrapped(meaning, width))


def _unload(text: Text, sight: Sight, width: int) -> None:
    left = sight.readings.unload
    if sight.readings.is_in_use:
        value = _("in use; it is counted anew when the reply ends")
    elif left is None or left <= 0:
        value = _("not known") if sight.model.is_loaded is not False else _("the model is not loaded")
    elif left > 365 * 24 * 3600:
        value = _("kept for good")
    else:
        minutes, seconds = divmod(int(left), 60)
        value = _("unloads in {minutes} min {seconds:02} s").format(minutes=minutes, seconds=seconds)
    meaning = _(
        "When the server lets the model go; by expires_at of /api/ps, {age}, against this machine's clock."
    )
    _gauge(text, _("Keep-alive"), value, (), wrapped(meaning.format(age=_age(sight.asked)), width))


def _replies(text: Text, replies: Sequence[PastReply], width: int) -> None:
    if not replies:
        return
    text.append(_("The last replies, the newest first; the parts of TTFT in seconds") + "\n", "bold")
    text.append(_("  ttft  conn  load prompt  rest  tok/s   tok  end") + "\n", "dim")
    for reply in list(replies)[: -_SHOWN_REPLIES - 1 : -1]:
        usage, parts = reply.usage, reply.usage.parts
        seconds = (
            usage.ttft,
            None if parts is None else parts.connect,
            None if parts is None else parts.load,
            None if parts is None else parts.prompt_eval,
            None if parts is None else parts.rest,
        )
        cells = [_number(value, 2) for value in seconds]
        cells[3] = f" {cells[3]}"
        rate, count = usage.server.tokens_per_second, usage.server.eval_count
        end = reply.end[: max(4, width - _ROOM_FOR_END)]
        text.append(f"{''.join(cells)} {_number(rate, 1)}{_number(count, 0)}  {end}\n")
    told = _(
        "conn: until the request was out. load: until the model was there, by the server. prompt: its"
        " evaluation, by the server. rest: queue, template, the way of the first token."
    )
    text.append(f"{wrapped(told, width)}\n\n", "dim")


def _number(value: float | None, digits: int) -> str:
    return f"{'-':>6}" if value is None else f"{value:6.{digits}f}"
