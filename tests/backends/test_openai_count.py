"""Who counts prompts, and what the backend makes of it; llama.cpp itself at the end."""

from __future__ import annotations

import json
import os
import signal
from contextlib import aclosing
from importlib.util import find_spec
from itertools import product
from typing import TYPE_CHECKING

import pytest
from counting.reference import random_conversations, show, tagged_conversations, write_model
from counting.templates import TEMPLATES
from outcome import HELLO, outcome_of
from script import LOAD, Plain, Raw, Reply, failure
from scripted_server import ScriptedServer
from tiny_gguf import write_gguf

from qwentui.backends.address import Endpoint
from qwentui.backends.base import Backend, ChatRequest
from qwentui.backends.embedded import open_embedded
from qwentui.backends.http import HttpClient
from qwentui.backends.ollama import OllamaBackend
from qwentui.backends.openai import OpenAIBackend, chat_payload
from qwentui.backends.server_count import ServerCount
from qwentui.chat.errors import ConnectFailed, ContextExceeded, RequestRefused, ServerFailed
from qwentui.chat.message import Message, Role
from qwentui.chat.sampling import Sampling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from outcome import Connect
    from script import Answer

    from qwentui.chat.sampling import Think

TEMPLATE, TOKENS = "/apply-template", "/tokenize"

llama_cpp = pytest.mark.skipif(
    find_spec("xllamacpp") is None, reason="llama.cpp is not installed (extra: embedded)"
)


def said(value: object) -> Plain:
    return Plain(body=json.dumps(value).encode())


LLAMA: dict[str, Answer] = {TEMPLATE: said({"prompt": "<s>hello"}), TOKENS: said({"tokens": [1, 15, 9]})}
VLLM: dict[str, Answer] = {
    TEMPLATE: failure(404, "Not Found"),
    TOKENS: said({"count": 7, "max_model_len": 16384, "tokens": [1, 2, 3, 4, 5, 6, 7], "token_strs": None}),
}


async def test_llama_cpp_renders_the_chats_own_body_and_cuts_it_as_the_chat_does(connect: Connect) -> None:
    request = ChatRequest("m", HELLO.messages, think=False, num_predict=9)
    async with ScriptedServer(at=LLAMA) as server:
        assert await connect(OpenAIBackend, server.url).count_prompt(request) == 3
        assert server.last(TEMPLATE).json == chat_payload(request)
        assert server.last(TOKENS).json == {
            "model": "m",
            "content": "<s>hello",
            "add_special": True,
            "parse_special": True,
        }


@pytest.mark.parametrize(
    ("think", "given"),
    [
        (None, {}),
        (False, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("low", {"chat_template_kwargs": {"enable_thinking": True, "reasoning_effort": "low"}}),
    ],
)
async def test_vllm_counts_messages(think: Think, given: dict[str, object], connect: Connect) -> None:
    async with ScriptedServer(at=VLLM) as server:
        request = ChatRequest("m", HELLO.messages, think=think)
        assert await connect(OpenAIBackend, server.url).count_prompt(request) == 7
        assert server.last(TOKENS).json == {
            "model": "m",
            "messages": [{"role": "user", "content": "hello"}],
            "add_generation_prompt": True,
            **given,
        }


@pytest.mark.parametrize(("at", "asked"), [(LLAMA, [TEMPLATE, TOKENS]), (VLLM, [TOKENS])])
async def test_who_counts_is_found_out_once(
    at: dict[str, Answer], asked: list[str], connect: Connect
) -> None:
    async with ScriptedServer(at=at) as server:
        backend = connect(OpenAIBackend, server.url)
        first = await backend.count_prompt(HELLO)
        server.requests.clear()
        assert await backend.count_prompt(HELLO) == first
        assert [request.path for request in server.requests] == asked


@pytest.mark.parametrize(
    "answer",
    [
        failure(403, "Forbidden"),
        failure(404, "Not Found"),
        failure(405, "Method Not Allowed"),
        failure(422, "Field required"),
        failure(501, "Not Implemented"),
        said({"tokens": []}),
        said([1, 2, 3]),
        Plain(body=b"<html>a portal</html>", content_type="text/html"),
    ],
    ids=["403", "404", "405", "422", "501", "other fields", "a list", "a page"],
)
async def test_a_server_that_cannot_count_is_asked_no_second_time(answer: Answer, connect: Connect) -> None:
    async with ScriptedServer(at={TEMPLATE: answer, TOKENS: answer}) as server:
        backend = connect(OpenAIBackend, server.url)
        assert await backend.count_prompt(HELLO) is None
        server.requests.clear()
        assert await backend.count_prompt(HELLO) is None
        assert server.requests == []
        assert (await outcome_of(backend)).error is None


@pytest.mark.parametrize("at", [LLAMA, VLLM], ids=["llama.cpp", "vLLM"])
@pytest.mark.parametrize(
    "answer",
    [
        failure(400, "roles must alternate"),
        failure(404, "lost"),
        failure(500, "failed"),
        failure(503, "loading"),
    ],
    ids=["400", "404", "500", "503"],
)
async def test_one_prompt_that_is_not_counted_says_nothing_about_the_next(
    at: dict[str, Answer], answer: Answer, connect: Connect
) -> None:
    async with ScriptedServer(at=at) as server:
        backend = connect(OpenAIBackend, server.url)
        first = await backend.count_prompt(HELLO)
        server.at[TOKENS] = answer
        assert await backend.count_prompt(HELLO) is None
        server.at[TOKENS] = at[TOKENS]
        assert await backend.count_prompt(HELLO) == first


@pytest.mark.parametrize(
    "answer",
    [failure(400, "No user query found"), failure(503, "Loading model"), failure(404, "model 'm' not found")],
    ids=["refused", "loading", "no model"],
)
async def test_what_passes_is_no_sign_of_a_server_that_cannot_count(answer: Answer, connect: Connect) -> None:
    async with ScriptedServer(at={TEMPLATE: answer, TOKENS: answer}) as server:
        backend = connect(OpenAIBackend, server.url)
        assert await backend.count_prompt(HELLO) is None
        server.at.update(LLAMA)
        assert await backend.count_prompt(HELLO) == 3


async def test_a_count_that_takes_too_long_is_given_up_and_its_connection_closed() -> None:
    async with ScriptedServer(at={**LLAMA, TEMPLATE: Reply(holds=(LOAD,))}) as server:
        http = HttpClient(Endpoint(server.url))
        await http.fetch("/v1/models")
        count = ServerCount(http, timeout=0.2)
        assert await count.of(chat_payload(HELLO)) is None
        await server.until(lambda s: s.last(TEMPLATE).hung_up)
        server.at.update(LLAMA)
        assert await ServerCount(http).of(chat_payload(HELLO)) == 3
        await http.aclose()


async def test_a_connection_that_fails_is_an_error(connect: Connect) -> None:
    async with ScriptedServer(at={TEMPLATE: Raw(b"")}) as server:
        with pytest.raises(ConnectFailed):
            await connect(OpenAIBackend, server.url).count_prompt(HELLO)
    with pytest.raises(ConnectFailed):
        await connect(OpenAIBackend, server.url).count_prompt(HELLO)


async def test_ollama_is_not_asked(connect: Connect) -> None:
    async with ScriptedServer() as server:
        assert await connect(OllamaBackend, server.url).count_prompt(HELLO) is None
        assert server.requests == []


@llama_cpp
async def test_it_is_what_a_chat_is_charged_with_a_bos_token(tmp_path: Path) -> None:
    model = write_gguf(tmp_path / "tiny.gguf")
    async with aclosing(await open_embedded(tmp_path, model, lambda _: None)) as backend:
        for text in ("Hello", "订单发货后多久能收到?", "<s>x</s>", "a\0b\ud800", " "):
            system = Message(Role.SYSTEM, "Answer briefly.")
            for messages in ((Message(Role.USER, text),), (system, Message(Role.USER, text))):
                number = await charged(backend, asking(messages))
                assert number is not None
                assert await backend.count_prompt(asking(messages)) == number


@llama_cpp
@pytest.mark.parametrize("name", ["thoughts", "last question"])
async def test_it_is_what_a_chat_is_charged_thinking_or_not(name: str, tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.gguf", show("qwen3")["model_info"], TEMPLATES[name])
    talks = [*random_conversations(5, 6), *tagged_conversations(6, 6)]
    async with aclosing(await open_embedded(tmp_path, model, lambda _: None)) as backend:
        asked = [asking(messages, think) for messages, think in product(talks, (True, False))]
        numbers = [await charged(backend, request) for request in asked]
        counts = [await backend.count_prompt(request) for request in asked]
    taken = [place for place, number in enumerate(numbers) if number is not None]
    assert len(taken) > len(asked) // 2
    assert [counts[place] for place in taken] == [numbers[place] for place in taken]


@llama_cpp
async def test_a_child_that_died_is_named(tmp_path: Path) -> None:
    model = write_gguf(tmp_path / "tiny.gguf")
    async with aclosing(await open_embedded(tmp_path, model, lambda _: None)) as backend:
        pid = backend._server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ConnectFailed, match="The built-in model is gone"):
            await backend.count_prompt(HELLO)


def asking(messages: Sequence[Message], think: Think = None) -> ChatRequest:
    return ChatRequest("m", tuple(messages), think, Sampling(temperature=0.0), num_predict=1)


async def charged(backend: Backend, request: ChatRequest) -> int | None:
    """The prompt tokens of the usage, or of the refusal for length; None where the chat is refused at all."""
    outcome = await outcome_of(backend, request)
    if isinstance(outcome.error, ContextExceeded):
        return outcome.error.n_prompt_tokens
    if isinstance(outcome.error, (RequestRefused, ServerFailed)):
        return None
    assert outcome.finished is not None, outcome.error
    return outcome.finished.usage.prompt_eval_count
