"""A small, real HTTP server that speaks Ollama's and OpenAI's protocols from a script.

    async with ScriptedServer(Reply(content=("Hel", "lo"), holds=(1,))) as server:
        ...                                           # a client asks server.url for a reply
        await server.until(lambda s: s.holding == 1)  # "Hel" is out, and nothing more comes
        server.release()

    with ScriptedServer().in_thread() as server:      # the same for a test that blocks
        server.until(lambda s: s.count("/api/chat") == 1)

Every request for a reply takes the next answer of the script; the last one is given again and again.
`python tests/scripted_server.py PORT` runs one by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from script import (
    LOAD,
    Answer,
    Fault,
    Model,
    OllamaDialect,
    OpenAIDialect,
    Plain,
    Raw,
    Reply,
    document,
    encode,
    not_found,
    partial_of,
    preloaded,
    rendered,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

DEADLINE = 10.0
"""Seconds after which a test that waits for the server has failed."""

_CHATS = ("/api/chat", "/v1/chat/completions")


@dataclass(slots=True)
class Request:
    """A request as it came; times are CLOCK_MONOTONIC, `sent_at` has one for each token."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    received_at: float
    sent_at: list[float] = field(default_factory=list)
    hung_up: bool = False
    finished: bool = False

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body or b"{}")


class HangUp(Exception):
    """The script wants this connection closed."""


class _Body:
    """A chunked response; the head goes out with the first byte, as Ollama's does."""

    def __init__(self, writer: asyncio.StreamWriter, content_type: str) -> None:
        self._writer = writer
        self._head = _head(200, content_type, ("Transfer-Encoding", "chunked"))

    async def send(self, data: bytes) -> None:
        self._writer.write(self._head + f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self._head = b""
        await self._writer.drain()

    async def finish(self) -> None:
        self._writer.write(self._head + b"0\r\n\r\n")
        await self._writer.drain()

    def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()


class ScriptedServer:
    """The server. `at` answers a path by an answer of its own, in place of what it would say."""

    def __init__(
        self,
        *replies: Answer,
        models: tuple[Model, ...] = (Model(),),
        at: Mapping[str, Answer] | None = None,
        version: str = "0.32.15",
        port: int = 0,
    ) -> None:
        self.replies = list(replies or (Reply(),))
        self.models = models
        self.at = dict(at or {})
        self.version = version
        self.port = port
        self.requests: list[Request] = []
        self.loaded: dict[str, int] = {}
        self.holding: int | None = None
        self._changed = asyncio.Event()
        self._releases = asyncio.Semaphore(0)
        self.connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens; the same after `stop()` and `start()`."""
        return f"http://127.0.0.1:{self.port}"

    def count(self, path: str) -> int:
        """How many requests for `path` have come."""
        return sum(request.path == path for request in self.requests)

    def last(self, path: str) -> Request:
        """The newest request for `path`."""
        return next(request for request in reversed(self.requests) if request.path == path)

    def release(self) -> None:
        """Let one hold pass, the present one or the next to come."""
        self._releases.release()

    async def until(self, condition: Callable[[ScriptedServer], bool], deadline: float = DEADLINE) -> None:
        """Wait until `condition` holds; it is looked at whenever something has happened here."""
        async with asyncio.timeout(deadline):
            while not condition(self):
                await self._changed.wait()

    async def start(self) -> None:
        """Listen, on the port of the last time if there was one."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, close every connection as a killed server would, and forget loaded models."""
        if self._server is None:
            return
        self._server.close()
        # A connection accepted this moment gets its transport, its protocol and its task, each in a turn of the loop.
        for _ in range(5):
            await asyncio.sleep(0)
        connections = list(self.connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None
        self.loaded.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def in_thread(self) -> ThreadedServer:
        """The same server in a thread of its own."""
        return ThreadedServer(self)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        try:
            while True:
                request = await self._receive(reader)
                self.requests.append(request)
                self._notify()
                await self._serve(request, reader, writer)
        except (OSError, asyncio.IncompleteReadError, HangUp, asyncio.CancelledError):
            pass  # a cancellation is `stop()`; asyncio's streams would report it as an error
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self.connections.discard(task)
            self._notify()

    async def _receive(self, reader: asyncio.StreamReader) -> Request:
        request = await read_head(reader)
        request.body = await reader.readexactly(int(request.headers.get("content-length", 0)))
        return request

    async def _serve(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer, and notice at once when the client hangs up before the end."""
        answer = asyncio.ensure_future(self._answer(request, writer))
        hang_up = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answer, hang_up}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                request.hung_up = True
                raise HangUp
            answer.result()
        finally:
            answer.cancel()
            hang_up.cancel()
            await asyncio.gather(answer, hang_up, return_exceptions=True)
            request.finished = True
            self._notify()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        match self._choose(request):
            case Reply() as reply:
                model = self._find(request) or Model()
                await self._stream(reply.after(partial_of(request.json, model)), request, writer)
            case Plain(status, body, content_type, headers):
                writer.write(_head(status, content_type, ("Content-Length", str(len(body))), *headers))
                writer.write(body)
                await writer.drain()
            case Raw(data, drip):
                for piece in (bytes([byte]) for byte in data) if drip else (data,):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                raise HangUp

    def _choose(self, request: Request) -> Answer:
        if request.path in self.at:
            return self.at[request.path]
        if request.path not in _CHATS:
            return self._document(request)
        if (model := self._find(request)) is None:
            return not_found(request.json)
        if request.json.get("_debug_render_only"):
            return rendered(request.json, model)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def _stream(self, reply: Reply, request: Request, writer: asyncio.StreamWriter) -> None:
        await self._hold(reply, LOAD)
        self._load(request)
        dialect = (OllamaDialect if request.path == "/api/chat" else OpenAIDialect)(request.json["model"])
        body = _Body(writer, dialect.content_type)
        start = time.monotonic()
        tokens = reply.tokens()[: reply.fault_at]
        for n, (name, text) in enumerate(tokens):
            await self._hold(reply, n)
            if reply.interval:
                await asyncio.sleep(max(0.0, start + n * reply.interval - time.monotonic()))
            await body.send(dialect.token(name, text))
            request.sent_at.append(time.monotonic())
            self._notify()
        await self._hold(reply, len(tokens))
        await self._end(reply, dialect, body)

    async def _end(self, reply: Reply, dialect: OllamaDialect | OpenAIDialect, body: _Body) -> None:
        match reply.fault:
            case None:
                await body.send(dialect.end(reply))
            case Fault.ERROR:
                await body.send(dialect.error(reply.error))
            case Fault.CUT:
                raise HangUp
            case Fault.RESET:
                body.reset()
                raise HangUp
            case Fault.SILENCE:
                await asyncio.Event().wait()
            case Fault.END:
                pass
        await body.finish()

    async def _hold(self, reply: Reply, point: int) -> None:
        if point in reply.holds:
            self.holding = point
            self._notify()
            await self._releases.acquire()
            self.holding = None

    def _find(self, request: Request) -> Model | None:
        name = request.json.get("model", "")
        return next((model for model in self.models if name in (model.name, model.name.split(":")[0])), None)

    def _load(self, request: Request) -> None:
        """Load or unload the model that the request names, with the context that it asks for."""
        model = self._find(request)
        if model is not None and request.json.get("keep_alive") == 0:
            self.loaded.pop(model.name, None)
        elif model is not None:
            self.loaded[model.name] = (request.json.get("options") or {}).get("num_ctx", model.num_ctx)

    def _document(self, request: Request) -> Plain:
        if request.path == "/":
            return Plain(body=b"Ollama is running", content_type="text/plain; charset=utf-8")
        if request.path in ("/api/show", "/api/generate"):
            return self._about_model(request)
        running = [(model, self.loaded[model.name]) for model in self.models if model.name in self.loaded]
        value = document(request.path, self.version, self.models, running)
        return Plain(body=encode(value)) if value else Plain(404, b"404 page not found", "text/plain")

    def _about_model(self, request: Request) -> Plain:
        model = self._find(request)
        if model is None:
            return not_found(request.json)
        if request.path == "/api/show":
            return Plain(body=encode(show(model, verbose=request.json.get("verbose", False))))
        self._load(request)
        return Plain(body=encode(preloaded(request.json)))


def _head(status: int, content_type: str, *headers: tuple[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", f"Content-Type: {content_type}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers), "", ""]).encode()


async def read_head(reader: asyncio.StreamReader) -> Request:
    """A request as far as its headers go; its body is still to come."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, path, headers, b"", time.monotonic())


class ThreadedServer:
    """A scripted server in its own thread and event loop; the same words, but blocking."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    @property
    def requests(self) -> list[Request]:
        """What has come so far."""
        return self.server.requests

    def until(self, condition: Callable[[ScriptedServer], bool], deadline: float = DEADLINE) -> None:
        """Block until `condition` holds."""
        self._call(self.server.until(condition, deadline))

    def release(self) -> None:
        """Let one hold pass."""
        self._loop.call_soon_threadsafe(self.server.release)

    def start(self) -> None:
        """Listen, on the port of the last time."""
        self._call(self.server.start())

    def stop(self) -> None:
        """Stop listening and close every connection."""
        self._call(self.server.stop())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE * 2)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(DEADLINE)
            self._loop.close()


def main() -> None:
    """Serve until interrupted: `python tests/scripted_server.py 11434 --rate 50 --tokens 2000`."""
    parser = argparse.ArgumentParser(description="A scripted Ollama and OpenAI-compatible server.")
    parser.add_argument("port", type=int)
    parser.add_argument("--rate", type=float, default=50.0, help="tokens per second")
    parser.add_argument("--tokens", type=int, default=200, help="tokens in every reply")
    options = parser.parse_args()
    words = tuple(f"word{n} " for n in range(options.tokens))
    reply = Reply(content=words, interval=1 / options.rate)
    with ScriptedServer(reply, port=options.port).in_thread() as server:
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
