from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwentui.backends.retry import RetryPolicy
from qwentui.chat.errors import (
    AccessDenied,
    BackendError,
    ConnectFailed,
    ContextExceeded,
    ModelNotFound,
    NotAModelServer,
    OutOfMemory,
    ReplyCut,
    RequestRefused,
    ServerBusy,
    ServerFailed,
    TlsFailed,
)

HEALING: list[BackendError] = [
    ConnectFailed("x"),
    *(ServerFailed("x", status=status) for status in (500, 502, 503, 504)),
    ServerBusy("x", status=503),
    ReplyCut("x"),
]
LASTING: list[BackendError] = [
    TlsFailed("x"),
    NotAModelServer("x"),
    OutOfMemory("x", status=500),
    ServerFailed("x", status=501),
    RequestRefused("x", status=400),
    RequestRefused("x", status=429),
    AccessDenied("x", status=401),
    ModelNotFound("x", status=404),
    ContextExceeded("x", status=400),
]


def none() -> float:
    return 0.0


@pytest.mark.parametrize("error", HEALING, ids=repr)
def test_what_may_heal_is_tried_twice_more(error: BackendError) -> None:
    delays = RetryPolicy().delays(none)
    pause = 2.0 if isinstance(error, ServerBusy) else 0.5
    assert [delays.after(error) for _ in range(3)] == [pause, pause, None]
    assert delays.retry == 2


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_what_lasts_is_told_at_once(error: BackendError) -> None:
    assert RetryPolicy().delays(none).after(error) is None


def test_different_failures_share_one_count() -> None:
    delays = RetryPolicy(attempts=1).delays(none)
    assert delays.after(ConnectFailed("x")) == 0.5
    assert delays.after(ServerFailed("x", status=500)) is None


def test_no_attempts_means_no_retry() -> None:
    assert RetryPolicy(attempts=0).delays(none).after(ConnectFailed("x")) is None


@pytest.mark.parametrize(("asked", "pause"), [(0.0, 2.0), (7.0, 7.0), (3600.0, 30.0)])
def test_retry_after_is_honoured_within_bounds(asked: float, pause: float) -> None:
    error = ServerBusy("x", status=503, retry_after=asked)
    assert RetryPolicy().delays(none).after(error) == pause


def test_jitter_adds_its_share() -> None:
    delays = RetryPolicy(delay=1.0, jitter=0.5).delays(lambda: 0.5)
    assert delays.after(ConnectFailed("x")) == 1.25


def test_new_text_begins_the_count_anew_but_not_for_ever() -> None:
    delays = RetryPolicy(attempts=1, breaks=3).delays(none)
    for _ in range(3):
        assert delays.after(ReplyCut("x")) == 0.5
        assert delays.after(ReplyCut("x")) is None
        delays.progressed()
    assert delays.after(ReplyCut("x")) is None
    assert delays.after(ServerFailed("x", status=500)) == 0.5


@settings(deadline=None)
@given(
    delay=st.floats(0, 10),
    wait=st.floats(0, 600),
    pause=st.floats(0, 60),
    jitter=st.floats(0, 1),
    chance=st.floats(0, 1),
)
def test_looks_for_a_server_grow_and_end_when_the_wait_does(
    delay: float, wait: float, pause: float, jitter: float, chance: float
) -> None:
    policy = RetryPolicy(delay=delay, restart_wait=wait, restart_pause=pause, jitter=jitter)
    looks = list(policy.looks(lambda: chance))
    assert sum(length for length, _ in looks) == pytest.approx(wait)
    assert all(length > 0 for length, _ in looks)
    if looks:
        assert looks[-1][1] == pytest.approx(0, abs=1e-6)


def test_looks_grow_to_the_longest_pause() -> None:
    policy = RetryPolicy(delay=0.5, restart_wait=10, restart_pause=3)
    assert [pause for pause, _ in policy.looks(none)] == [0.5, 1, 2, 3, 3, 0.5]
