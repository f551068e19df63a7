"""The card on which a model is to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qwentui.chat.memory_fit import A10
from qwentui.language import _

if TYPE_CHECKING:
    from qwentui.launch import Launch

_GIB = 1 << 30


class CardToFit(NamedTuple):
    """Its bytes, and how a sentence calls it."""

    total: int
    name: str


def card_to_fit(launch: Launch, vram: float | None) -> CardToFit:
    """The card that the user tells of, in GiB; else this machine's, if the server is here; else an A10.

    The driver is asked, which takes some milliseconds: not for an event loop.
    """
    if vram is not None:
        return CardToFit(round(vram * _GIB), _("The GPU"))
    from qwentui.telemetry.nvml import NvmlProbe
    from qwentui.telemetry.vram import is_local

    if is_local(launch.endpoint().host):
        probe = NvmlProbe()
        cards = [card for card in probe.sample().cards if card.total]
        probe.close()
        if cards:
            card = max(cards, key=lambda card: card.total or 0)
            return CardToFit(card.total or 0, card.name)
    return CardToFit(A10, _("An A10"))
