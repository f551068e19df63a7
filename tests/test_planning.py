from __future__ import annotations

import pytest
from counting.reference import VERSION, show
from script import Plain, Reply
from scripted_server import ScriptedServer

from qwentui.backends.address import Endpoint
from qwentui.backends.ollama import OllamaBackend
from qwentui.backends.retry import RetryPolicy
from qwentui.chat.context import TrimPolicy
from qwentui.chat.conversation import Conversation
from qwentui.chat.conversation import Reply as Answer
from qwentui.chat.errors import ContextExceeded, PromptTooLong
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import FinishReason, Miscounted, Retrying, StreamEvent, Trimmed
from qwentui.counting.counter import PromptCounter
from qwentui.counting.vocabulary import Vocabulary, read_table
from qwentui.planning import Planner
from qwentui.session import ChatOptions, ChatSession

TRIM = TrimPolicy(budget=300, num_ctx=512, reply_room=100)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    table = read_table(show("smollm2"))
    assert table is not None
    return Vocabulary(table)


@pytest.fixture
def counter(vocabulary: Vocabulary) -> PromptCounter:
    return PromptCounter.of_model(show("smollm2"), vocabulary, VERSION)


def _session(server: ScriptedServer, counter: PromptCounter, trim: TrimPolicy = TRIM) -> ChatSession:
    from qwentui.backends.base import ModelDetails

    return ChatSession(
        OllamaBackend(Endpoint(server.url), silence=10.0),
        ModelDetails("qwen3:latest"),
        ChatOptions(num_predict=400),
        policy=RetryPolicy(delay=0.0),
        planner=Planner(trim, counter),
        conversation=Conversation("Answer briefly."),
    )


async def _say(session: ChatSession, text: str) -> list[StreamEvent]:
    async with session.reply(text) as events:
        return [event async for event in events]


def _sent(server: ScriptedServer) -> list[Message]:
    return [Message(Role(m["role"]), m["content"]) for m in server.last("/api/chat").json["messages"]]


def _refusal(prompt: int, context: int) -> Plain:
    inner = (
        f'{{\\"error\\":{{\\"code\\":400,\\"message\\":\\"request ({prompt} tokens) exceeds the available context'
        f' size ({context} tokens), try increasing it\\",\\"type\\":\\"exceed_context_size_error\\",'
        f'\\"n_prompt_tokens\\":{prompt},\\"n_ctx\\":{context}}}}}'
    )
    return Plain(400, f'{{"error":"{inner}"}}'.encode())


async def test_two_hundred_rounds_never_go_over_the_budget_and_nothing_stored_is_lost(
    counter: PromptCounter,
) -> None:
    script = Reply(content=("An answer of some length, with a few words in it.",), prompt_eval_count=0)
    async with ScriptedServer(script) as server:
        session = _session(server, counter)
        said = [f"Question number {number}: what comes after {number}?" for number in range(200)]
        trims = 0
        for text in said:
            trims += sum(isinstance(event, Trimmed) for event in await _say(session, text))
            sent = _sent(server)
            assert counter.count(sent, think=False).tokens <= 300
            assert sent[0].content == "Answer briefly."
            assert sent[-1].content == text
        await session.backend.aclose()
    assert [turn.user.content for turn in session.conversation.turns] == said
    assert all(turn.reply and turn.reply.message.content for turn in session.conversation.turns)
    assert 0 < trims < 200


async def test_a_reply_gets_no_more_room_than_the_context_has(counter: PromptCounter) -> None:
    async with ScriptedServer(Reply(content=("ok",), prompt_eval_count=0)) as server:
        session = _session(server, counter)
        await _say(session, "hello " * 200)
        options = server.last("/api/chat").json["options"]
        await session.backend.aclose()
    used = counter.count(_sent(server), think=False).tokens
    assert options == {"num_ctx": 512, "num_predict": 512 - used}


async def test_what_cannot_fit_is_not_sent_and_leaves_no_trace(counter: PromptCounter) -> None:
    async with ScriptedServer() as server:
        session = _session(server, counter)
        with pytest.raises(PromptTooLong) as caught:
            await _say(session, "word " * 500)
        await session.backend.aclose()
        assert server.count("/api/chat") == 0
    assert "300 fit" in caught.value.message
    assert session.conversation.turns == ()


async def test_a_refusal_for_length_is_answered_once_by_a_shorter_request(counter: PromptCounter) -> None:
    script = (
        *(Reply(content=("fine. " * 20,), prompt_eval_count=0),) * 4,
        _refusal(280, 260),
        Reply(content=("ok",)),
    )
    async with ScriptedServer(*script) as server:
        session = _session(server, counter)
        for number in range(4):
            await _say(session, f"question {number}")
        before = len(session.preview("last").messages)
        events = await _say(session, "last")
        await session.backend.aclose()
        assert server.count("/api/chat") == 6
    assert not any(isinstance(event, Retrying) for event in events)
    assert len(_sent(server)) < before
    assert counter.count(_sent(server), think=False).tokens <= 160


async def test_a_second_refusal_is_final(counter: PromptCounter) -> None:
    script = (Reply(content=("fine. " * 20,), prompt_eval_count=0), _refusal(280, 260))
    async with ScriptedServer(*script) as server:
        session = _session(server, counter)
        for _ in range(1):
            await _say(session, "question")
        with pytest.raises(ContextExceeded):
            await _say(session, "last")
        await session.backend.aclose()
        assert server.count("/api/chat") <= 3


async def test_a_server_that_counts_otherwise_is_told_of_once_and_then_followed(
    counter: PromptCounter,
) -> None:
    async with ScriptedServer(Reply(content=("ok",), prompt_eval_count=40)) as server:
        session = _session(server, counter)
        assert session.preview("hello").count.exact
        first = await _say(session, "hello")
        second = await _say(session, "hello")
        await session.backend.aclose()
    [difference] = [event for event in first if isinstance(event, Miscounted)]
    assert difference.reported == 40
    assert not difference.likely_cut
    assert not any(isinstance(event, Miscounted) for event in second)
    assert not session.preview("x").count.exact


async def test_a_cut_prompt_is_caught(counter: PromptCounter) -> None:
    async with ScriptedServer(Reply(content=("ok",), prompt_eval_count=58)) as server:
        session = _session(server, counter)
        events = await _say(session, "hello " * 200)
        await session.backend.aclose()
    assert [event.likely_cut for event in events if isinstance(event, Miscounted)] == [True]


def test_a_pinned_round_stays_and_the_border_says_where_the_rest_begins(counter: PromptCounter) -> None:
    talk = Conversation("s")
    for number in range(12):
        message = Message(Role.ASSISTANT, "and so on, and so on, and so on, " * 3)
        talk = talk.asked(f"question {number}").answered(Answer(message, FinishReason.STOP))
    planner = Planner(TRIM, counter)
    plain = planner.plan(talk.asked("last"), think=False)
    pinned = planner.plan(talk.pin(1, pinned=True).asked("last"), think=False)
    assert 1 in plain.left_out
    assert 1 not in pinned.left_out
    assert plain.border == len(plain.left_out)
    assert any(message.content == "question 1" for message in pinned.messages)
    assert pinned.count.tokens <= 300


def test_nul_and_lone_surrogates_are_counted_as_they_are_sent(counter: PromptCounter) -> None:
    planner = Planner(TRIM, counter)
    same = planner.plan(Conversation().asked("a\ufffdb"), think=False).count
    from qwentui.counting.counter import sendable

    assert planner.plan(Conversation().asked(sendable("a\ud800\x00b")), think=False).count == same
