"""The built-in model: llama.cpp's own server in a child process, for a machine with no Ollama.

The child listens on a free port of the loopback interface, lets in only who knows its random key, and ends
with this process, however this one ends. The talk itself is `OpenAIBackend`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import secrets
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from qwentui.backends.base import Backend
from qwentui.backends.model_fetch import Progress, fetch
from qwentui.chat.errors import ConnectFailed, EmbeddedError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from qwentui.backends.base import ChatRequest, LoadedModel, ModelDetails, ModelSummary
    from qwentui.chat.stream import StreamEvent

MODEL_NAME = "smollm2-135m-instruct"
"""What the model that qwentui fetches by itself is called."""

HOST = N_("built-in model")
"""What stands in place of a server's address."""

N_CTX = 8192
"""The context asked for, in tokens; llama.cpp caps it at what the model was trained for."""

_CHILD = Path(__file__).with_name("embedded_child.py")
_LOG_TAIL = 16_384
_GRACE_S = 1.0
_OTHER_FILE = N_("Take another file: qwentui --embedded PATH.gguf")
_OUT_OF_MEMORY = re.compile(r"alloc|memory|system_error|Resource temporarily unavailable")
_ERROR_LINE = re.compile(r"\S+ E (.+)")


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where the child listens, and the key that it wants as a bearer token."""

    base_url: str
    api_key: str = field(repr=False)


class EmbeddedServer:
    """One child process with one model in memory.

    Args:
        gguf: The model's file.
        name: What the server calls the model.
        n_ctx: The context in tokens.
        python: The interpreter that has `xllamacpp`.
    """

    def __init__(self, gguf: Path, name: str, *, n_ctx: int = N_CTX, python: str = sys.executable) -> None:
        self._gguf = gguf
        self._name = name
        self._n_ctx = n_ctx
        self._python = python
        self._process: asyncio.subprocess.Process | None = None
        self._log = bytearray()
        self._log_reader: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id, None before the start."""
        return self._process.pid if self._process else None

    async def start(self) -> RunningServer:
        """Load the model; returns when the server answers.

        Leaving by an error or by cancelling leaves no process behind.

        Raises:
            EmbeddedError: The file is no model that llama.cpp can load, or llama.cpp is missing.
        """
        _check_magic(self._gguf)
        process = await asyncio.create_subprocess_exec(
            *(self._python, "-P", str(_CHILD)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Where ggml gives up it would start a debugger on itself, if there is one, to print a backtrace.
            env=os.environ | {"GGML_NO_BACKTRACE": "1"},
            # Apart from the terminal's signals: Ctrl+C stops a reply, not the model.
            start_new_session=True,
        )
        self._process = process
        self._log_reader = asyncio.ensure_future(self._keep_log(process))
        try:
            return await self._handshake(process)
        except BaseException:
            await self.aclose()
            raise

    async def _handshake(self, process: asyncio.subprocess.Process) -> RunningServer:
        api_key = secrets.token_urlsafe(32)
        order = {
            "parent": os.getpid(),
            "model": str(self._gguf.absolute()),
            "name": self._name,
            "n_ctx": self._n_ctx,
            "api_key": api_key,
        }
        # Both pipes are there because both were asked for.
        stdin = cast("asyncio.StreamWriter", process.stdin)
        stdout = cast("asyncio.StreamReader", process.stdout)
        stdin.write(json.dumps(order).encode() + b"\n")
        line = await stdout.readline()
        if not line:
            raise await self._load_failed(process)
        answer = json.loads(line)
        if "missing" in answer:
            raise _no_llama_cpp()
        return RunningServer(answer["address"], api_key)

    async def _keep_log(self, process: asyncio.subprocess.Process) -> None:
        """Keep the end of llama.cpp's log in memory: it reaches neither the terminal nor a growing file."""
        stderr = cast("asyncio.StreamReader", process.stderr)
        while chunk := await stderr.read(4096):
            self._log += chunk
            del self._log[:-_LOG_TAIL]

    async def _load_failed(self, process: asyncio.subprocess.Process) -> EmbeddedError:
        status = await process.wait()
        await self._log_read()
        reason = _reason(self._log.decode(errors="replace")) or _ending(status)
        return EmbeddedError(
            _("llama.cpp could not load {file}: {reason}.").format(
                file=sanitize_line(self._gguf.name), reason=reason.rstrip(".")
            ),
            _hint(reason, status),
        )

    @property
    def is_dead(self) -> bool:
        """Whether the child is known to have ended."""
        return self._process is not None and self._process.returncode is not None

    async def ended(self) -> str:
        """How the child ended, or "" while it runs; waits a moment, for a broken connection tells first."""
        if self._process is None:
            return ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                return _ending(await self._process.wait())
        return ""

    async def aclose(self) -> None:
        """End the child, in a second at most, and its log's reader; again does nothing."""
        process = self._process
        if process is None:
            return
        cast("asyncio.StreamWriter", process.stdin).close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        await process.wait()
        await self._log_read()

    async def _log_read(self) -> None:
        """Wait until the end of the log is in; it comes right after the child's end."""
        if self._log_reader is not None:
            await asyncio.wait([self._log_reader], timeout=_GRACE_S)
            self._log_reader.cancel()


def _check_magic(gguf: Path) -> None:
    """Refuse at once what is no GGUF file; its first four bytes are `GGUF` (the format's specification)."""
    name = sanitize_line(str(gguf))
    try:
        with gguf.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise EmbeddedError(
            _("The model file {path} cannot be read: {reason}.").format(path=name, reason=error.strerror),
            _(_OTHER_FILE),
        ) from error
    if magic != b"GGUF":
        raise EmbeddedError(_("{path} is not a GGUF file.").format(path=name), _(_OTHER_FILE))


def _reason(log: str) -> str:
    """Why loading failed, by llama.cpp's log: its verdict on the model, else its first error, else the rest.

    A log line is time, level, function, message: `0.00.083.708 E llama_model_load: error loading model: ...`.
    The C++ runtime and OpenMP write without time and level, Python writes its traceback.
    """
    lines = [line for line in log.splitlines() if line.strip()]
    verdicts = [line.partition("error loading model: ")[2] for line in lines]
    verdicts = [verdict for verdict in verdicts if verdict and "failed to load model from" not in verdict]
    errors = [match[1] for line in lines if (match := _ERROR_LINE.match(line))]
    others = [line for line in lines if not line.startswith((" ", "Traceback")) and not line[0].isdigit()]
    return sanitize_line(next(iter([*verdicts, *errors, *others]), ""))


def _ending(status: int) -> str:
    """An exit status in words."""
    if status < 0:
        return _("it was ended by {signal}").format(signal=signal.Signals(-status).name)
    return _("it ended with status {status}").format(status=status)


def _hint(reason: str, status: int) -> str:
    if status == -signal.SIGKILL or _OUT_OF_MEMORY.search(reason):
        return _("There is too little memory: close other programs, or take a smaller model.")
    if "unknown model architecture" in reason:
        return _("A newer llama.cpp may know it: pip install -U xllamacpp")
    return _(_OTHER_FILE)


Started = tuple[EmbeddedServer, Backend]
"""A child that serves, and what talks to it."""


class EmbeddedBackend:
    """The built-in model as a backend: the child process, and what talks to it.

    A child that died is started again by the next request, or by `version`, which looks for it.

    Args:
        started: The child, which is ended by `aclose`.
        start: Starts another one in its place.
    """

    def __init__(self, started: Started, start: Callable[[], Awaitable[Started]]) -> None:
        self._server, self._talk = started
        self._start = start
        self._starting = asyncio.Lock()

    @property
    def host(self) -> str:
        """What a user reads in place of an address."""
        return _(HOST)

    async def version(self) -> str:
        """The server's name or version, as it tells it."""
        async with self._watched():
            return await self._talk.version()

    async def models(self) -> tuple[ModelSummary, ...]:
        """The one model."""
        async with self._watched():
            return await self._talk.models()

    async def loaded(self) -> tuple[LoadedModel, ...]:
        """The one model, which is in memory as long as the child lives."""
        async with self._watched():
            return await self._talk.loaded()

    async def details(self, model: str) -> ModelDetails:
        """What the model can do, as the server tells it."""
        async with self._watched():
            return await self._talk.details(model)

    async def count_prompt(self, request: ChatRequest) -> int | None:
        """What the child counts for `request`."""
        async with self._watched():
            return await self._talk.count_prompt(request)

    async def continues(self, request: ChatRequest) -> bool | None:
        """Whether the child would go on from the last message of `request`."""
        async with self._watched():
            return await self._talk.continues(request)

    async def preload(self, model: str, num_ctx: int | None, keep_alive: str | None) -> None:
        """Raises NotOffered: the model is in memory for as long as the program runs."""
        await self._talk.preload(model, num_ctx, keep_alive)

    async def unload(self, model: str) -> None:
        """Raises NotOffered, as `preload` does."""
        await self._talk.unload(model)

    @contextlib.asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        """Ask for a reply; see `Backend.stream`."""
        async with self._watched(), self._talk.stream(request) as events:
            yield events

    async def aclose(self) -> None:
        """Close the connections, then end the child."""
        try:
            await self._talk.aclose()
        finally:
            await self._server.aclose()

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Have a child that lives; say that it is gone, where the talk could tell no more than a refusal."""
        if self._server.is_dead:
            await self._revive()
        try:
            yield
        except ConnectFailed as error:
            how = await self._server.ended()
            if not how:
                raise
            raise ConnectFailed(
                _("The built-in model is gone: {how}.").format(how=how), _("Ask again to start it anew.")
            ) from error

    async def _revive(self) -> None:
        async with self._starting:
            if not self._server.is_dead:
                return  # another request was first
            how = await self._server.ended()
            await self._talk.aclose()
            await self._server.aclose()
            try:
                self._server, self._talk = await self._start()
            except EmbeddedError as error:
                raise ConnectFailed(
                    _("The built-in model is gone: {how}, and does not start again.").format(how=how),
                    error.message,
                ) from error


async def open_embedded(
    cache: Path, gguf: Path | None, progress: Callable[[Progress], None], *, n_ctx: int = N_CTX
) -> EmbeddedBackend:
    """Fetch the built-in model where needed, load it or another GGUF, and be ready to talk.

    Args:
        cache: The folder that keeps the built-in model.
        gguf: A model's file to run in its place.
        progress: Is told each step; "loading" is the last.
        n_ctx: The context in tokens; it costs memory in proportion.

    Raises:
        EmbeddedError: A part is missing, or the model could not be fetched or loaded.
    """
    from qwentui.backends.address import Endpoint
    from qwentui.backends.openai import OpenAIBackend

    if importlib.util.find_spec("xllamacpp") is None:
        raise _no_llama_cpp()
    name = gguf.stem if gguf else MODEL_NAME
    path = gguf or await fetch(cache, progress)

    async def start() -> Started:
        server = EmbeddedServer(path, name, n_ctx=n_ctx)
        running = await server.start()
        # llama.cpp's server hangs up after a streamed reply without having said so; a connection that is used
        # again may meet that end in place of an answer.
        endpoint = Endpoint(running.base_url, bearer=running.api_key, headers=(("Connection", "close"),))
        return server, OpenAIBackend(endpoint)

    progress(Progress("loading"))
    return EmbeddedBackend(await start(), start)


def _no_llama_cpp() -> EmbeddedError:
    return EmbeddedError(
        _("llama.cpp is missing, which runs the built-in model."),
        _('Install it: pip install "qwentui[embedded]"'),
    )
