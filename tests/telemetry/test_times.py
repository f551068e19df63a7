"""The arithmetic of the gauges: what the parts of a wait are, how fast tokens come, why a reply was slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.stream import (
    Finished,
    FinishReason,
    Phase,
    PhaseChanged,
    RequestSent,
    TextDelta,
    ThinkingDelta,
)
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.telemetry.meter import Meter
from qwentui.telemetry.rate import Rate
from qwentui.telemetry.slowness import Circumstances, slowness


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_wait_is_told_in_parts() -> None:
    clock = Clock()
    meter = Meter(clock)
    server = ServerUsage(load_duration=0.5, prompt_eval_duration=0.75, eval_count=10, eval_duration=2.0)
    for seconds, event in (
        (0.0, PhaseChanged(Phase.CONNECTING)),
        (0.25, RequestSent()),
        (1.75, ThinkingDelta("hm")),
        (1.0, TextDelta("a")),
        (0.5, Finished(FinishReason.STOP, server)),
    ):
        clock.now += seconds
        meter.feed(event)
    usage = meter.usage()
    assert (usage.ttft, usage.elapsed, usage.thinking_duration) == (2.0, 3.5, 1.0)
    parts = usage.parts
    assert parts is not None
    assert (parts.connect, parts.load, parts.prompt_eval, parts.rest) == (0.25, 0.5, 0.75, 0.5)


SECONDS = st.none() | st.floats(0, 1000)


@given(ttft=st.floats(0, 1000), connect=SECONDS, load=SECONDS, evaluation=SECONDS)
def test_parts_are_never_more_than_the_whole(
    ttft: float, connect: float | None, load: float | None, evaluation: float | None
) -> None:
    server = ServerUsage(load_duration=load, prompt_eval_duration=evaluation)
    parts = Usage(ttft, server=server, connect=connect).parts
    assert parts is not None
    known = [part for part in (parts.connect, parts.load, parts.prompt_eval, parts.rest) if part is not None]
    assert all(part >= 0 for part in known)
    assert sum(known) == pytest.approx(ttft, abs=1e-9)
    assert (parts.load is None) is (load is None)


def test_without_a_first_token_there_are_no_parts() -> None:
    assert Usage(connect=1.0).parts is None


def test_a_rate_is_that_of_the_last_second() -> None:
    clock = Clock()
    rate = Rate(clock)
    assert rate.per_second() is None
    for _ in range(100):
        clock.now += 0.02
        rate.heard()
    assert rate.per_second() == pytest.approx(50)
    clock.now += 0.5
    assert rate.per_second() == pytest.approx(50)
    clock.now += 0.6
    assert rate.per_second() is None


def test_a_rate_is_told_before_a_second_is_full() -> None:
    clock = Clock()
    rate = Rate(clock)
    rate.heard()
    clock.now += 0.1
    rate.heard()
    assert rate.per_second() == pytest.approx(10)


def slow(
    around: Circumstances | None = None, *, ttft: float = 12.0, count: int = 50, **server: float
) -> str | None:
    usage = Usage(ttft, server=ServerUsage(**server), connect=0.01)  # type: ignore[arg-type]
    return slowness(usage, count, 1.7, 2.4, around or Circumstances())


@pytest.mark.parametrize(
    ("around", "server", "cause"),
    [
        (Circumstances(), {"load_duration": 10.0}, "had to be loaded (10.0 s)"),
        (Circumstances(was_loaded=True), {"load_duration": 10.0}, "another num_ctx"),
        (Circumstances(spilled=0.12), {"prompt_eval_duration": 9.0}, "12% of the model runs on the CPU"),
        (Circumstances(), {"prompt_eval_duration": 1.0}, "another client may hold the GPU"),
        (Circumstances(), {"prompt_eval_duration": 9.0}, "evaluated anew"),
    ],
)
def test_a_slow_reply_says_what_it_was(around: Circumstances, server: dict[str, float], cause: str) -> None:
    told = slow(around, **server)
    assert told is not None
    assert told.startswith("The first token took 12.0 s, where 1.7 s are usual: ")
    assert cause in told


def test_what_is_usual_is_not_told_of() -> None:
    assert slow(ttft=4.0) is None
    assert slow(count=4) is None
    assert slowness(Usage(), 50, 1.7, 2.4, Circumstances()) is None
    assert slowness(Usage(0.5), 50, 0.01, 0.02, Circumstances()) is None
