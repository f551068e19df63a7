"""The built-in model as a backend: what the session sees of it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from tiny_gguf import write_gguf

from qwentui.backends.base import Backend, ChatRequest, LoadedModel, ModelSummary
from qwentui.backends.embedded import MODEL_NAME, EmbeddedBackend, open_embedded
from qwentui.chat.errors import ConnectFailed, EmbeddedError
from qwentui.chat.message import Message, Role
from qwentui.chat.sampling import Sampling
from qwentui.chat.stream import Finished, FinishReason, StreamEvent, TextDelta

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from qwentui.backends.model_fetch import Progress


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[EmbeddedBackend]:
    backend = await open_embedded(tmp_path, write_gguf(tmp_path / "tiny.gguf"), lambda _: None)
    yield backend
    await backend.aclose()


def question(text: str, *, model: str = "tiny", num_predict: int = 20) -> ChatRequest:
    message = Message(role=Role.USER, content=text)
    return ChatRequest(model, (message,), num_predict=num_predict, sampling=Sampling(temperature=0.0))


async def ask(backend: Backend, request: ChatRequest) -> list[StreamEvent]:
    async with backend.stream(request) as events:
        return [event async for event in events]


async def test_it_is_a_backend_with_one_model_that_is_loaded(backend: EmbeddedBackend) -> None:
    typed: Backend = backend
    assert typed.host == "built-in model"
    assert await typed.models() == (ModelSummary("tiny", size=107_648),)
    assert (await typed.details("tiny")).context_length == 2048
    assert (await typed.version()).startswith("llama.cpp")


async def test_the_context_is_what_the_model_was_trained_for_at_most(backend: EmbeddedBackend) -> None:
    assert await backend.loaded() == (LoadedModel("tiny", size=107_648, context_length=2048),)


async def test_a_reply_streams_and_ends(backend: EmbeddedBackend) -> None:
    events = await ask(backend, question("Hello"))
    assert isinstance(events[-1], Finished)
    assert events[-1].reason in {FinishReason.LENGTH, FinishReason.STOP}
    assert events[-1].usage.eval_count == 20


async def test_one_reply_after_the_other_finds_a_connection(backend: EmbeddedBackend) -> None:
    for _ in range(20):
        assert isinstance((await ask(backend, question("Hello", num_predict=2)))[-1], Finished)


async def test_no_proxy_comes_between(backend: EmbeddedBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert isinstance((await ask(backend, question("Hello")))[-1], Finished)


async def test_leaving_the_block_stops_the_model(backend: EmbeddedBackend) -> None:
    async with backend.stream(question("Hello", num_predict=2000)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    # The one slot is free again: the next answer comes long before 2000 tokens would.
    assert isinstance((await ask(backend, question("Again")))[-1], Finished)


async def test_a_child_that_died_is_started_again(backend: EmbeddedBackend) -> None:
    pid = backend._server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert await backend._server.ended() == "it was ended by SIGKILL"
    both = await asyncio.gather(ask(backend, question("Hello")), ask(backend, question("Hello")))
    assert all(isinstance(events[-1], Finished) for events in both)
    assert backend._server.pid != pid
    assert pid not in psutil.pids()


async def test_a_child_that_cannot_be_started_again_is_named(tmp_path: Path) -> None:
    gguf = write_gguf(tmp_path / "tiny.gguf")
    backend = await open_embedded(tmp_path, gguf, lambda _: None)
    try:
        assert backend._server.pid is not None
        os.kill(backend._server.pid, signal.SIGKILL)
        await backend._server.ended()
        gguf.unlink()
        with pytest.raises(ConnectFailed, match="does not start again") as caught:
            await ask(backend, question("Hello"))
        assert "tiny.gguf" in caught.value.hint
    finally:
        await backend.aclose()


async def test_closing_the_backend_ends_the_child(backend: EmbeddedBackend) -> None:
    pid = backend._server.pid
    await backend.aclose()
    assert pid not in psutil.pids()


async def test_without_llama_cpp_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    steps: list[Progress] = []
    with pytest.raises(EmbeddedError, match=r"llama\.cpp is missing"):
        await open_embedded(tmp_path / "cache", None, steps.append)
    assert steps == []


async def test_a_file_that_cannot_be_loaded_leaves_no_child(tmp_path: Path) -> None:
    before = psutil.Process().children()
    with pytest.raises(EmbeddedError, match="unknown model architecture"):
        await open_embedded(
            tmp_path, write_gguf(tmp_path / "odd.gguf", architecture="nonesuch"), lambda _: None
        )
    assert psutil.Process().children() == before


@pytest.mark.real_model
async def test_the_real_model_is_fetched_and_answers() -> None:
    cache = Path(os.environ.get("QWENTUI_TEST_CACHE") or Path.home() / ".cache" / "qwentui-tests")
    steps: list[Progress] = []
    async with asyncio.timeout(600):
        backend = await open_embedded(cache, None, steps.append)
        try:
            request = question("Name the capital of France.", model=MODEL_NAME, num_predict=60)
            events = await ask(backend, request)
        finally:
            await backend.aclose()
    assert steps[-1].phase == "loading"
    # A model of this size may answer anything on another processor, but it answers in words.
    answer = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert len(re.findall(r"[A-Za-z]{2,}", answer)) >= 3, answer
    assert isinstance(events[-1], Finished)
