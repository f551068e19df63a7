"""A reply of a real llama.cpp whose process is killed in the middle of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tiny_gguf import write_gguf

from qwentui.backends.embedded import EmbeddedBackend, open_embedded
from qwentui.backends.retry import RetryPolicy
from qwentui.chat.context import TrimPolicy
from qwentui.chat.conversation import Conversation
from qwentui.chat.sampling import Sampling
from qwentui.chat.stream import FinishReason, Restoring, StreamEvent, TextDelta
from qwentui.counting.counter import PromptCounter
from qwentui.planning import Planner
from qwentui.session import ChatOptions, ChatSession

if TYPE_CHECKING:
    from qwentui.chat.conversation import Reply


async def _killed_in_the_middle(
    backend: EmbeddedBackend, question: str, *, after: int, num_predict: int
) -> tuple[list[StreamEvent], str, Reply]:
    """The events, what had come when the process was killed, and the reply."""
    (model,) = await backend.models()
    session = ChatSession(
        backend,
        await backend.details(model.name),
        ChatOptions(sampling=Sampling(temperature=0.0), num_predict=num_predict),
        policy=RetryPolicy(delay=0.01, restart_pause=0.1),
        planner=Planner(TrimPolicy(), PromptCounter()),
        conversation=Conversation(),
    )
    events: list[StreamEvent] = []
    said = before = ""
    async with session.reply(question) as stream:
        async for event in stream:
            events.append(event)
            if isinstance(event, TextDelta):
                said += event.text
                after -= 1
                if after == 0:
                    assert backend._server.pid is not None
                    os.kill(backend._server.pid, signal.SIGKILL)
            if isinstance(event, Restoring):
                before = said
    reply = session.conversation.turns[-1].reply
    assert reply is not None
    return events, before, reply


async def test_a_killed_llama_cpp_comes_back_and_goes_on(tmp_path: Path) -> None:
    # So many layers that the reply is not at its end before it is read here.
    gguf = write_gguf(tmp_path / "tiny.gguf", layers=100)
    backend = await open_embedded(tmp_path, gguf, lambda _: None)
    try:
        events, before, reply = await _killed_in_the_middle(backend, "Hello", after=5, num_predict=1000)
    finally:
        await backend.aclose()
    assert sum(isinstance(event, Restoring) for event in events) == 1
    assert before
    assert reply.message.content.startswith(before)
    assert len(reply.message.content) > len(before)
    assert reply.finish_reason in {FinishReason.STOP, FinishReason.LENGTH}


@pytest.mark.real_model
async def test_the_real_model_goes_on_after_a_kill() -> None:
    cache = Path(os.environ.get("QWENTUI_TEST_CACHE") or Path.home() / ".cache" / "qwentui-tests")
    backend = await open_embedded(cache, None, lambda _: None)
    try:
        events, before, reply = await _killed_in_the_middle(
            backend, "Tell me about the sea.", after=15, num_predict=60
        )
    finally:
        await backend.aclose()
    assert sum(isinstance(event, Restoring) for event in events) == 1
    assert reply.message.content.startswith(before)
    assert "  " not in reply.message.content
    assert reply.usage.server.eval_count is not None
    assert reply.finish_reason in {FinishReason.STOP, FinishReason.LENGTH}
