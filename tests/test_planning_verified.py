"""What a server counts itself decides what is sent; the counter's estimate only proposes it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.context import TrimPolicy
from qwentui.chat.conversation import Conversation, Reply
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import FinishReason
from qwentui.counting.count import Count
from qwentui.counting.counter import PromptCounter
from qwentui.planning import Plan, Planner

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIM = TrimPolicy(budget=300, num_ctx=512, reply_room=100)
Server = dict[str, float]
"""How many of the server's tokens one estimated token of a message's text is, by the text."""


def _tokens(server: Server, messages: Sequence[Message]) -> int:
    """What the server counts: each message by its own factor, so that no one factor makes up for all."""
    return sum(
        round(PromptCounter().count([message], think=False).tokens * server.get(message.content, 1.0))
        for message in messages
    )


class Asked:
    """Answers as the server would, for the first `times`, and remembers the plans."""

    def __init__(self, server: Server, *, times: int = 100) -> None:
        self.plans: list[Plan] = []
        self._server = server
        self._times = times

    async def __call__(self, plan: Plan) -> int | None:
        assert plan.messages, "a prompt without messages cannot be counted"
        self.plans.append(plan)
        return _tokens(self._server, plan.messages) if len(self.plans) <= self._times else None


def _verified(planner: Planner, talk: Conversation, asked: Asked) -> tuple[Plan, Plan]:
    plan = planner.plan(talk, think=False)
    return plan, asyncio.run(planner.verified(plan, talk, think=False, count=asked))


def _talk(*texts: str, system: str = "") -> Conversation:
    talk = Conversation(system)
    for text in texts[:-1]:
        answer = Message(Role.ASSISTANT, text.replace("q", "a"))
        talk = talk.asked(text).answered(Reply(answer, FinishReason.STOP))
    return talk.asked(texts[-1])


def _even(talk: Conversation, factor: float) -> Server:
    return {message.content: factor for message in talk.messages()}


@st.composite
def talks(draw: st.DrawFn) -> tuple[Conversation, Server]:
    """A talk of up to thirty rounds, some pinned, and the factors of a server, 0.5 to 2."""
    lengths = draw(st.lists(st.integers(0, 400), min_size=1, max_size=30))
    texts = [f"q{number} " + "word " * (length // 5) for number, length in enumerate(lengths)]
    talk = _talk(*texts, system=draw(st.sampled_from(["", "Answer briefly. " * 5])))
    for turn in draw(st.sets(st.integers(0, len(texts) - 1), max_size=2)):
        talk = talk.pin(turn, pinned=True)
    factor = st.floats(0.5, 2.0)
    return talk, {message.content: draw(factor) for message in talk.messages()}


@given(talks(), st.integers(10, 500))
def test_nothing_over_the_limit_by_the_servers_number_is_sent(
    case: tuple[Conversation, Server], budget: int
) -> None:
    talk, server = case
    planner = Planner(replace(TRIM, budget=budget), PromptCounter())
    asked = Asked(server)
    _, plan = _verified(planner, talk, asked)
    assert 1 <= len(asked.plans) <= 4
    assert plan.count == Count(plan.fit.tokens, exact=True)
    assert plan.fit.limit == planner.policy.limit
    pinned = [turn for turn in talk.turns[:-1] if turn.pinned]
    if plan.fit.too_long:
        kept = [Message(Role.SYSTEM, talk.system)] if talk.system else []
        kept += [
            message
            for turn in pinned
            for message in (turn.user, turn.reply and turn.reply.message)
            if message
        ]
        assert plan.messages == ()
        assert plan.fit.tokens == _tokens(server, [*kept, talk.turns[-1].user]) > planner.policy.limit
        return
    assert plan.fit.tokens == _tokens(server, plan.messages) <= planner.policy.limit
    assert plan.messages[-1] == talk.turns[-1].user
    assert (plan.messages[0].role is Role.SYSTEM) == bool(talk.system)
    assert all(turn.user in plan.messages for turn in pinned)
    sent = {turn for turn in range(len(talk.turns)) if talk.turns[turn].user in plan.messages}
    assert sent.isdisjoint(plan.left_out)
    assert len(sent) + len(plan.left_out) == len(talk.turns)
    assert plan.messages == tuple(list(talk.messages())[place] for place in plan.fit.sent)


@given(talks(), st.integers(0, 3))
def test_a_server_that_stops_counting_leaves_a_plan_that_it_did_not_find_too_long(
    case: tuple[Conversation, Server], times: int
) -> None:
    talk, server = case
    asked = Asked(server, times=times)
    before, plan = _verified(Planner(TRIM, PromptCounter()), talk, asked)
    if times == 0:
        assert plan is before
    elif not plan.count.exact:
        assert len(asked.plans) == times + 1
        assert all(len(plan.messages) < len(over.messages) for over in asked.plans[:-1])
    assert plan.fit.too_long == (not plan.messages)


def test_the_counter_learns_what_the_server_said() -> None:
    talk = _talk("q " * 300)
    planner = Planner(TRIM, PromptCounter())
    before, plan = _verified(planner, talk, Asked(_even(talk, 1.6)))
    assert plan.messages == before.messages
    assert not before.count.exact
    assert planner.plan(talk, think=False).count == Count(plan.count.tokens, exact=False)


def test_an_even_error_takes_one_more_question() -> None:
    talk = _talk(*(f"q{number} " + "word " * 20 for number in range(12)))
    asked = Asked(_even(talk, 1.5))
    before, plan = _verified(Planner(TRIM, PromptCounter()), talk, asked)
    assert len(asked.plans) == 2
    assert plan.left_out > before.left_out
    assert plan.border == len(plan.left_out)


def test_a_text_that_only_the_estimate_finds_too_long_is_sent() -> None:
    talk = _talk(*("q", "q2", "word " * 260))
    before, plan = _verified(Planner(TRIM, PromptCounter()), talk, Asked(_even(talk, 0.6)))
    assert before.fit.too_long
    assert plan.messages == (talk.turns[-1].user,)
    assert plan.count.tokens <= 300
    plan.check()


def test_a_counter_that_cannot_follow_the_server_still_comes_to_an_end() -> None:
    # Twelve times as many tokens: more than the counter lets itself be calibrated by.
    talk = _talk(*(f"q{number} " + "word " * 4 for number in range(40)))
    asked = Asked(_even(talk, 12.0))
    _, plan = _verified(Planner(TRIM, PromptCounter()), talk, asked)
    assert plan.count.tokens <= 300
    assert [len(one.messages) for one in asked.plans] == sorted(
        {len(one.messages) for one in asked.plans}, reverse=True
    )
    assert plan.messages[-1] == talk.turns[-1].user


def test_what_the_server_finds_too_long_is_refused_by_its_number() -> None:
    talk = _talk("q", "word " * 200)
    asked = Asked(_even(talk, 2.0))
    before, plan = _verified(Planner(TRIM, PromptCounter()), talk, asked)
    assert not before.fit.too_long
    assert plan.fit.too_long
    assert plan.fit.tokens == plan.count.tokens == _tokens(_even(talk, 2.0), [talk.turns[-1].user])
