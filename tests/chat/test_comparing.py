"""Two replies beside each other: their difference, and what was unequal about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.comparing import Apart, apart, load_wait, was_cached
from qwentui.chat.conversation import Reply
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import FinishReason
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.tui import phrases


def reply(
    content: str, ttft: float | None, server: ServerUsage, reason: FinishReason = FinishReason.STOP
) -> Reply:
    return Reply(Message(Role.ASSISTANT, content), reason, "m", Usage(ttft=ttft, server=server))


FAST = ServerUsage(prompt_eval_count=585, prompt_eval_duration=0.02, eval_count=100, eval_duration=2.0)
SLOW = ServerUsage(
    prompt_eval_count=492, prompt_eval_duration=2.76, eval_count=50, eval_duration=2.0, load_duration=1.64
)


def test_the_difference_is_the_second_less_the_first() -> None:
    first, second = reply("四个汉字", 5.0, SLOW), reply("six chars", 0.5, FAST)
    assert apart(first, second) == Apart(50, -4.5, 25.0, 5)
    assert phrases.difference(first, second) == "+50 tok · ttft -4.50 s · +25.0 tok/s · +5 characters"


def test_what_one_of_them_does_not_tell_is_not_said() -> None:
    first, second = reply("a", None, ServerUsage()), reply("ab", 0.5, FAST)
    assert apart(first, second) == Apart(None, None, None, 1)
    assert phrases.difference(first, second) == "+1 character"


def test_a_prompt_from_the_cache_and_a_load_are_told() -> None:
    first, second = reply("a", 5.0, SLOW), reply("b", 0.5, FAST, FinishReason.CANCELLED)
    assert load_wait(first) == 1.64
    assert load_wait(second) is None
    told = phrases.unequal({"A": first, "B": second})
    assert [sentence.split()[0] for sentence in told] == ["A", "B's", "B's"]
    assert "cache" in told[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Recorded of Ollama 0.32: a prompt again, which was in the cache as a whole; and one after another's.
        ((585, 0.020861), (585, 0.173323)),
        ((369, 0.023788), (492, 2.759091)),
    ],
)
def test_what_a_server_had_in_its_cache_is_noticed(one: tuple[int, float], other: tuple[int, float]) -> None:
    assert was_cached(ServerUsage(*one), ServerUsage(*other))
    assert not was_cached(ServerUsage(*other), ServerUsage(*one))


@given(st.integers(1, 40_000), st.integers(1, 40_000), st.floats(0.0, 1.0), st.floats(1e-5, 1e-2))
def test_two_prompts_without_any_cache_are_never_taken_for_cached(
    one: int, other: int, fixed: float, each: float
) -> None:
    """Whatever a server needs for a request and for each token."""
    both = [ServerUsage(count, fixed + count * each) for count in (one, other)]
    assert not was_cached(both[0], both[1])


def test_numbers_that_are_missing_or_absurd_prove_nothing() -> None:
    full = ServerUsage(100, 1.0)
    for odd in (ServerUsage(), ServerUsage(0, 0.0), ServerUsage(100, None), ServerUsage(None, 1.0)):
        assert not was_cached(odd, full)
        assert not was_cached(full, odd)
