from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from pictures import png
from script import Fault, Model, Plain, Reply, failure
from scripted_server import ScriptedServer

from qwentui.backends.address import Endpoint
from qwentui.backends.ollama import OllamaBackend
from qwentui.backends.retry import RetryPolicy
from qwentui.chat.context import TrimPolicy
from qwentui.chat.conversation import Conversation
from qwentui.chat.errors import BackendError, CannotContinue, CannotSee, ReplyCut, ServerFailed
from qwentui.chat.image import image_of
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import Finished, FinishReason, Phase, PhaseChanged, Retrying, StreamEvent, TextDelta
from qwentui.counting.counter import PromptCounter
from qwentui.planning import Planner
from qwentui.session import ChatOptions, ChatSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def _session(
    server: ScriptedServer,
    *,
    attempts: int = 2,
    options: ChatOptions | None = None,
    trim: TrimPolicy | None = None,
) -> AsyncIterator[ChatSession]:
    backend = OllamaBackend(Endpoint(server.url), silence=10.0)
    try:
        details = await backend.details("qwen3:latest")
        policy = RetryPolicy(attempts=attempts, delay=0.0, busy_delay=0.0)
        planner = Planner(trim or TrimPolicy(), PromptCounter())
        yield ChatSession(
            backend,
            details,
            options or ChatOptions(),
            policy=policy,
            planner=planner,
            conversation=Conversation("be brief"),
        )
    finally:
        await backend.aclose()


async def _say(session: ChatSession, text: str | Message) -> list[StreamEvent]:
    async with session.reply(text) as events:
        return [event async for event in events]


async def test_a_reply_becomes_the_conversations_last() -> None:
    async with (
        ScriptedServer(Reply(thinking=("hm",), content=("a", "b"))) as server,
        _session(server) as session,
    ):
        events = await _say(session, "hello")
        reply = session.conversation.turns[-1].reply
    assert isinstance(events[-1], Finished)
    assert reply is not None
    assert (reply.message.content, reply.message.thinking) == ("ab", "hm")
    assert reply.finish_reason is FinishReason.STOP
    assert reply.usage.server.eval_count == 3
    assert reply.usage.ttft is not None
    assert 0 <= reply.usage.ttft <= reply.usage.elapsed


async def test_what_was_said_goes_along_the_next_time() -> None:
    options = ChatOptions(num_predict=100, keep_alive="5m")
    async with ScriptedServer(Reply(content=("A",))) as server, _session(server, options=options) as session:
        await _say(session, "one")
        await _say(session, "two")
        body = server.last("/api/chat").json
    assert [(m["role"], m["content"]) for m in body["messages"]] == [
        ("system", "be brief"),
        ("user", "one"),
        ("assistant", "A"),
        ("user", "two"),
    ]
    assert body["options"] == {"num_ctx": 8192, "num_predict": 100}
    assert body["truncate"] is False
    assert "shift" not in body
    assert "think" not in body


@pytest.mark.parametrize(("can", "sent"), [(("completion", "thinking"), True), (("completion",), None)])
async def test_think_is_sent_only_to_a_model_that_can(can: tuple[str, ...], sent: bool | None) -> None:
    models = (Model(capabilities=can),)
    options = ChatOptions(think=True)
    async with ScriptedServer(models=models) as server, _session(server, options=options) as session:
        await _say(session, "hello")
        assert server.last("/api/chat").json.get("think") is sent


async def test_a_failure_before_the_first_token_is_tried_again() -> None:
    script = (failure(500, "CUDA error"), failure(503, "busy"), Reply(content=("ok",)))
    async with ScriptedServer(*script) as server, _session(server) as session:
        events = await _say(session, "hello")
        assert server.count("/api/chat") == 3
    assert [event.attempt for event in events if isinstance(event, Retrying)] == [1, 2]
    assert session.conversation.messages()[-1].content == "ok"


async def test_after_the_last_try_the_failure_is_told_and_the_question_stays() -> None:
    async with ScriptedServer(failure(500, "CUDA error")) as server, _session(server) as session:
        with pytest.raises(ServerFailed):
            await _say(session, "hello")
        assert server.count("/api/chat") == 3
    turn = session.conversation.turns[-1]
    assert turn.user.content == "hello"
    assert turn.reply is not None
    assert turn.reply.finish_reason is FinishReason.ERROR


async def test_what_will_not_heal_is_not_tried_again() -> None:
    async with ScriptedServer(failure(404, "model 'x' not found")) as server, _session(server) as session:
        with pytest.raises(BackendError):
            await _say(session, "hello")
        assert server.count("/api/chat") == 1


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET, Fault.END, Fault.ERROR])
async def test_a_broken_reply_keeps_what_came(fault: Fault) -> None:
    script = Reply(content=("one ", "two ", "three"), fault=fault, fault_at=2)
    models = (Model(leaves_open=False),)
    async with ScriptedServer(script, models=models) as server, _session(server) as session:
        with pytest.raises(CannotContinue):
            await _say(session, "hello")
    reply = session.conversation.turns[-1].reply
    assert reply is not None
    assert reply.message.content == "one two "
    assert reply.finish_reason is FinishReason.ERROR


async def test_cancelling_hangs_up_and_keeps_what_came() -> None:
    async with (
        ScriptedServer(Reply(content=("one ", "two"), holds=(1,))) as server,
        _session(server) as session,
    ):
        heard = asyncio.Event()

        async def listen() -> None:
            async with session.reply("hello") as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        heard.set()

        listening = asyncio.create_task(listen())
        await heard.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        await server.until(lambda s: s.last("/api/chat").hung_up)
    reply = session.conversation.turns[-1].reply
    assert reply is not None
    assert (reply.message.content, reply.finish_reason) == ("one ", FinishReason.CANCELLED)


async def test_leaving_the_block_early_hangs_up_too() -> None:
    async with (
        ScriptedServer(Reply(content=("one ", "two"), holds=(1,))) as server,
        _session(server) as session,
    ):
        async with session.reply("hello") as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        await server.until(lambda s: s.last("/api/chat").hung_up)
    reply = session.conversation.turns[-1].reply
    assert reply is not None
    assert reply.finish_reason is FinishReason.CANCELLED


async def test_commands_from_the_model_are_made_visible_and_counted() -> None:
    script = Reply(content=("\x1b]0;x", "\x07", "ok"), thinking=("\u202e!",))
    async with ScriptedServer(script) as server, _session(server) as session:
        events = await _say(session, "hello")
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "␛]0;x␇ok"
    reply = session.conversation.turns[-1].reply
    assert reply is not None
    assert (reply.message.thinking, reply.removed) == ("!", 3)


async def test_the_model_is_seen_loading_then_waiting() -> None:
    script = Reply(holds=(-1, 0))
    async with ScriptedServer(script) as server, _session(server) as session:
        phases: list[Phase] = []
        async with session.reply("hello") as events:
            async for event in events:
                if isinstance(event, PhaseChanged):
                    phases.append(event.phase)
                    if event.phase in {Phase.LOADING, Phase.WAITING}:
                        server.release()
    assert phases == [Phase.CONNECTING, Phase.LOADING, Phase.WAITING]


async def test_a_fresh_session_has_the_same_system_prompt_and_no_turns() -> None:
    async with ScriptedServer() as server, _session(server) as session:
        await _say(session, "hello")
        fresh = session.fresh()
    assert fresh.conversation == Conversation("be brief")
    assert len(session.conversation.turns) == 1


def test_errors_of_the_tree_read_as_sentence_and_hint() -> None:
    assert str(ReplyCut("The reply broke off.", "Try again.")) == "The reply broke off. Try again."


async def test_a_model_that_was_made_anew_is_followed() -> None:
    async with ScriptedServer() as server, _session(server) as session:
        await _say(session, "hello")
        assert await session.follow_model() is None
        server.models = (Model(digest="c2" * 32, capabilities=("completion",)),)
        changed = await session.follow_model()
        assert changed is not None
        assert session.model.digest == "c2" * 32
        assert not session.model.can_think
        assert not changed.stale
        assert await session.follow_model() is None


async def test_a_runner_that_still_holds_the_old_model_is_told_of() -> None:
    old = {"name": "qwen3:latest", "model": "qwen3:latest", "digest": "b1" * 32, "size": 1, "size_vram": 1}
    loaded = Plain(body=json.dumps({"models": [old]}).encode())
    async with ScriptedServer(at={"/api/ps": loaded}) as server, _session(server) as session:
        server.models = (Model(digest="c2" * 32),)
        changed = await session.follow_model()
        assert changed is not None
        assert changed.stale


async def test_a_model_that_cannot_see_goes_on_without_the_images_of_another() -> None:
    seeing = Model(name="vl", capabilities=("completion", "vision"))
    image = image_of(png())
    shown = Message(Role.USER, "see", images=(image,))
    models = (seeing, Model(name="qwen3:latest"))
    async with (
        ScriptedServer(Reply(content=("ok",)), models=models) as server,
        _session(server) as session,
    ):
        session.use(session.backend, await session.backend.details("vl"))
        await _say(session, shown)
        assert server.last("/api/chat").json["messages"][1]["images"] == [image.base64]
        session.use(session.backend, await session.backend.details("qwen3:latest"))
        await _say(session, "again")
        assert all("images" not in message for message in server.last("/api/chat").json["messages"])
        assert session.conversation.turns[0].user == shown
        with pytest.raises(CannotSee, match="qwen3 cannot see images"):
            await _say(session, shown)
        assert server.count("/api/chat") == 2
        assert len(session.conversation.turns) == 2


async def test_what_an_image_takes_teaches_nothing_about_text() -> None:
    models = (Model(capabilities=("completion", "vision")),)
    async with (
        ScriptedServer(Reply(content=("ok",), prompt_eval_count=900), models=models) as server,
        _session(server) as session,
    ):
        before = session.planner.counter.of_text("some words of text")
        await _say(session, Message(Role.USER, "see", images=(image_of(png()),)))
        assert session.planner.counter.of_text("some words of text") == before
