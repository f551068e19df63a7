from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from outcome import nothing_left
from script import Plain, Raw, failure
from scripted_server import ScriptedServer

from qwentui.backends import detect as module
from qwentui.backends.address import Endpoint
from qwentui.backends.detect import detect
from qwentui.backends.ollama import OllamaBackend
from qwentui.backends.openai import OpenAIBackend
from qwentui.chat.errors import (
    AccessDenied,
    BackendError,
    ConnectFailed,
    NotAModelServer,
    ServerBusy,
    ServerFailed,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from script import Answer

    from qwentui.backends.detect import Api

NOT_FOUND = Plain(404, b"404 page not found", "text/plain")
NO_OLLAMA: Mapping[str, Answer] = {"/": NOT_FOUND, "/api/version": NOT_FOUND}


async def kind_of(at: Mapping[str, Answer], path: str = "", api: Api = "auto") -> type:
    async with ScriptedServer(at=at) as server:
        backend = await detect(Endpoint(server.url + path), api)
        await backend.aclose()
    await nothing_left()
    return type(backend)


async def error_of(url: str) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await detect(Endpoint(url))
    await nothing_left()
    assert caught.value.message.endswith(".")
    assert caught.value.message.isprintable()
    return caught.value


@pytest.mark.parametrize(
    "at",
    [
        {},
        {"/v1/models": NOT_FOUND},
        {"/api/version": NOT_FOUND, "/v1/models": NOT_FOUND},
        {"/api/version": Plain(body=b"{}"), "/v1/models": NOT_FOUND},
    ],
)
async def test_ollama_is_known_by_its_version_or_its_greeting(at: Mapping[str, Answer]) -> None:
    assert await kind_of(at) is OllamaBackend


@pytest.mark.parametrize(
    "answer",
    [NOT_FOUND, failure(405, "no"), Plain(body=b'{"detail":"Not Found"}'), Plain(403), Plain(302)],
)
async def test_an_openai_compatible_server_is_known_by_its_models(answer: Plain) -> None:
    assert await kind_of({"/": answer, "/api/version": answer}) is OpenAIBackend


@pytest.mark.parametrize(("at", "kind"), [({}, OllamaBackend), (NO_OLLAMA, OpenAIBackend)])
async def test_an_address_with_v1_is_understood(at: Mapping[str, Answer], kind: type) -> None:
    assert await kind_of(at, "/v1") is kind


async def test_the_api_can_be_given() -> None:
    assert await kind_of({}, api="openai") is OpenAIBackend
    async with ScriptedServer(at=NO_OLLAMA) as server:
        with pytest.raises(NotAModelServer):
            await detect(Endpoint(server.url), "ollama")


@pytest.mark.parametrize(
    ("answer", "kind", "part"),
    [
        (failure(500, "oh no"), ServerFailed, "oh no"),
        (failure(503, "Loading model"), ServerBusy, "Loading model"),
        (Plain(401), AccessDenied, "401"),
        (Plain(403), AccessDenied, "Host header"),
        (NOT_FOUND, NotAModelServer, "neither Ollama nor"),
        (Plain(body=b"hello", content_type="text/plain"), NotAModelServer, "neither Ollama nor"),
        (Plain(body=b'{"ok":true}'), NotAModelServer, "neither Ollama nor"),
        (Plain(body=b"<title>Router</title>", content_type="text/html"), NotAModelServer, "Router"),
        (Plain(301, headers=(("Location", "https://x/"),)), NotAModelServer, "https://x/"),
        (Plain(404, b"<html>", "text/html"), NotAModelServer, "neither Ollama nor"),
        (Plain(body=b"x" * 2_000_000), NotAModelServer, "does not answer as a model server"),
        (
            Raw(b"SSH-2.0-OpenSSH_9.6\r\nInvalid SSH identification string.\r\n"),
            ConnectFailed,
            "no model server",
        ),
        (Raw(b"\x15\x03\x01\x00\x02\x02\x16"), NotAModelServer, "https://"),
        (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"), ConnectFailed, "broke off"),
        (Raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000), NotAModelServer, "HTTP"),
        (Raw(b"HTTP/1.1 \xff\xff\r\n\r\n"), NotAModelServer, "HTTP"),
    ],
)
async def test_whatever_answers_is_one_sentence(answer: Answer, kind: type[BackendError], part: str) -> None:
    async with ScriptedServer(at=dict.fromkeys(("/", "/api/version", "/v1/models"), answer)) as server:
        error = await error_of(server.url)
    assert type(error) is kind
    assert part in str(error)


@asynccontextmanager
async def port(talk: Callable[[asyncio.StreamWriter], None]) -> AsyncIterator[str]:
    """A port where `talk` says something to whoever connects, and the connection stays."""
    writers: list[asyncio.StreamWriter] = []

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        talk(writer)

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in writers:
            writer.close()


@pytest.mark.parametrize(
    "greeting",
    [
        b"",
        b"220 mail.example.com ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
    ],
)
async def test_a_port_that_falls_silent(greeting: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE_TIMEOUT", 0.2)
    async with port(lambda writer: writer.write(greeting)) as url:
        error = await error_of(url)
    assert type(error) is ConnectFailed
    assert "0.2 s" in error.message


async def test_endless_bytes_end() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    async with port(lambda writer: writer.write(head + b" " * 4_000_000)) as url:
        error = await error_of(url)
    assert type(error) is NotAModelServer


async def test_nobody_there() -> None:
    async with ScriptedServer() as server:
        url = server.url
    error = await error_of(url)
    assert type(error) is ConnectFailed
    assert "Nothing listens" in error.message
    assert "ollama serve" in error.hint
