"""The graphics card: there, driven, and free enough.

Drivers: https://docs.ollama.com/gpu names 550 as the oldest one, 570 for cards of compute capability 6.2 and
below; releases of 555 broke CUDA in containers (ollama/ollama#4563), and after a suspend the driver may leave
Ollama on the CPU until its UVM module is loaded anew (the same page).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qwentui.chat.memory_fit import MIB
from qwentui.doctor.finding import broken, good, unknown, warning
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.doctor.finding import Finding
    from qwentui.telemetry.vram import Card, Cards

_OLDEST_DRIVER = 550
_TROUBLED_DRIVERS = {
    555: N_("driver {driver}, CUDA {cuda}: CUDA fails to start in containers"),
}
_HOT = 87  # degrees Celsius; an A10 slows itself down from 88
_FULL = 0.97


def check_cards(cards: Cards, *, local: bool) -> Iterator[Finding]:
    """What NVML tells of this machine.

    Args:
        cards: A sample.
        local: Whether the server that is talked to is on this machine.
    """
    if not cards.cards:
        yield from _check_absence(cards, local)
        return
    yield _check_driver(cards)
    for card in cards.cards:
        yield from _check_card(card)


def _check_absence(cards: Cards, local: bool) -> Iterator[Finding]:
    why = cards.trouble or _("No NVIDIA card is here.")
    if local:
        remedy = _("Without a card the model runs on the CPU, at a tenth of the speed.")
        yield warning(N_("gpu"), why, remedy)
    else:
        away = _("{why} The server is another machine: run `qwentui doctor` there to see its card.")
        yield unknown(N_("gpu"), away.format(why=why))


def _check_driver(cards: Cards) -> Finding:
    major = re.match(r"\d+", cards.driver)
    number = int(major[0]) if major else None
    versions = {"driver": cards.driver or _("unknown"), "cuda": cards.cuda or _("unknown")}
    seen = _("driver {driver}, CUDA {cuda}").format_map(versions)
    if number is None:
        return unknown(N_("driver"), seen)
    if number < _OLDEST_DRIVER:
        remedy = _("Ollama asks for {version} or newer; update it.").format(version=_OLDEST_DRIVER)
        return warning(N_("driver"), seen, remedy)
    if number in _TROUBLED_DRIVERS:
        trouble = _(_TROUBLED_DRIVERS[number]).format_map(versions)
        return warning(N_("driver"), trouble, _("Update it, or go back to 550."))
    return good(N_("driver"), seen)


def _check_card(card: Card) -> Iterator[Finding]:
    name = f"gpu {card.index}"
    if card.trouble:
        yield broken(
            name, f"{card.name}: {card.trouble}", _("`nvidia-smi` and `dmesg | grep -i xid` tell more.")
        )
        return
    yield good(name, _described(card))
    if card.used is not None and card.total:
        yield _check_memory(card, card.used, card.total)
    if card.temperature is not None and card.temperature >= _HOT:
        remedy = _("It slows itself down: look after its air.")
        seen = _("{card} has {degrees} °C").format(card=card.name, degrees=card.temperature)
        yield warning(N_("heat"), seen, remedy)


def _described(card: Card) -> str:
    parts = [card.name]
    if card.total is not None:
        parts.append(f"{card.total / MIB:,.0f} MiB")
    if card.mig:
        parts.append(_("MIG: only a slice of the card is for the model"))
    if card.utilisation is not None:
        parts.append(_("{percent} % busy").format(percent=card.utilisation))
    return ", ".join(parts)


def _check_memory(card: Card, used: int, total: int) -> Finding:
    free = _("{free:,.0f} of {total:,.0f} MiB free").format(free=(total - used) / MIB, total=total / MIB)
    holders = ", ".join(
        f"{process.name or process.pid} {process.used / MIB:,.0f} MiB"
        for process in sorted(card.processes, key=lambda process: -(process.used or 0))
        if process.used
    )
    seen = f"{free}; {holders}" if holders else free
    strangers = [process for process in card.processes if not _serves_models(process.name)]
    if used > _FULL * total:
        remedy = _("It is full: the next load of a model would go to the CPU in part.")
        return warning(N_("vram"), seen, remedy)
    if strangers and any((process.used or 0) > 1024 * MIB for process in strangers):
        names = ", ".join(process.name or str(process.pid) for process in strangers)
        remedy = _("Programs that serve no model hold memory: {names}.").format(names=names)
        return warning(N_("vram"), seen, remedy)
    return good(N_("vram"), seen)


def _serves_models(name: str) -> bool:
    return bool(re.search(r"ollama|llama|vllm", name, re.IGNORECASE))
