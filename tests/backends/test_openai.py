from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from outcome import HELLO, nothing_left, outcome_of
from script import LOAD, Fault, Model, Plain, Reply, failure
from scripted_server import ScriptedServer

from qwentui.backends.address import Endpoint
from qwentui.backends.base import ChatRequest, LoadedModel
from qwentui.backends.openai import OpenAIBackend, chat_payload
from qwentui.chat.errors import (
    AccessDenied,
    ConnectFailed,
    NotAModelServer,
    ReplyCut,
    ReplyFailed,
    ReplySilent,
)
from qwentui.chat.message import Message, Role
from qwentui.chat.sampling import Sampling
from qwentui.chat.stream import Finished, FinishReason, Phase, PhaseChanged, TextDelta, ThinkingDelta

if TYPE_CHECKING:
    from outcome import Connect

PATH = "/v1/chat/completions"
PROPS = {
    "default_generation_settings": {"n_ctx": 4096, "params": {}},
    "chat_template": "{% if enable_thinking %}<think></think>{% endif %}",
    "build_info": "b10488-abc",
    "model_path": "/x.gguf",
}
LLAMA = {
    "/props": Plain(body=json.dumps(PROPS).encode()),
    "/v1/models": Plain(
        body=json.dumps(
            {"data": [{"id": "small", "meta": {"n_ctx_train": 8192, "size": 98_000_000, "n_vocab": 49152}}]}
        ).encode()
    ),
}
VLLM = {
    "/version": Plain(body=b'{"version":"0.11.0"}'),
    "/v1/models": Plain(body=b'{"data":[{"id":"Qwen/Qwen3-32B","max_model_len":16384,"owned_by":"vllm"}]}'),
}


def sse(*events: object) -> Plain:
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    body = "".join(f"data: {line}\n\n" for line in lines)
    return Plain(body=body.encode(), content_type="text/event-stream")


def delta(finish_reason: str | None = None, **fields: str) -> dict[str, object]:
    return {"model": "m", "choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


async def test_thinking_then_text_then_the_end_with_its_counts(connect: Connect) -> None:
    async with ScriptedServer(Reply(("Hel", "lo"), thinking=("hm",), done_reason="length")) as server:
        outcome = await outcome_of(connect(OpenAIBackend, server.url))
    *deltas, finished = outcome.replies
    assert deltas == [ThinkingDelta("hm"), TextDelta("Hel"), TextDelta("lo")]
    assert isinstance(finished, Finished)
    assert finished.reason is FinishReason.LENGTH
    assert (finished.usage.prompt_eval_count, finished.usage.eval_count) == (12, 3)
    assert finished.usage.prompt_eval_duration == pytest.approx(0.15)
    assert finished.usage.eval_duration == pytest.approx(0.06)
    assert outcome.phases == (Phase.CONNECTING, Phase.WAITING)


async def test_newer_names_and_leaked_tags_are_thinking_too(connect: Connect) -> None:
    script = sse(
        delta(reasoning="a"), delta(content="<think>b"), delta(content="</think>c"), delta("stop"), "[DONE]"
    )
    async with ScriptedServer(script) as server:
        outcome = await outcome_of(connect(OpenAIBackend, server.url))
    assert outcome.message == Message(Role.ASSISTANT, "c", "ab")


async def test_timings_count_where_usage_is_missing(connect: Connect) -> None:
    timings = {"cache_n": 236, "prompt_n": 1, "prompt_ms": 30.9, "predicted_n": 35, "predicted_ms": 661.0}
    script = sse(delta(content="x"), {**delta("stop"), "timings": timings}, "[DONE]")
    async with ScriptedServer(script) as server:
        outcome = await outcome_of(connect(OpenAIBackend, server.url))
    assert outcome.finished is not None
    assert (outcome.finished.usage.prompt_eval_count, outcome.finished.usage.eval_count) == (237, 35)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.ERROR, ReplyFailed),
        (Fault.CUT, ReplyCut),
        (Fault.RESET, ReplyCut),
        (Fault.END, ReplyCut),
        (Fault.SILENCE, ReplySilent),
    ],
)
async def test_a_reply_that_breaks_keeps_its_text(
    fault: Fault, error: type[Exception], connect: Connect
) -> None:
    async with ScriptedServer(Reply(("a", "b"), fault=fault, fault_at=1)) as server:
        outcome = await outcome_of(connect(OpenAIBackend, server.url, silence=0.3))
    assert type(outcome.error) is error
    assert outcome.message.content == "a"


@pytest.mark.parametrize(
    "script",
    [
        sse(delta(content="x"), delta("stop")),
        sse(delta("stop", content="x"), "[DONE]"),
        sse(delta(content="x"), delta("stop"), "{broken"),
        sse(delta(content="x"), delta("tool_calls")),
        Plain(
            body=json.dumps({"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}).encode()
        ),
    ],
    ids=["no [DONE]", "content in the last", "broken after the end", "another reason", "no stream at all"],
)
async def test_a_finish_reason_is_what_makes_a_reply_complete(script: Plain, connect: Connect) -> None:
    async with ScriptedServer(script) as server:
        outcome = await outcome_of(connect(OpenAIBackend, server.url))
    assert outcome.error is None
    assert outcome.finished is not None
    assert outcome.finished.reason is FinishReason.STOP
    assert outcome.message.content == "x"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (sse(delta(content="x"), "[DONE]"), ReplyCut),
        (sse(delta(content="x"), {"error": {"message": "CUDA error", "code": 500}}), ReplyFailed),
        (sse(delta(content="x"), {"object": "error", "message": "CUDA error"}), ReplyFailed),
        (sse(delta(content="x"), delta("abort")), ReplyFailed),
        (sse(delta(content="x"), "{broken"), ReplyCut),
    ],
)
async def test_anything_else_is_a_broken_reply(
    script: Plain, error: type[Exception], connect: Connect
) -> None:
    async with ScriptedServer(script) as server:
        outcome = await outcome_of(connect(OpenAIBackend, server.url))
    assert type(outcome.error) is error
    assert outcome.message.content == "x"


async def test_an_error_as_plain_json_at_status_200_is_an_error(connect: Connect) -> None:
    async with ScriptedServer(Plain(body=b'{"error":{"message":"no such adapter"}}')) as server:
        outcome = await outcome_of(connect(OpenAIBackend, server.url))
    assert isinstance(outcome.error, ReplyFailed)
    assert "no such adapter" in outcome.error.message


@pytest.mark.parametrize("holds", [(LOAD,), (1,)], ids=["waiting", "streaming"])
async def test_leaving_closes_the_connection_at_once(holds: tuple[int]) -> None:
    async with ScriptedServer(Reply(holds=holds)) as server:
        backend = OpenAIBackend(Endpoint(server.url))
        wanted = PhaseChanged(Phase.WAITING) if holds == (LOAD,) else TextDelta("Hello")
        async with backend.stream(HELLO) as events:
            async for event in events:
                if event == wanted:
                    break
        await server.until(lambda s: s.last(PATH).hung_up)
        await backend.aclose()
    await nothing_left()


async def test_cancelling_closes_the_connection(connect: Connect) -> None:
    async with ScriptedServer(Reply(holds=(1,))) as server:
        reading = asyncio.create_task(outcome_of(connect(OpenAIBackend, server.url)))
        await server.until(lambda s: s.holding == 1)
        reading.cancel()
        await server.until(lambda s: s.last(PATH).hung_up)
        with pytest.raises(asyncio.CancelledError):
            await reading


def test_the_request_uses_the_names_of_the_api() -> None:
    sampling = Sampling(temperature=0.6, top_k=20, min_p=0.0, repeat_penalty=1.1, stop=("x",))
    request = ChatRequest(
        "m", HELLO.messages, think=True, sampling=sampling, num_ctx=8192, num_predict=99, keep_alive="5m"
    )
    assert chat_payload(request) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.6,
        "top_k": 20,
        "min_p": 0.0,
        "repeat_penalty": 1.1,
        "repetition_penalty": 1.1,
        "stop": ["x"],
        "max_tokens": 99,
        "chat_template_kwargs": {"enable_thinking": True},
    }


def test_a_plain_request_says_no_more_than_it_must() -> None:
    assert set(chat_payload(ChatRequest("m", (), num_predict=-1))) == {
        "model",
        "messages",
        "stream",
        "stream_options",
    }


def test_a_level_of_thinking_has_its_own_field() -> None:
    body = chat_payload(ChatRequest("m", (), think="low"))
    assert body["reasoning_effort"] == "low"
    assert body["chat_template_kwargs"] == {"enable_thinking": True}


async def test_llama_cpp_tells_about_itself(connect: Connect) -> None:
    async with ScriptedServer(at=LLAMA) as server:
        backend = connect(OpenAIBackend, server.url)
        assert await backend.version() == "llama.cpp b10488-abc"
        assert await backend.loaded() == (LoadedModel("small", size=98_000_000, context_length=4096),)
        details = await backend.details("small")
        assert details.context_length == 4096  # started with less than the 8,192 that it was trained for
        assert details.can_think
        assert details.template == PROPS["chat_template"]


@pytest.mark.parametrize(
    ("modalities", "sees"), [({"vision": True}, True), ({"vision": False}, False), (None, False)]
)
async def test_llama_cpp_tells_whether_it_sees(
    connect: Connect, modalities: dict[str, bool] | None, sees: bool
) -> None:
    props = Plain(body=json.dumps(PROPS | {"modalities": modalities}).encode())
    async with ScriptedServer(at=LLAMA | {"/props": props}) as server:
        details = await connect(OpenAIBackend, server.url).details("small")
    assert details.can_see is sees


async def test_vllm_tells_about_itself(connect: Connect) -> None:
    async with ScriptedServer(at=VLLM) as server:
        backend = connect(OpenAIBackend, server.url)
        assert await backend.version() == "0.11.0"
        assert await backend.loaded() == ()
        details = await backend.details("Qwen/Qwen3-32B")
        assert details.context_length == 16384
        assert not details.can_think
        # It does not tell, and refuses images itself where it cannot.
        assert details.can_see


async def test_a_server_that_tells_nothing_is_named_for_its_api(connect: Connect) -> None:
    async with ScriptedServer(models=(Model(name="m"),)) as server:
        backend = connect(OpenAIBackend, server.url)
        assert await backend.version() == "OpenAI-compatible"
        assert (await backend.details("m")).context_length is None
        assert (await backend.details("other")).context_length is None


async def test_the_version_is_a_sign_of_life(connect: Connect) -> None:
    async with ScriptedServer(at={"/v1/models": failure(401, "no")}) as server:
        with pytest.raises(AccessDenied):
            await connect(OpenAIBackend, server.url).version()
    with pytest.raises(ConnectFailed):
        await connect(OpenAIBackend, server.url).version()


async def test_an_address_with_v1_at_its_end_is_the_same_server(connect: Connect) -> None:
    async with ScriptedServer() as server:
        outcome = await outcome_of(connect(OpenAIBackend, server.url + "/v1"))
        assert outcome.error is None
        assert server.count(PATH) == 1


async def test_a_page_in_place_of_a_stream_is_no_model_server(connect: Connect) -> None:
    async with ScriptedServer(Plain(body=b"<html>hi</html>", content_type="text/html")) as server:
        outcome = await outcome_of(connect(OpenAIBackend, server.url))
    assert isinstance(outcome.error, NotAModelServer)
