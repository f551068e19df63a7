"""Every way in which a reply can break, at every place: what the user saw, what the store holds, what was sent.

One cell is one fault at one place, struck once, twice or for ever, by a model whose template leaves a turn open
or closes it, with or without a restart of the server.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from script import Fault, Model, Reply, failure
from scripted_server import ScriptedServer
from soak import soak

from qwentui.backends.address import Endpoint
from qwentui.backends.ollama import OllamaBackend
from qwentui.backends.retry import RetryPolicy
from qwentui.chat.context import TrimPolicy
from qwentui.chat.conversation import Conversation
from qwentui.chat.errors import BackendError, CannotContinue, ConnectFailed, QwentuiError
from qwentui.chat.joining import sent_back
from qwentui.chat.stream import (
    AwaitingServer,
    Finished,
    FinishReason,
    Restoring,
    Retrying,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
)
from qwentui.counting.counter import PromptCounter
from qwentui.planning import Planner
from qwentui.recording import Recorder
from qwentui.session import ChatOptions, ChatSession
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore
from qwentui.store.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from qwentui.session import Replying
    from qwentui.store.records import LoadedSession

CONTENT = (
    "The ",
    "code:\n\n",
    "```py\n",
    "def f():\n",
    "    ",
    "return '好",
    "👩\u200d💻'\n",
    "```\n",
    "Done",
    ".",
)
THINKING = ("Let ", "me ", "think.")
TEXT = "".join(CONTENT)

PLACES = {"before the first token": 0, "after the first": 4, "in the fence": 8, "at the last": 13}
"""Tokens that came before the fault; the first three are thinking."""

BREAKS = (Fault.ERROR, Fault.CUT, Fault.RESET, Fault.END)
FAULTS = (*BREAKS, Fault.SILENCE)

CELLS = [
    (fault, place, times)
    for fault in FAULTS
    for place in PLACES
    for times in (1, 2)
    # Silence before the headers is no fault: the model may be loading, and Escape ends the wait.
    if fault is not Fault.SILENCE or (PLACES[place] > 0 and (place, times) != ("at the last", 2))
]


@asynccontextmanager
async def chatting(
    server: ScriptedServer,
    path: Path,
    *,
    policy: RetryPolicy | None = None,
    trimming: TrimPolicy | None = None,
) -> AsyncIterator[ChatSession]:
    """A session on a real store, with a backend that soon notices silence."""
    backend = OllamaBackend(Endpoint(server.url), silence=0.05)
    writer = StoreWriter(path)
    try:
        await writer.open()
        yield ChatSession(
            backend,
            await backend.details("qwen3:latest"),
            ChatOptions(),
            policy=policy or RetryPolicy(delay=0.0, busy_delay=0.0),
            planner=Planner(trimming or TrimPolicy(), PromptCounter()),
            conversation=Conversation(),
            recorder=Recorder(writer),
        )
    finally:
        await backend.aclose()
        writer.close()


async def heard(reply: Replying) -> tuple[list[StreamEvent], QwentuiError | None]:
    """The events of a reply, and the error that ended it."""
    events: list[StreamEvent] = []
    try:
        async with reply as stream:
            async for event in stream:
                events.append(event)  # noqa: PERF401 - those before an error count too
    except QwentuiError as error:
        return events, error
    return events, None


def text_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def kept(path: Path, session: ChatSession) -> LoadedSession:
    """What another program finds on the disk."""
    assert session.recorder is not None
    assert session.recorder.session is not None
    database = Database.read_only(path)
    try:
        return SessionStore(database).load(session.recorder.session)
    finally:
        database.close()


def partials(server: ScriptedServer) -> list[str | None]:
    """What each request for a reply gave the model to go on with."""
    found: list[str | None] = []
    for request in server.requests:
        if request.path == "/api/chat" and not request.json.get("_debug_render_only"):
            last = request.json["messages"][-1]
            found.append(last["content"] if last["role"] == "assistant" else None)
    return found


def check_store(path: Path, session: ChatSession, reason: FinishReason) -> None:
    """The store holds what the session does, whatever happened."""
    here, there = session.conversation, kept(path, session)
    assert there.conversation.turns == here.turns
    reply = here.turns[-1].reply
    assert reply is not None
    assert reply.finish_reason is reason
    known = there.turns[-1].reply
    assert known is not None
    assert known.finished
    if known.parts:
        assert [part.start for part in known.parts[1:]] == [part.end for part in known.parts[:-1]]
        assert known.parts[-1].end == len(reply.message.content)


@pytest.mark.parametrize(("fault", "place", "times"), CELLS)
async def test_a_reply_that_breaks_is_taken_up_where_it_stopped(
    tmp_path: Path, fault: Fault, place: str, times: int
) -> None:
    whole = Reply(CONTENT, THINKING)
    first = replace(whole, fault=fault, fault_at=PLACES[place])
    # The second break strikes at the first token of what was to follow.
    script = [first, replace(whole, fault=fault, fault_at=1)][:times]
    async with ScriptedServer(*script, whole) as server, chatting(server, tmp_path / "s.db") as session:
        events, error = await heard(session.reply("hello"))
        assert error is None
        assert text_of(events) == TEXT
        check_store(tmp_path / "s.db", session, FinishReason.STOP)
        sent = partials(server)
        reply = session.conversation.turns[-1].reply
    assert reply is not None
    assert reply.message.content == TEXT
    assert reply.message.thinking.endswith("".join(THINKING))
    assert len(sent) == times + 1
    assert all(partial is None or TEXT.startswith(partial) for partial in sent)
    notices = [event for event in events if isinstance(event, Restoring | Retrying)]
    assert len(notices) == times
    assert isinstance(notices[0], Retrying if PLACES[place] == 0 else Restoring)
    assert sum(isinstance(event, Finished) for event in events) == 1


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", BREAKS)
async def test_what_breaks_for_ever_ends_with_all_that_came(tmp_path: Path, fault: Fault, place: str) -> None:
    script = Reply(CONTENT, THINKING, fault=fault, fault_at=PLACES[place])
    async with ScriptedServer(script) as server, chatting(server, tmp_path / "s.db") as session:
        events, error = await heard(session.reply("hello"))
        assert isinstance(error, BackendError)
        check_store(tmp_path / "s.db", session, FinishReason.ERROR)
        assert text_of(events) == ("" if PLACES[place] == 0 else TEXT)
        # Two tries without a new token, after the last one that brought some.
        assert sum(isinstance(event, Restoring | Retrying) for event in events) >= 2


@pytest.mark.parametrize("num_ctx", [600, 200])
async def test_a_partial_reply_may_take_the_room_of_the_reply_but_no_more(
    tmp_path: Path, num_ctx: int
) -> None:
    """A prompt has at most 100 tokens here, and the reply breaks behind more than 200."""
    words = tuple(f"word{number} " for number in range(120))
    script = (Reply(words, fault=Fault.CUT, fault_at=110), Reply(words))
    trimming = TrimPolicy(budget=100, num_ctx=num_ctx, reply_room=num_ctx - 100)
    async with (
        ScriptedServer(*script) as server,
        chatting(server, tmp_path / "sessions.db", trimming=trimming) as session,
    ):
        events, error = await heard(session.reply("count"))
        if num_ctx == 600:
            assert error is None
            assert text_of(events) == "".join(words)
            assert partials(server) == [None, sent_back("".join(words[:110]))]
        else:
            assert isinstance(error, CannotContinue)
            assert "The context is full" in error.message
            check_store(tmp_path / "sessions.db", session, FinishReason.ERROR)
        reply = session.conversation.turns[-1].reply
        assert reply is not None
        assert reply.message.content.startswith("".join(words[:110]))


@pytest.mark.parametrize("fault", FAULTS)
async def test_where_the_turn_is_closed_what_came_is_kept(tmp_path: Path, fault: Fault) -> None:
    script = (Reply(CONTENT, THINKING, fault=fault, fault_at=8), Reply(("new",)))
    models = (Model(leaves_open=False),)
    async with (
        ScriptedServer(*script, models=models) as server,
        chatting(server, tmp_path / "s.db") as session,
    ):
        events, error = await heard(session.reply("hello"))
        assert isinstance(error, CannotContinue)
        assert text_of(events) == "".join(CONTENT[:5])
        check_store(tmp_path / "s.db", session, FinishReason.ERROR)
        assert partials(server) == [None]
        events, error = await heard(session.go_on())
        assert isinstance(error, CannotContinue)
        assert events == []
        check_store(tmp_path / "s.db", session, FinishReason.ERROR)
        await heard(session.regenerate(0))
        check_store(tmp_path / "s.db", session, FinishReason.STOP)


@pytest.mark.parametrize("fault", FAULTS)
async def test_where_only_thinking_came_the_reply_begins_again_behind_it(
    tmp_path: Path, fault: Fault
) -> None:
    whole = Reply(CONTENT, THINKING)
    script = (replace(whole, fault=fault, fault_at=2), whole)
    async with ScriptedServer(*script) as server, chatting(server, tmp_path / "s.db") as session:
        events, error = await heard(session.reply("hello"))
        assert error is None
        check_store(tmp_path / "s.db", session, FinishReason.STOP)
        assert partials(server) == [None, None]
        reply = session.conversation.turns[-1].reply
    assert reply is not None
    assert reply.message.content == TEXT
    assert reply.message.thinking == "Let me \n\nLet me think."
    assert [event.anew for event in events if isinstance(event, Restoring)] == [True]


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_failures_before_the_first_token_are_tried_twice_more(
    tmp_path: Path, status: int, times: int
) -> None:
    script = [failure(status, "CUDA error")] * times
    async with (
        ScriptedServer(*script, Reply(CONTENT)) as server,
        chatting(server, tmp_path / "s.db") as session,
    ):
        events, error = await heard(session.reply("hello"))
        assert (error is None) is (times < 3)
        check_store(tmp_path / "s.db", session, FinishReason.STOP if error is None else FinishReason.ERROR)
        assert text_of(events) == (TEXT if error is None else "")
        assert sum(isinstance(event, Retrying) for event in events) == min(times, 2)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_failure_while_a_reply_is_taken_up_is_tried_again_too(tmp_path: Path, status: int) -> None:
    whole = Reply(CONTENT)
    script = (replace(whole, fault=Fault.ERROR, fault_at=5), failure(status, "CUDA error"), whole)
    async with ScriptedServer(*script) as server, chatting(server, tmp_path / "s.db") as session:
        events, error = await heard(session.reply("hello"))
        assert error is None
        assert text_of(events) == TEXT
        check_store(tmp_path / "s.db", session, FinishReason.STOP)


@pytest.mark.parametrize(("place", "times"), [(1, 1), (4, 1), (8, 1), (13, 1), (1, 2), (4, 2), (8, 2)])
async def test_a_server_that_restarts_is_waited_for(tmp_path: Path, place: int, times: int) -> None:
    whole = Reply(CONTENT, THINKING)
    places = [place, 1][:times]
    script = [replace(whole, holds=(at,)) for at in places]
    policy = RetryPolicy(delay=0.01, restart_wait=10.0, restart_pause=0.01)
    async with (
        ScriptedServer(*script, whole) as server,
        chatting(server, tmp_path / "s.db", policy=policy) as session,
    ):
        missed = asyncio.Event()
        events: list[StreamEvent] = []

        async def listen() -> None:
            async with session.reply("hello") as stream:
                async for event in stream:
                    events.append(event)
                    if isinstance(event, AwaitingServer):
                        missed.set()

        listening = asyncio.create_task(listen())
        for at in places:
            await server.until(lambda s, at=at: s.holding == at)
            await server.stop()
            server.holding = None
            missed.clear()
            await missed.wait()
            await server.start()
        await listening
        assert text_of(events) == TEXT
        check_store(tmp_path / "s.db", session, FinishReason.STOP)


async def test_a_server_that_stays_away_is_given_up(tmp_path: Path) -> None:
    policy = RetryPolicy(delay=0.0, restart_wait=0.05)
    script = Reply(CONTENT, holds=(4,))
    async with (
        ScriptedServer(script) as server,
        chatting(server, tmp_path / "s.db", policy=policy) as session,
    ):
        listening = asyncio.create_task(heard(session.reply("hello")))
        await server.until(lambda s: s.holding == 4)
        await server.stop()
        events, error = await listening
        assert isinstance(error, ConnectFailed)
        assert any(isinstance(event, AwaitingServer) for event in events)
        check_store(tmp_path / "s.db", session, FinishReason.ERROR)
        assert text_of(events) == "".join(CONTENT[:4])


@pytest.mark.parametrize("count", range(len(TEXT) + 1))
async def test_a_reply_may_break_between_any_two_characters(tmp_path: Path, count: int) -> None:
    whole = Reply(tuple(TEXT))
    script = (replace(whole, fault=Fault.CUT, fault_at=count), whole)
    async with ScriptedServer(*script) as server, chatting(server, tmp_path / "s.db") as session:
        events, error = await heard(session.reply("hello"))
        assert error is None
        assert text_of(events) == TEXT
        assert partials(server)[1] == (sent_back(TEXT[:count]) or None)


async def test_counts_and_times_add_up_over_the_parts(tmp_path: Path) -> None:
    whole = Reply(CONTENT, THINKING)
    script = (replace(whole, fault=Fault.CUT, fault_at=8), whole)
    async with ScriptedServer(*script) as server, chatting(server, tmp_path / "s.db") as session:
        events, _ = await heard(session.reply("hello"))
        first = next(event for event in events if isinstance(event, ThinkingDelta | TextDelta))
        assert isinstance(first, ThinkingDelta)
        reply = session.conversation.turns[-1].reply
        assert reply is not None
        # The blanks that were not sent back, of two tokens, came again.
        assert reply.usage.server.eval_count == len(CONTENT) + len(THINKING) + 2
        known = kept(tmp_path / "s.db", session).turns[-1].reply
        assert known is not None
        assert [part.source.split(" ", 1)[-1].partition(":")[0] for part in known.parts] == [
            "asked",
            "continued",
        ]
        # What is left for the reply shrinks by what has come.
        requests = [r.json["options"]["num_predict"] for r in server.requests if r.path == "/api/chat"]
        assert requests[-1] == requests[0] - 8
        assert server.last("/api/chat").json["think"] is False


async def test_a_reply_that_was_stopped_goes_on(tmp_path: Path) -> None:
    whole = Reply(CONTENT, THINKING)
    script = (replace(whole, holds=(8,)), whole)
    async with ScriptedServer(*script) as server, chatting(server, tmp_path / "s.db") as session:
        begun = asyncio.Event()

        async def listen() -> None:
            async with session.reply("hello") as stream:
                async for event in stream:
                    if isinstance(event, TextDelta):
                        begun.set()

        listening = asyncio.create_task(listen())
        await begun.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        check_store(tmp_path / "s.db", session, FinishReason.CANCELLED)
        before = session.conversation.turns[-1].reply
        assert before is not None
        events, error = await heard(session.go_on())
        assert error is None
        assert before.message.content + text_of(events) == TEXT
        check_store(tmp_path / "s.db", session, FinishReason.STOP)
        after = session.conversation.turns[-1].reply
        assert after is not None
        assert after.usage.ttft == before.usage.ttft
        assert after.message.thinking == "".join(THINKING)


async def test_an_edited_partial_reply_goes_on_beside_the_old_one(tmp_path: Path) -> None:
    cut = Reply(("one ", "two"), done_reason="length")
    script = (cut, Reply(("eins ", "zwei ", "drei")))
    async with ScriptedServer(*script) as server, chatting(server, tmp_path / "s.db") as session:
        await heard(session.reply("hello"))
        check_store(tmp_path / "s.db", session, FinishReason.LENGTH)
        _, error = await heard(session.go_on(content="eins zwei"))
        assert error is None
        check_store(tmp_path / "s.db", session, FinishReason.STOP)
        reply = session.conversation.turns[-1].reply
        assert reply is not None
        assert reply.message.content == "eins zwei drei"
        assert session.recorder is not None
        known = session.recorder.turns[-1].reply
        assert known is not None
        assert len(known.versions) == 2
        await session.show_version(known.versions[0])
        old = session.conversation.turns[-1].reply
        assert old is not None
        assert old.message.content == "one two"


async def test_a_whole_reply_is_not_gone_on_with(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(CONTENT)) as server, chatting(server, tmp_path / "s.db") as session:
        _, error = await heard(session.go_on())
        assert isinstance(error, CannotContinue)
        await heard(session.reply("hello"))
        _, error = await heard(session.go_on())
        assert isinstance(error, CannotContinue)
        assert server.count("/api/chat") == 1


async def test_what_will_not_heal_ends_the_reply_with_its_own_sentence(tmp_path: Path) -> None:
    script = (Reply(CONTENT, fault=Fault.CUT, fault_at=4), failure(404, "model 'qwen3:latest' not found"))
    async with ScriptedServer(*script) as server, chatting(server, tmp_path / "s.db") as session:
        events, error = await heard(session.reply("hello"))
        assert isinstance(error, BackendError)
        assert "ollama pull" in error.hint
        assert text_of(events) == "".join(CONTENT[:4])
        check_store(tmp_path / "s.db", session, FinishReason.ERROR)


async def test_many_replies_with_a_fault_in_every_fifth_are_all_right(tmp_path: Path) -> None:
    found = await soak(tmp_path / "s.db", replies=100, seed=7)
    assert found.wrong == ()
    assert found.mended >= 20
    assert (found.tasks, found.sockets) == (0, 0)
