from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from qwentui.telemetry.card_sampler import CardSampler
from qwentui.telemetry.nvml import NvmlProbe
from qwentui.telemetry.vram import Card, is_local, others, spilled

if TYPE_CHECKING:
    from qwentui.telemetry.vram import Cards


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost:11434", True),
        ("LOCALHOST", True),
        ("127.0.0.1:11434", True),
        ("127.8.9.1", True),
        ("[::1]:11434", True),
        ("::1", True),
        (socket.gethostname(), True),
        (f"{socket.gethostname()}:80", True),
        ("192.0.2.7:11434", False),
        ("a10.example:11434", False),
        ("", False),
    ],
)
def test_a_server_is_on_this_machine_or_not(host: str, local: bool) -> None:
    assert is_local(host) is local


@pytest.mark.parametrize(
    ("size", "vram", "share"),
    [(100, 100, 0.0), (100, 60, 0.4), (100, 120, 0.0), (None, 1, None), (100, None, None), (0, 0, None)],
)
def test_the_share_on_the_cpu(size: int | None, vram: int | None, share: float | None) -> None:
    assert spilled(size, vram) == share


def test_what_others_hold_is_never_less_than_nothing() -> None:
    assert others(Card(0, "x", used=10, total=20), 7) == 3
    assert others(Card(0, "x", used=10, total=20), 12) == 0
    assert others(Card(0, "x"), 7) is None
    assert others(Card(0, "x", used=10), None) is None


def test_cards_are_looked_at_only_while_somebody_looks() -> None:
    came = threading.Semaphore(0)
    samples: list[Cards] = []

    def take(cards: Cards) -> None:
        samples.append(cards)
        came.release()

    sampler = CardSampler(NvmlProbe, take, interval=0.001)
    sampler.watch()
    for _ in range(3):
        assert came.acquire(timeout=10)
    sampler.rest()
    sampler.close()
    assert samples[0].at <= samples[-1].at
