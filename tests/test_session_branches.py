"""A talk that forks: what is shown, what the store keeps, what is sent."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from script import Fault, Reply
from scripted_server import ScriptedServer

from qwentui.backends.address import Endpoint
from qwentui.backends.ollama import OllamaBackend
from qwentui.backends.retry import RetryPolicy
from qwentui.chat.context import TrimPolicy
from qwentui.chat.conversation import Conversation
from qwentui.chat.errors import PromptTooLong, ReplyFailed, StoreError
from qwentui.chat.stream import FinishReason
from qwentui.counting.counter import PromptCounter
from qwentui.planning import Planner
from qwentui.recording import Recorder
from qwentui.session import ChatOptions, ChatSession
from qwentui.store.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from qwentui.session import Replying


@asynccontextmanager
async def _session(server: ScriptedServer, path: Path | None) -> AsyncIterator[ChatSession]:
    backend = OllamaBackend(Endpoint(server.url), silence=10.0)
    writer = StoreWriter(path) if path is not None else None
    try:
        if writer is not None:
            await writer.open()
        yield ChatSession(
            backend,
            await backend.details("qwen3:latest"),
            ChatOptions(),
            policy=RetryPolicy(attempts=0),
            planner=Planner(TrimPolicy(), PromptCounter()),
            conversation=Conversation("be brief"),
            recorder=None if writer is None else Recorder(writer),
        )
    finally:
        await backend.aclose()
        if writer is not None:
            writer.close()


async def _drain(reply: Replying) -> None:
    async with reply as events:
        async for _ in events:
            pass


def _said(session: ChatSession) -> list[tuple[str, str | None]]:
    return [
        (turn.user.content, None if turn.reply is None else turn.reply.message.content)
        for turn in session.conversation.turns
    ]


def _known(session: ChatSession) -> Recorder:
    assert session.recorder is not None
    return session.recorder


async def test_a_revised_question_forks_the_talk_and_the_old_branch_can_be_shown(tmp_path: Path) -> None:
    script = (Reply(content=("A",)), Reply(content=("B",)), Reply(content=("C",)))
    async with ScriptedServer(*script) as server, _session(server, tmp_path / "s.db") as session:
        await _drain(session.reply("one"))
        await _drain(session.reply("two"))
        await _drain(session.revise(0, "uno"))
        sent = [message["content"] for message in server.last("/api/chat").json["messages"]]
        assert sent == ["be brief", "uno"]
        assert _said(session) == [("uno", "C")]
        question = _known(session).turns[0].user
        assert question is not None
        assert len(question.versions) == 2
        await session.show_version(question.versions[0])
        assert _said(session) == [("one", "A"), ("two", "B")]
        await _drain(session.reply("three"))
        assert _said(session) == [("one", "A"), ("two", "B"), ("three", "C")]


async def test_a_regenerated_reply_stands_beside_the_first_one(tmp_path: Path) -> None:
    script = (Reply(content=("A",)), Reply(content=("B",)))
    async with ScriptedServer(*script) as server, _session(server, tmp_path / "s.db") as session:
        await _drain(session.reply("one"))
        await _drain(session.regenerate(0))
        assert [m["content"] for m in server.last("/api/chat").json["messages"]] == ["be brief", "one"]
        assert _said(session) == [("one", "B")]
        answer = _known(session).turns[0].reply
        assert answer is not None
        assert answer.finished
        await session.show_version(answer.versions[0])
        assert _said(session) == [("one", "A")]


async def test_a_reply_keeps_with_what_it_was_asked(tmp_path: Path) -> None:
    async with ScriptedServer() as server, _session(server, tmp_path / "s.db") as session:
        await _drain(session.reply("one"))
        answer = _known(session).turns[0].reply
        assert answer is not None
        assert answer.model_digest == "b1" * 32
        assert answer.options == {"num_ctx": 8192, "num_predict": 4096}


async def test_a_deleted_round_comes_back(tmp_path: Path) -> None:
    async with (
        ScriptedServer(Reply(content=("A",))) as server,
        _session(server, tmp_path / "s.db") as session,
    ):
        await _drain(session.reply("one"))
        await _drain(session.reply("two"))
        hidden = await session.delete(0)
        assert _said(session) == [("two", "A")]
        await session.restore(hidden)
        assert _said(session) == [("one", "A"), ("two", "A")]
        hidden = await session.delete(1, reply_only=True)
        assert _said(session) == [("one", "A"), ("two", None)]
        await session.restore(hidden)
        assert _said(session) == [("one", "A"), ("two", "A")]


async def test_a_revision_that_is_too_long_changes_nothing(tmp_path: Path) -> None:
    async with (
        ScriptedServer(Reply(content=("A",))) as server,
        _session(server, tmp_path / "s.db") as session,
    ):
        await _drain(session.reply("one"))
        with pytest.raises(PromptTooLong):
            await _drain(session.revise(0, "word " * 20_000))
        assert _said(session) == [("one", "A")]
        assert len(_known(session).turns) == 1


async def test_a_reply_that_breaks_is_kept_beside_the_whole_one(tmp_path: Path) -> None:
    broken = Reply(content=("par", "tial"), fault=Fault.ERROR)
    script = (Reply(content=("A",)), broken)
    async with ScriptedServer(*script) as server, _session(server, tmp_path / "s.db") as session:
        await _drain(session.reply("one"))
        with pytest.raises(ReplyFailed):
            await _drain(session.regenerate(0))
        reply = session.conversation.turns[0].reply
        assert reply is not None
        assert reply.finish_reason is FinishReason.ERROR
        assert _said(session) == [("one", "partial")]


async def test_without_a_store_a_talk_has_one_branch() -> None:
    script = (Reply(content=("A",)), Reply(content=("B",)))
    async with ScriptedServer(*script) as server, _session(server, None) as session:
        await _drain(session.reply("one"))
        await _drain(session.revise(0, "uno"))
        assert _said(session) == [("uno", "B")]
        with pytest.raises(StoreError):
            await session.delete(0)
