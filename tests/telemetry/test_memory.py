"""What the VRAM gauge tells, from every mix of what the cards and the server say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from qwentui.telemetry.live_times import LiveTimes
from qwentui.telemetry.memory import Memory, ModelMemory, memory, remaining
from qwentui.telemetry.vram import Card, Cards

GIB = 1 << 30
A10 = Card(0, "NVIDIA A10", used=20 * GIB, total=22 * GIB)
NONE = Cards(0.0, trouble="No NVIDIA driver is installed on this machine.")
LOADED = ModelMemory(is_loaded=True, size=20 * GIB, size_vram=20 * GIB)
SPILLED = ModelMemory(is_loaded=True, size=20 * GIB, size_vram=15 * GIB)
UNLOADED = ModelMemory(is_loaded=False)


def _cards(*cards: Card) -> Cards:
    return Cards(0.0, cards)


@pytest.mark.parametrize(
    ("cards", "model", "total", "is_local", "expected"),
    [
        (_cards(A10), LOADED, None, True, Memory("card", 20 * GIB, 22 * GIB, spilled=0.0)),
        (_cards(A10), SPILLED, None, True, Memory("card", 20 * GIB, 22 * GIB, spilled=0.25)),
        (_cards(A10), UNLOADED, None, True, Memory("card", 20 * GIB, 22 * GIB, word="not loaded")),
        (_cards(A10), ModelMemory(), None, True, Memory("card", 20 * GIB, 22 * GIB)),
        (_cards(A10), LOADED, 24 * GIB, False, Memory("model", 20 * GIB, 24 * GIB, spilled=0.0)),
        (None, LOADED, None, False, Memory("model", 20 * GIB, spilled=0.0)),
        (None, LOADED, None, True, Memory("model", 20 * GIB, spilled=0.0)),
        (None, UNLOADED, None, False, Memory("model", word="not loaded")),
        (NONE, UNLOADED, None, True, Memory("card", word="no GPU")),
        (NONE, ModelMemory(), None, True, Memory("card", word="no GPU")),
        (NONE, ModelMemory(is_loaded=True, size=GIB, size_vram=0), None, True, Memory("card", word="no GPU", spilled=1.0)),
        # The server's card is at the other end of a tunnel.
        (NONE, LOADED, None, True, Memory("model", 20 * GIB, spilled=0.0)),
        (None, ModelMemory(), None, False, None),
        (None, ModelMemory(), None, None, None),
    ],
)  # fmt: skip
def test_what_is_known_of_the_memory(
    cards: Cards | None, model: ModelMemory, total: int | None, is_local: bool | None, expected: Memory | None
) -> None:
    assert memory(cards, model, total, is_local=is_local) == expected


def test_several_cards_are_summed_and_instances_named() -> None:
    told = memory(_cards(A10, A10), LOADED, None, is_local=True)
    assert told == Memory("card", 40 * GIB, 44 * GIB, cards=2, spilled=0.0)
    told = memory(_cards(Card(0, "A30", 4 * GIB, 6 * GIB, mig=True)), LOADED, None, is_local=True)
    assert told == Memory("card", 4 * GIB, 6 * GIB, is_mig=True, spilled=0.0)


def test_a_card_that_is_lost_or_cannot_be_read_is_said_to_be() -> None:
    lost = memory(_cards(Card(0, "GPU 0", trouble="It is gone.", is_lost=True)), LOADED, None, is_local=True)
    assert lost == Memory("card", word="! lost", is_broken=True, spilled=0.0)
    other = memory(_cards(A10, Card(1, "GPU 1", trouble="It cannot be read.")), LOADED, None, is_local=True)
    assert other == Memory(
        "card", 20 * GIB, 22 * GIB, cards=2, word="! unreadable", is_broken=True, spilled=0.0
    )
    silent = memory(_cards(Card(0, "GPU 0")), LOADED, None, is_local=True)
    assert silent == Memory("card", word="unknown", spilled=0.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-07-27T10:05:00.123456789Z", 300.123456),
        ("2026-07-27T18:05:00.000000001+08:00", 300.0),
        ("2026-07-27T09:59:58Z", -2.0),
        ("2026-07-27T10:05:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_time_until_the_model_is_unloaded(text: str, seconds: float | None) -> None:
    assert remaining(text, datetime(2026, 7, 27, 10, tzinfo=UTC)) == seconds


def test_a_model_that_is_kept_for_good_leaves_in_centuries() -> None:
    left = remaining("2318-11-05T10:00:00.123456789+08:00", datetime(2026, 7, 27, 10, tzinfo=UTC))
    assert left is not None
    assert left > 290 * 365 * 24 * 3600


def test_the_wait_runs_until_the_first_token_and_stands_then() -> None:
    now = [10.0]
    times = LiveTimes(lambda: now[0])
    now[0] = 11.5
    assert (times.is_waiting, times.wait, times.per_second) == (True, 1.5, None)
    for moment in (12.0, 12.25, 12.5):
        now[0] = moment
        times.heard()
    assert (times.is_waiting, times.wait, times.per_second) == (False, 2.0, 4.0)
