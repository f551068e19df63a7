"""The gauges in full: each with its course, what it means, where it comes from and how old it is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from qwentui.telemetry.history import MOMENTS
from qwentui.telemetry.vram import SPILL_REMEDY, others, spilled
from qwentui.tui.widgets.gauge_forms import GIB
from qwentui.tui.widgets.gauge_plot import plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.chat.context import ContextWindow
    from qwentui.store.statistics import Typical
    from qwentui.telemetry.history import History, PastReply
    from qwentui.telemetry.memory import ModelMemory
    from qwentui.telemetry.vram import Card, Cards
    from qwentui.tui.widgets.gauge_forms import Readings

_ROOM_FOR_END = 44
_SHOWN_REPLIES = 12
_SHOWN_HOLDERS = 4


@dataclass(frozen=True, slots=True)
class Sight:
    """All that the gauges know at one moment.

    Attributes:
        readings: What the last line tells.
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
    text = Text.assemble(("Gauges, the last five minutes\n\n", "bold"))
    _memory(text, sight, width)
    _ttft(text, sight, width)
    _speed(text, sight, width)
    _context(text, sight, width)
    _unload(text, sight)
    _replies(text, [reply for reply in sight.history.replies if reply.model == sight.name], width)
    text.append("esc closes", "dim")
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
    return "never" if moment is None else f"{max(0.0, time.monotonic() - moment):.0f} s ago"


def _memory(text: Text, sight: Sight, width: int) -> None:
    memory = sight.readings.memory
    if memory is None:
        _gauge(text, "VRAM", "not known", (), "Neither the server nor this machine tells it.")
        return
    of_total = f" of {memory.total / GIB:.1f}" if memory.total else ""
    amount = "" if memory.used is None else f"{memory.used / GIB:.1f}{of_total} GiB"
    values = [moment.vram for moment in sight.history.moments]
    known = [value for value in values if value is not None]
    top = float(memory.total or max(known, default=0.0))
    if memory.source == "card":
        sampled = None if sight.cards is None else sight.cards.at
        meaning = f"All that is on the card, other programs too; by NVIDIA's driver (NVML), {_age(sampled)}."
        if sight.cards is not None and sight.cards.trouble:
            meaning = sight.cards.trouble
    else:
        meaning = f"The model's buffers on the GPU, not all that is there; by /api/ps, {_age(sight.asked)}."
    value = " · ".join(part for part in (amount, memory.word) if part)
    _gauge(text, "VRAM", value, _course(values, width, top), meaning)
    text.right_crop(1)
    cards = sight.cards.cards if sight.cards is not None else ()
    for card in cards:
        text.append(f"{_card(card)}\n", "dim")
        # On which of several cards the model lies, the server does not tell.
        holders = _holders(card, sight.model.size_vram if len(cards) == 1 else None)
        if holders:
            text.append(f"{holders}\n", "dim")
    if sight.model.size:
        text.append(f"{_model(sight)}\n", "dim")
    text.append("\n")


def _card(card: Card) -> str:
    parts = [f"{card.index}: {card.name}"]
    if card.trouble:
        return f"{parts[0]}. {card.trouble}"
    if card.used is not None and card.total is not None:
        parts.append(f"{card.used / GIB:.1f}/{card.total / GIB:.1f} GiB")
    if card.utilisation is not None:
        parts.append(f"{card.utilisation} % busy")
    if card.temperature is not None:
        parts.append(f"{card.temperature} °C")
    if card.power is not None:
        parts.append(f"{card.power:.0f} W")
    return " · ".join(parts)


def _holders(card: Card, model: int | None) -> str:
    """Who holds a card's memory, and how much of it is not the model's, which takes `model` bytes there."""
    held = sorted((process for process in card.processes if process.used), key=lambda one: -(one.used or 0))
    parts = [f"{one.name or one.pid} {(one.used or 0) / GIB:.1f} GiB" for one in held[:_SHOWN_HOLDERS]]
    told = f"Held by {', '.join(parts)}. " if parts else ""
    beside = others(card, model)
    return told if beside is None else f"{told}{beside / GIB:.1f} GiB are not the model's buffers."


def _model(sight: Sight) -> str:
    size, on_gpu = sight.model.size or 0, sight.model.size_vram
    told = f"The model takes {size / GIB:.1f} GiB"
    if on_gpu is not None:
        told += f", {on_gpu / GIB:.1f} of them on the GPU"
    share = spilled(size, on_gpu)
    remedy = f" {share:.0%} runs on the CPU, which is slow. {SPILL_REMEDY}" if share else ""
    return f"{told}; by /api/ps, {_age(sight.asked)}.{remedy}"


def _ttft(text: Text, sight: Sight, width: int) -> None:
    readings, usual = sight.readings, sight.usual
    value = "none yet" if readings.ttft is None else f"{readings.ttft:.2f} s"
    if readings.is_waiting:
        value += ", still waiting"
    if usual is not None and usual.ttft_p50 is not None and usual.ttft_p95 is not None:
        value += f" · usual {usual.ttft_p50:.2f} s, P95 {usual.ttft_p95:.2f} s over {usual.count} replies"
    times = [reply.usage.ttft for reply in sight.history.replies if reply.model == sight.name]
    known = [seconds for seconds in times if seconds is not None]
    rows = plot(times, width, max(known)) if known else []
    meaning = "From Enter to the first token, thinking too; by this program's clock. A column is a reply."
    _gauge(text, "TTFT", value, rows, meaning)


def _speed(text: Text, sight: Sight, width: int) -> None:
    readings = sight.readings
    value = "none yet" if readings.speed is None else f"{readings.speed:.1f} tok/s"
    if readings.speed is not None and readings.is_live:
        value += " now"
    values = [moment.speed for moment in sight.history.moments]
    top = max((speed for speed in values if speed is not None), default=0.0)
    meaning = (
        "While a reply comes, the tokens of the last second, by this program's clock; after it,"
        " eval_count / eval_duration, by the server."
    )
    _gauge(text, "Speed", value, _course(values, width, top), meaning)


def _context(text: Text, sight: Sight, width: int) -> None:
    window = sight.window
    if window is None:
        _gauge(text, "Context", "not known", (), "There is no model yet.")
        return
    count = f"{'=' if window.exact else '~'}{window.used:,}"
    value = f"{count} of {window.limit:,} tokens, num_ctx {window.num_ctx:,}"
    values = [moment.context for moment in sight.history.moments]
    meaning = (
        "The next prompt with your draft, counted as you type:"
        f" {'exactly (=)' if window.exact else 'about (~), for the vocabulary of the model is not at hand'}."
    )
    if window.mismatch:
        meaning += f" {window.mismatch}"
    _gauge(text, "Context", value, _course(values, width, float(window.num_ctx)), meaning)


def _unload(text: Text, sight: Sight) -> None:
    left = sight.readings.unload
    if sight.readings.is_in_use:
        value = "in use; it is counted anew when the reply ends"
    elif left is None or left <= 0:
        value = "not known" if sight.model.is_loaded is not False else "the model is not loaded"
    elif left > 365 * 24 * 3600:
        value = "kept for good"
    else:
        minutes, seconds = divmod(int(left), 60)
        value = f"unloads in {minutes} min {seconds:02} s"
    source = f"expires_at of /api/ps, {_age(sight.asked)}, against this machine's clock"
    _gauge(text, "Keep-alive", value, (), f"When the server lets the model go; by {source}.")


def _replies(text: Text, replies: Sequence[PastReply], width: int) -> None:
    if not replies:
        return
    text.append("The last replies, the newest first; the parts of TTFT in seconds\n", "bold")
    text.append("  ttft  conn  load prompt  rest  tok/s   tok  end\n", "dim")
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
    text.append(
        "conn: until the request was out. load: until the model was there, by the server. prompt: its"
        " evaluation, by the server. rest: queue, template, the way of the first token.\n\n",
        "dim",
    )


def _number(value: float | None, digits: int) -> str:
    return f"{'-':>6}" if value is None else f"{value:6.{digits}f}"
