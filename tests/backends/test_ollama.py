from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from outcome import HELLO, nothing_left, outcome_of
from script import LOAD, Fault, Model, Plain, Reply, failure
from scripted_server import ScriptedServer

from qwentui.backends.address import Endpoint
from qwentui.backends.base import ChatRequest
from qwentui.backends.ollama import OllamaBackend, chat_payload, same_model
from qwentui.chat.errors import (
    ConnectFailed,
    ModelNotFound,
    NotAModelServer,
    ReplyCut,
    ReplyFailed,
    ReplySilent,
)
from qwentui.chat.message import Message, Role
from qwentui.chat.sampling import Sampling
from qwentui.chat.stream import (
    Finished,
    FinishReason,
    Phase,
    PhaseChanged,
    RequestSent,
    TextDelta,
    ThinkingDelta,
)

if TYPE_CHECKING:
    from outcome import Connect

    from qwentui.chat.sampling import Think
    from qwentui.chat.stream import StreamEvent


async def test_thinking_then_text_then_the_end(connect: Connect) -> None:
    reply = Reply(("Hel", "lo"), thinking=("hm", " ok"), last_content="!")
    async with ScriptedServer(reply) as server:
        outcome = await outcome_of(connect(OllamaBackend, server.url))
    assert outcome.replies[:-1] == (
        ThinkingDelta("hm"),
        ThinkingDelta(" ok"),
        TextDelta("Hel"),
        TextDelta("lo"),
        TextDelta("!"),
    )
    assert isinstance(outcome.replies[-1], Finished)
    assert outcome.replies[-1].reason is FinishReason.STOP


async def test_leaked_tags_are_split_from_the_content(connect: Connect) -> None:
    async with ScriptedServer(Reply(("<th", "ink>\nso", "</thi", "nk>\n", "\nHello"))) as server:
        outcome = await outcome_of(connect(OllamaBackend, server.url))
    assert outcome.message == Message(Role.ASSISTANT, "Hello", "so")


async def test_text_held_back_for_a_tag_is_not_lost_when_the_reply_breaks(connect: Connect) -> None:
    async with ScriptedServer(Reply(("<thi",), fault=Fault.CUT)) as server:
        outcome = await outcome_of(connect(OllamaBackend, server.url))
    assert isinstance(outcome.error, ReplyCut)
    assert outcome.message.content == "<thi"


async def test_the_phases_before_the_first_token_are_told_apart(connect: Connect) -> None:
    async with ScriptedServer(Reply(holds=(LOAD, 0))) as server:
        seen: list[StreamEvent] = []
        async with connect(OllamaBackend, server.url).stream(HELLO) as events:
            async for event in events:
                seen.append(event)
                if event in (PhaseChanged(Phase.LOADING), PhaseChanged(Phase.WAITING)):
                    server.release()
    assert seen[:5] == [
        PhaseChanged(Phase.CONNECTING),
        RequestSent(),
        PhaseChanged(Phase.LOADING),
        PhaseChanged(Phase.WAITING),
        TextDelta("Hello"),
    ]


async def test_a_failing_poll_costs_the_phase_and_nothing_else(connect: Connect) -> None:
    async with ScriptedServer(Reply(holds=(0,)), at={"/api/ps": failure(500, "no")}) as server:

        async def release() -> None:
            await server.until(lambda s: s.count("/api/ps") == 1)
            server.release()

        releasing = asyncio.create_task(release())
        outcome = await outcome_of(connect(OllamaBackend, server.url))
        await releasing
    assert outcome.phases == (Phase.CONNECTING,)
    assert outcome.message.content == "Hello, world."


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
@pytest.mark.parametrize("at", [1, 2, 3, 4])
async def test_a_reply_that_breaks_anywhere_keeps_its_text(
    fault: Fault, error: type[Exception], at: int, connect: Connect
) -> None:
    reply = Reply(("a", "b"), thinking=("x", "y"), fault=fault, fault_at=at)
    async with ScriptedServer(reply) as server:
        outcome = await outcome_of(connect(OllamaBackend, server.url, silence=0.3))
    assert type(outcome.error) is error
    assert (outcome.message.thinking + outcome.message.content) == "xyab"[:at]
    assert outcome.finished is None


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET])
async def test_a_server_that_dies_before_the_headers_may_be_asked_again(
    fault: Fault, connect: Connect
) -> None:
    async with ScriptedServer(Reply(fault=fault, fault_at=0)) as server:
        outcome = await outcome_of(connect(OllamaBackend, server.url))
    assert type(outcome.error) is ConnectFailed


async def test_memory_in_an_error_line_is_explained(connect: Connect) -> None:
    reply = Reply(fault=Fault.ERROR, error="CUDA error: out of memory")
    async with ScriptedServer(reply) as server:
        outcome = await outcome_of(connect(OllamaBackend, server.url))
    assert outcome.error is not None
    assert "num_ctx" in outcome.error.hint


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"SSH-2.0-OpenSSH\r\n", NotAModelServer),
        (b'{"message":{"content":"a"}}\n\x00garbage\n', ReplyCut),
        (b'{"message":"text"}\n', NotAModelServer),
        (b"", ReplyCut),
    ],
)
async def test_a_body_that_is_no_reply_is_an_error(
    body: bytes, error: type[Exception], connect: Connect
) -> None:
    async with ScriptedServer(Plain(body=body, content_type="application/x-ndjson")) as server:
        outcome = await outcome_of(connect(OllamaBackend, server.url))
    assert type(outcome.error) is error


async def test_a_login_page_at_status_200_is_no_reply(connect: Connect) -> None:
    page = Plain(body=b"<title>Log in</title>", content_type="text/html; charset=utf-8")
    async with ScriptedServer(page) as server:
        outcome = await outcome_of(connect(OllamaBackend, server.url))
    assert isinstance(outcome.error, NotAModelServer)
    assert "Log in" in outcome.error.message


@pytest.mark.parametrize("holds", [(LOAD,), (0,), (1,)], ids=["loading", "waiting", "streaming"])
@pytest.mark.parametrize("how", ["leave", "cancel"])
async def test_leaving_closes_the_connection_at_once(holds: tuple[int], how: str) -> None:
    async with ScriptedServer(Reply(holds=holds)) as server:
        backend = OllamaBackend(Endpoint(server.url))
        last = PhaseChanged(Phase.LOADING) if holds == (LOAD,) else PhaseChanged(Phase.WAITING)
        wanted = TextDelta("Hello") if holds == (1,) else last
        reached = asyncio.Event()

        async def read() -> None:
            async with backend.stream(HELLO) as events:
                async for event in events:
                    if event == wanted:
                        reached.set()
                        if how == "leave":
                            return

        reader = asyncio.create_task(read())
        await reached.wait()
        if how == "cancel":
            reader.cancel()
        await asyncio.wait({reader})
        await server.until(lambda s: s.last("/api/chat").hung_up)
        assert reader.cancelled() == (how == "cancel")
        await backend.aclose()
    await nothing_left()


async def test_leaving_before_the_first_event_sends_nothing() -> None:
    async with ScriptedServer() as server:
        backend = OllamaBackend(Endpoint(server.url))
        async with backend.stream(HELLO):
            pass
        await backend.aclose()
        assert server.requests == []
    await nothing_left()


async def test_cancelling_at_any_moment_leaves_no_connection() -> None:
    async with ScriptedServer(Reply(holds=(1,))) as server:
        backend = OllamaBackend(Endpoint(server.url))
        await backend.version()
        for turns_of_the_loop in range(80):
            reading = asyncio.create_task(outcome_of(backend))
            for _ in range(turns_of_the_loop):
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait({reading})
        await backend.aclose()
        await server.until(lambda s: not s.connections)
    await nothing_left()


async def test_a_finished_reply_leaves_its_connection_for_the_next(connect: Connect) -> None:
    connections: set[object] = set()
    async with ScriptedServer() as server:
        backend = connect(OllamaBackend, server.url)
        for _ in range(3):
            assert (await outcome_of(backend)).error is None
            connections |= server.connections
    assert len(connections) <= 2  # one for the replies, one for the polls beside them


async def test_a_restarted_server_is_talked_to_again(connect: Connect) -> None:
    async with ScriptedServer(Reply(holds=(1,)), Reply()) as server:
        backend = connect(OllamaBackend, server.url)
        reading = asyncio.create_task(outcome_of(backend))
        await server.until(lambda s: s.holding == 1)
        await server.stop()
        assert isinstance((await reading).error, ReplyCut)
        with pytest.raises(ConnectFailed, match="Nothing listens"):
            await backend.version()
        await server.start()
        assert (await outcome_of(backend)).message.content == "Hello, world."


def payload(
    think: Think = None, keep_alive: str | None = None, sampling: Sampling = Sampling(), **rest: int
) -> dict[str, object]:
    messages = (Message(Role.SYSTEM, "be\x00 brief"), Message(Role.ASSISTANT, "\ud83d x", "thoughts"))
    return chat_payload(
        ChatRequest("m", messages, think=think, keep_alive=keep_alive, sampling=sampling, **rest)
    )


def test_the_request_says_what_it_must_and_no_more() -> None:
    assert payload() == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "assistant", "content": "\ufffd x"},
        ],
        "stream": True,
        "truncate": False,
        "options": {},
    }


def test_the_request_carries_the_options() -> None:
    body = payload(
        think=False, keep_alive="5m", sampling=Sampling(top_k=20, stop=("a",)), num_ctx=8192, num_predict=512
    )
    assert body["options"] == {"top_k": 20, "stop": ["a"], "num_ctx": 8192, "num_predict": 512}
    assert body["think"] is False
    assert body["keep_alive"] == "5m"
    assert payload(think="low")["think"] == "low"


@pytest.mark.parametrize(
    ("text", "value"), [("5m", "5m"), ("300", 300), ("-1", -1), ("0", 0), ("1.5", 1.5), ("inf", "inf")]
)
def test_keep_alive_without_a_unit_is_a_number(text: str, value: object) -> None:
    assert payload(keep_alive=text)["keep_alive"] == value


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("qwen3", "qwen3:latest", True),
        ("Qwen3", "registry.ollama.ai/library/qwen3:latest", True),
        ("library/qwen3:8b", "qwen3:8b", True),
        ("qwen3", "qwen3:8b", False),
        ("me/qwen3", "qwen3", False),
        ("host:5000/me/m", "host:5000/me/m:latest", True),
    ],
)
def test_names_are_compared_as_ollama_does(one: str, other: str, same: bool) -> None:
    assert same_model(one, other) is same


async def test_preload_and_unload(connect: Connect) -> None:
    async with ScriptedServer() as server:
        backend = connect(OllamaBackend, server.url)
        await backend.preload("qwen3", 4096, "10m")
        assert server.last("/api/generate").json == {
            "model": "qwen3",
            "options": {"num_ctx": 4096},
            "keep_alive": "10m",
        }
        assert [(m.name, m.context_length) for m in await backend.loaded()] == [("qwen3:latest", 4096)]
        await backend.unload("qwen3")
        assert await backend.loaded() == ()
        with pytest.raises(ModelNotFound):
            await backend.preload("nosuch", None, None)


async def test_the_vocabulary_comes_as_it_is(connect: Connect) -> None:
    tokens = [f"token{n}" for n in range(100_000)]
    async with ScriptedServer(models=(Model(verbose={"tokenizer.ggml.tokens": tokens}),)) as server:
        body = await connect(OllamaBackend, server.url).show_verbose("qwen3")
    assert b"token99999" in body


async def test_what_can_think_is_known(connect: Connect) -> None:
    async with ScriptedServer() as server:
        details = await connect(OllamaBackend, server.url).details("qwen3")
    assert details.can_think
    assert details.context_length == 40960


async def test_hostile_names_are_made_safe(connect: Connect) -> None:
    async with ScriptedServer(models=(Model(name="\x1b[31mevil\u202e"),)) as server:
        (model,) = await connect(OllamaBackend, server.url).models()
    assert model.name.isprintable()


@pytest.mark.parametrize("body", [b"[]", b'{"models":[{"name":1}]}', b"{}", b"not json", b"\xff"])
async def test_a_list_that_is_none_is_an_error(body: bytes, connect: Connect) -> None:
    async with ScriptedServer(at={"/api/tags": Plain(body=body)}) as server:
        with pytest.raises(NotAModelServer):
            await connect(OllamaBackend, server.url).models()
