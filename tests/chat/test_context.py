"""The trimming rule: worked examples, and the invariants that hold for every conversation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.context import ContextWindow, Fit, TrimPolicy, fit
from qwentui.chat.message import Message, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSTEM = Message(Role.SYSTEM, "s" * 10)
POLICY = TrimPolicy(budget=100, num_ctx=1000, reply_room=100)


def tokens(messages: Sequence[Message]) -> int:
    return sum(len(message.content) for message in messages)


def talk(*rounds: int, system: bool = True) -> list[Message]:
    """A conversation whose rounds cost that many tokens; the last one waits for its reply."""
    messages = [SYSTEM] if system else []
    for cost in rounds[:-1]:
        messages += [Message(Role.USER, "u" * (cost // 2)), Message(Role.ASSISTANT, "a" * (cost - cost // 2))]
    return [*messages, Message(Role.USER, "u" * rounds[-1])]


def rounds_of(messages: Sequence[Message]) -> list[set[int]]:
    found: list[set[int]] = []
    for place, message in enumerate(messages):
        if message.role is Role.USER or (not found and message.role is Role.ASSISTANT):
            found.append({place})
        elif message.role is Role.ASSISTANT:
            found[-1].add(place)
    return found


def test_what_fits_is_sent_whole() -> None:
    messages = talk(20, 20, 20, 30)
    assert fit(messages, POLICY, tokens) == Fit(tuple(range(8)), (), 100, 100)


def test_the_two_oldest_rounds_leave_even_if_one_would_do() -> None:
    result = fit(talk(10, 10, 10, 10, 10, 41), POLICY, tokens)
    assert result.left_out == (1, 2, 3, 4)
    assert result.tokens == 81
    assert result.border == 5


def test_they_leave_again_until_it_fits() -> None:
    result = fit(talk(10, 10, 10, 10, 10, 10, 70), POLICY, tokens)
    assert result.left_out == tuple(range(1, 9))
    assert result.tokens == 100


def test_a_single_older_round_leaves_alone() -> None:
    assert fit(talk(30, 30, 30, 30), POLICY, tokens).left_out == (1, 2)


def test_of_the_newest_three_rounds_no_more_leave_than_must() -> None:
    assert fit(talk(10, 10, 40, 30, 40), POLICY, tokens).left_out == (1, 2, 3, 4, 5, 6)
    assert fit(talk(10, 10, 40, 60, 40), POLICY, tokens).left_out == tuple(range(1, 9))


def test_a_last_message_that_is_too_long_is_not_sent_and_the_numbers_say_so() -> None:
    result = fit(talk(10, 10, 95), POLICY, tokens)
    assert result == Fit((), (0, 1, 2, 3, 4, 5), 105, 100)
    assert result.too_long


def test_an_unfinished_reply_goes_with_its_question() -> None:
    messages = [*talk(10, 60), Message(Role.ASSISTANT, "a" * 25)]
    assert fit(messages, POLICY, tokens).sent == (0, 3, 4)


def test_a_round_with_a_pinned_message_stays_whole() -> None:
    result = fit(talk(20, 20, 20, 20, 20, 20), POLICY, tokens, pinned={2})
    assert result.sent == (0, 1, 2, 7, 8, 9, 10, 11)


def test_pinned_rounds_that_leave_no_room_are_said_to_be_too_long() -> None:
    result = fit(talk(80, 10, 20), POLICY, tokens, pinned={1})
    assert result.too_long
    assert result.tokens == 110


def test_an_empty_conversation_is_sent_as_it_is() -> None:
    assert fit([], POLICY, tokens) == Fit((), (), 0, 100)
    assert fit([SYSTEM], POLICY, tokens).sent == (0,)


def test_a_long_conversation_is_never_counted_far_beyond_the_budget() -> None:
    asked: list[int] = []

    def counted(messages: Sequence[Message]) -> int:
        asked.append(tokens(messages))
        return asked[-1]

    result = fit(talk(*[10] * 2000), POLICY, counted)
    assert result.tokens == 100 - 10
    assert max(asked) <= 3 * POLICY.limit
    assert len(asked) < 12


def test_the_limit_leaves_room_for_the_reply() -> None:
    assert TrimPolicy().limit == 7500
    assert TrimPolicy(num_ctx=4096, reply_room=1024).limit == 3072
    assert TrimPolicy(num_ctx=100, reply_room=512).limit == 0


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (TrimPolicy(), None),
        (TrimPolicy(num_ctx=4096), "prompts end at 3,584"),
        (TrimPolicy(num_ctx=512), "leaves no room for a prompt"),
        (TrimPolicy(reply_room=0), "room for the reply must be at least 1"),
        (TrimPolicy(drop_rounds=0), "at least 1"),
        (TrimPolicy(keep_rounds=0), "at least 1"),
        (TrimPolicy(budget=0), "at least 1"),
    ],
)
def test_numbers_that_contradict_each_other_are_told_in_one_sentence(
    policy: TrimPolicy, said: str | None
) -> None:
    assert said is None if policy.contradiction is None else said is not None and said in policy.contradiction


def test_a_context_of_another_size_than_asked_for_is_explained() -> None:
    window = ContextWindow(used=100, exact=True, limit=7500, num_ctx=8192)
    assert window.mismatch is None
    assert replace(window, loaded=8192).mismatch is None
    assert "refused or cut" in (replace(window, loaded=4096).mismatch or "")
    assert "more memory" in (replace(window, loaded=32768).mismatch or "")


message = st.builds(Message, st.sampled_from(Role), st.text("x", max_size=40))
conversation = st.lists(message, max_size=30)
policy = st.builds(
    TrimPolicy,
    budget=st.integers(1, 300),
    num_ctx=st.integers(1, 300),
    reply_room=st.integers(1, 50),
    drop_rounds=st.integers(1, 4),
    keep_rounds=st.integers(1, 4),
)
pins = st.sets(st.integers(0, 29), max_size=3)


@given(conversation, policy, pins)
def test_never_over_the_limit_unless_it_says_so(
    messages: list[Message], policy: TrimPolicy, pinned: set[int]
) -> None:
    result = fit(messages, policy, tokens, pinned)
    if result.too_long:
        assert result.sent == ()
    else:
        assert result.tokens == tokens([messages[place] for place in result.sent]) <= policy.limit


@given(conversation, policy, pins)
def test_every_message_is_on_one_side_and_in_order(
    messages: list[Message], policy: TrimPolicy, pinned: set[int]
) -> None:
    result = fit(messages, policy, tokens, pinned)
    assert list(result.sent) == sorted(result.sent)
    assert list(result.left_out) == sorted(result.left_out)
    assert sorted((*result.sent, *result.left_out)) == list(range(len(messages)))


@given(conversation, policy, pins)
def test_system_prompt_pins_and_last_message_are_always_in(
    messages: list[Message], policy: TrimPolicy, pinned: set[int]
) -> None:
    result = fit(messages, policy, tokens, pinned)
    if result.sent:
        assert {i for i, message in enumerate(messages) if message.role is Role.SYSTEM} <= set(result.sent)
        assert {place for place in pinned if place < len(messages)} <= set(result.sent)
        assert len(messages) - 1 in result.sent


@given(conversation, policy, pins)
def test_rounds_are_never_split(messages: list[Message], policy: TrimPolicy, pinned: set[int]) -> None:
    sent = set(fit(messages, policy, tokens, pinned).sent)
    assert all(block <= sent or not block & sent for block in rounds_of(messages))


@given(conversation, policy)
def test_what_was_chosen_is_chosen_again(messages: list[Message], policy: TrimPolicy) -> None:
    chosen = [messages[place] for place in fit(messages, policy, tokens).sent]
    if chosen:
        assert fit(chosen, policy, tokens).left_out == ()


@given(conversation, policy, pins)
def test_the_rule_taken_step_by_step_gives_the_same(
    messages: list[Message], policy: TrimPolicy, pinned: set[int]
) -> None:
    rounds = rounds_of(messages)
    newest = rounds[-policy.keep_rounds :]
    gone: set[int] = set()

    def over() -> bool:
        return tokens([m for place, m in enumerate(messages) if place not in gone]) > policy.limit

    older = [block for block in rounds if block not in newest and not block & pinned]
    while over() and older:
        for block in older[: policy.drop_rounds]:
            gone |= block
        del older[: policy.drop_rounds]
    for block in newest[:-1]:
        if over() and not block & pinned:
            gone |= block
    result = fit(messages, policy, tokens, pinned)
    assert result.too_long == over()
    if not over():
        assert set(result.left_out) == gone
