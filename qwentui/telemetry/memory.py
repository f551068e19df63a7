"""What the VRAM gauge tells: the card where it can be seen from here, else the model's share of some card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from qwentui.language import _
from qwentui.telemetry.vram import spilled

if TYPE_CHECKING:
    from qwentui.telemetry.vram import Cards


@dataclass(frozen=True, slots=True)
class ModelMemory:
    """What the server tells of the model in its memory (`/api/ps`), bytes; None is not told.

    `is_loaded` is None where the server tells nothing of the kind, or cannot be reached.
    """

    is_loaded: bool | None = None
    size: int | None = None
    size_vram: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """One line's worth of VRAM.

    Attributes:
        source: Whose numbers these are: all that is on the cards, or one model's buffers.
        used: Bytes, None where not known.
        total: Bytes.
        cards: How many cards the sums go over.
        is_mig: Whether one of them is an instance of a card.
        word: What is to be said beside the numbers or in their place, "" for nothing.
        is_broken: Whether `word` tells of something broken.
        spilled: The share of the model that runs on the CPU; None where not known.
    """

    source: Literal["card", "model"]
    used: int | None = None
    total: int | None = None
    cards: int = 1
    is_mig: bool = False
    word: str = ""
    is_broken: bool = False
    spilled: float | None = None


def memory(
    cards: Cards | None, model: ModelMemory, total: int | None, *, is_local: bool | None
) -> Memory | None:
    """What is known of the memory; None where nothing is.

    Args:
        cards: The last sample of this machine's cards; None before the first.
        model: What the server tells of its model.
        total: The user's word for how much a card elsewhere has, in bytes.
        is_local: Whether the server is on this machine; None where there is none.
    """
    if cards is not None and cards.cards and is_local:
        return _of_cards(cards, model)
    share = spilled(model.size, model.size_vram)
    # A tunnel looks like this machine: without a card here, what the model holds is on another one.
    if model.is_loaded and (model.size_vram or not is_local):
        return None if model.size_vram is None else Memory("model", model.size_vram, total, spilled=share)
    if is_local and cards is not None:
        return Memory("card", word=_("no GPU"), spilled=share)
    return None if model.is_loaded is None else Memory("model", word=_("not loaded"))


def _of_cards(cards: Cards, model: ModelMemory) -> Memory:
    seen = [card for card in cards.cards if card.used is not None and card.total is not None]
    troubled = next((card for card in cards.cards if card.trouble), None)
    word = "" if model.is_loaded is not False else _("not loaded")
    if troubled is not None:
        word = _("! lost") if troubled.is_lost else _("! unreadable")
    elif not seen:
        word = _("unknown")
    return Memory(
        "card",
        sum(card.used or 0 for card in seen) if seen else None,
        sum(card.total or 0 for card in seen) if seen else None,
        cards=len(cards.cards),
        is_mig=any(card.mig for card in cards.cards),
        word=word,
        is_broken=troubled is not None,
        spilled=spilled(model.size, model.size_vram),
    )


def remaining(expires_at: str, now: datetime | None = None) -> float | None:
    """Seconds until the server unloads the model; None where `expires_at` (RFC 3339) is not one.

    Below zero the moment is over, as it is while a reply runs: the server counts anew at its end.
    """
    try:
        moment = datetime.fromisoformat(expires_at)
        return (moment - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
