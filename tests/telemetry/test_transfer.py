from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.telemetry.transfer import Transfer, byte_text, clock_text


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_is_that_of_late() -> None:
    clock = Clock()
    transfer = Transfer(clock)
    assert (transfer.rate, transfer.remaining(1)) == (None, None)
    for second in range(20):
        clock.now = float(second)
        transfer.add(second * 1_000_000)
    for second in range(20, 40):
        clock.now = float(second)
        transfer.add(19_000_000 + (second - 19) * 100_000_000)
    assert transfer.rate == pytest.approx(100e6)
    assert transfer.remaining(4_019_000_000) == pytest.approx(20.0)
    assert transfer.line(4_019_000_000) == "2.0 of 4.0 GB · 100 MB/s · 0:20 left"


def test_what_begins_anew_has_no_rate_yet() -> None:
    clock = Clock()
    transfer = Transfer(clock)
    for clock.now, done in ((0.0, 0), (1.0, 500), (2.0, 100)):
        transfer.add(done)
    assert transfer.rate is None
    assert transfer.line(1000) == "0.1 of 1.0 kB"


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=50), st.integers(1, 10**12))
def test_no_series_of_bytes_breaks_the_line(steps: list[int], total: int) -> None:
    clock = Clock()
    transfer = Transfer(clock)
    for done in accumulate(steps):
        clock.now += 0.5
        transfer.add(done)
    assert transfer.rate is None or transfer.rate >= 0
    assert " of " in transfer.line(total)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 kB"),
        (1500, "1.5 kB"),
        (98_362_432, "98 MB"),
        (19_762_149_024, "19.8 GB"),
        (120_000_000_000, "120.0 GB"),
    ],
)
def test_bytes_in_decimal_units(count: int, text: str) -> None:
    assert byte_text(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (27.6, "0:28"), (3909, "1:05:09")])
def test_durations(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text
