"""Ollama's native API (`api/types.go`, `server/routes.go`): `/api/chat` streams NDJSON.

Ollama sends the headers only with the first record, after loading, queueing and prompt evaluation; hanging
up during a load aborts the load. So nothing limits the wait for them, and `/api/ps` tells what it is for.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from qwentui.backends.base import LoadedModel, ModelDetails, ModelSummary
from qwentui.backends.failures import stream_error
from qwentui.backends.framing import NdjsonDecoder
from qwentui.backends.http import SILENCE, HttpClient
from qwentui.backends.payload import messages_payload, safe_name
from qwentui.backends.thinking import ThinkSplitter
from qwentui.chat.errors import BackendError, NotAModelServer, ReplyBroken, ReplyCut, RequestRefused
from qwentui.chat.sanitize import sanitize_line
from qwentui.chat.stream import Finished, FinishReason, Phase, PhaseChanged, RequestSent, ThinkingDelta
from qwentui.chat.usage import ServerUsage
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from qwentui.backends.address import Endpoint
    from qwentui.backends.base import ChatRequest
    from qwentui.backends.exchange import Exchange
    from qwentui.chat.stream import StreamEvent

_POLL_INTERVAL = 1.0
_POLL_TIMEOUT = 5.0
_VOCABULARY_TIMEOUT = 300.0
_VOCABULARY_LIMIT = 64 * 1024 * 1024  # bytes; Qwen3's answer has 3.3 million characters


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None


class _Record(msgspec.Struct):
    """A record of `/api/chat`; durations are nanoseconds, and zero values are left out by the server."""

    model: str = ""
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    error: Any = None
    prompt_eval_count: int | None = None
    prompt_eval_duration: int | None = None
    eval_count: int | None = None
    eval_duration: int | None = None
    load_duration: int | None = None
    total_duration: int | None = None


class _Details(msgspec.Struct):
    parameter_size: str | None = None
    quantization_level: str | None = None


class _Model(msgspec.Struct):
    """A model in `/api/tags` or `/api/ps`; sizes are bytes."""

    name: str
    digest: str = ""
    size: int | None = None
    details: _Details | None = None
    size_vram: int | None = None
    context_length: int | None = None
    expires_at: str = ""


class _Models(msgspec.Struct):
    models: list[_Model] | None


class _Show(msgspec.Struct):
    template: str | None = None
    capabilities: list[str] | None = None
    model_info: dict[str, Any] | None = None


class _Version(msgspec.Struct):
    version: str


class _DebugInfo(msgspec.Struct):
    rendered_template: str = ""


class _Rendered(msgspec.Struct):
    info: _DebugInfo | None = msgspec.field(name="_debug_info", default=None)


_RECORD = msgspec.json.Decoder(_Record)
_MODELS = msgspec.json.Decoder(_Models)
_SHOW = msgspec.json.Decoder(_Show)
_VERSION = msgspec.json.Decoder(_Version)
_RENDERED = msgspec.json.Decoder(_Rendered)
_ANYTHING = msgspec.json.Decoder(dict[str, Any])


class OllamaBackend:
    """An Ollama server.

    Args:
        endpoint: How it is reached.
        silence: Seconds without a byte after which a reply that has begun counts as broken.
    """

    def __init__(self, endpoint: Endpoint, *, silence: float = SILENCE) -> None:
        self._http = HttpClient(endpoint)
        self._silence = silence

    @property
    def host(self) -> str:
        """The address as a user reads it."""
        return self._http.endpoint.host

    @property
    def http(self) -> HttpClient:
        """The way to the server, for what is asked beside talking."""
        return self._http

    async def version(self) -> str:
        """The server's version (`/api/version`, which takes no lock and knows no model)."""
        answer = await self._http.fetch_json("/api/version", _VERSION)
        return sanitize_line(answer.version)

    async def models(self) -> tuple[ModelSummary, ...]:
        """The models on the server's disk (`/api/tags`)."""
        answer = await self._http.fetch_json("/api/tags", _MODELS)
        return tuple(_summary(model) for model in answer.models or ())

    async def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory (`/api/ps`); one that is being loaded is not among them."""
        answer = await self._http.fetch_json("/api/ps", _MODELS)
        return tuple(_loaded(model) for model in answer.models or ())

    async def digest(self, model: str) -> str:
        """The digest of `model`'s manifest, 64 hex digits; "" if the server does not have the model."""
        models = await self.models()
        return next((found.digest for found in models if same_model(found.name, model)), "")

    async def details(self, model: str) -> ModelDetails:
        """What `model` can do (`/api/show`, the only place that knows a GGUF's own template)."""
        show = await self._http.fetch_json("/api/show", _SHOW, {"model": model})
        info = show.model_info or {}
        context_length = info.get(f"{info.get('general.architecture')}.context_length")
        return ModelDetails(
            model,
            frozenset(show.capabilities or ()),
            show.template or "",
            context_length if isinstance(context_length, int) else None,
            await self.digest(model),
        )

    async def show(self, model: str) -> dict[str, Any]:
        """`/api/show` as it is, decoded, without the vocabulary."""
        return await self._http.fetch_json("/api/show", _ANYTHING, {"model": model})

    async def show_verbose(self, model: str) -> bytes:
        """`/api/show` with the whole vocabulary in `model_info`, megabytes of JSON, not decoded."""
        body = {"model": model, "verbose": True}
        return await self._http.fetch("/api/show", body, timeout=_VOCABULARY_TIMEOUT, limit=_VOCABULARY_LIMIT)

    async def preload(self, model: str, num_ctx: int | None, keep_alive: str | None) -> None:
        """Load `model`, and return once it is in memory; being cancelled aborts the load.

        Args:
            model: Its name.
            num_ctx: The context size in tokens; another one than the next chat's would load it twice.
            keep_alive: How long it stays, as in `ChatRequest`.
        """
        options = {} if num_ctx is None else {"options": {"num_ctx": num_ctx}}
        body = {"model": model, **options, **_keep_alive(keep_alive)}
        await self._http.fetch("/api/generate", body, timeout=None)

    async def unload(self, model: str) -> None:
        """Have `model` leave the memory as soon as its running requests are done."""
        await self._http.fetch("/api/generate", {"model": model, "keep_alive": 0})

    async def count_prompt(self, request: ChatRequest) -> int | None:  # noqa: ARG002 - the protocol's name
        """None: Ollama has no route that counts (`/api/tokenize` is a 404)."""
        return None

    async def continues(self, request: ChatRequest) -> bool | None:
        """Whether the prompt that the server renders of `request` ends with its last message's text.

        `_debug_render_only` renders and answers without running the model, which it loads, though.
        """
        body = chat_payload(request) | {"stream": False, "_debug_render_only": True}
        try:
            answer = await self._http.fetch_json("/api/chat", _RENDERED, body, timeout=None)
        except (RequestRefused, NotAModelServer):
            return None
        if answer.info is None:
            return None
        return answer.info.rendered_template.endswith(request.messages[-1].content)

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        """Ask for a reply; see `Backend.stream`."""
        async with aclosing(self._events(request)) as events:
            yield events

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _events(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        yield PhaseChanged(Phase.CONNECTING)
        async with self._http.open("/api/chat", chat_payload(request)) as exchange:
            await exchange.beside(exchange.sent.wait())
            if exchange.sent.is_set():
                yield RequestSent()
            async with aclosing(self._phases(exchange, request.model)) as phases:
                async for phase in phases:
                    yield PhaseChanged(phase)
            await exchange.begin()
            exchange.silence, exchange.paced = self._silence, request.paced
            splitter = ThinkSplitter()
            try:
                async with aclosing(exchange.records(NdjsonDecoder(), _RECORD)) as records:
                    async for record in records:
                        for event in _events_of(record, splitter):
                            yield event
                        if record.done:
                            await exchange.drain()
                            return
                hint = _("A loop of one token ends so on older servers; ask again, or raise the temperature.")
                raise ReplyCut(_("The server ended the reply before it was done."), hint)
            except ReplyBroken:
                for event in splitter.finish():
                    yield event
                raise

    async def _phases(self, exchange: Exchange, model: str) -> AsyncGenerator[Phase, None]:
        """What the reply waits for until its headers come, each time that it changes."""
        known = None
        while not exchange.head.done():
            phase = await exchange.beside(self._phase(model))
            if phase is not None and phase is not known:
                known = phase
                yield phase
            await exchange.beside(asyncio.sleep(_POLL_INTERVAL))

    async def _phase(self, model: str) -> Phase | None:
        try:
            answer = await self._http.fetch_json("/api/ps", _MODELS, timeout=_POLL_TIMEOUT)
        except BackendError:
            return None
        present = any(same_model(found.name, model) for found in answer.models or ())
        return Phase.WAITING if present else Phase.LOADING


def same_model(one: str, other: str) -> bool:
    """Whether two names mean one model: case, `:latest` and the default registry do not matter."""
    return _canonical(one) == _canonical(other)


def _canonical(name: str) -> str:
    short = name.casefold().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return short if ":" in short.rpartition("/")[2] else f"{short}:latest"


def chat_payload(request: ChatRequest) -> dict[str, object]:
    """The body for `/api/chat`.

    `truncate` is off so that the server refuses a prompt that is too long in place of cutting it silently.
    `shift` is never sent: it is a flag of the runner's launch, and another value reloads the model.
    """
    options: dict[str, object] = dict(request.sampling.options())
    if request.num_ctx is not None:
        options["num_ctx"] = request.num_ctx
    if request.num_predict is not None:
        options["num_predict"] = request.num_predict
    body: dict[str, object] = {
        "model": request.model,
        "messages": messages_payload(request.messages),
        "stream": True,
        "truncate": False,
        "options": options,
        **_keep_alive(request.keep_alive),
    }
    if request.think is not None:
        body["think"] = request.think
    return body


def _keep_alive(text: str | None) -> dict[str, object]:
    """The field, a number where the text is one: Ollama takes a bare number as seconds, but not as text."""
    if text is None:
        return {}
    return {"keep_alive": float(text) if re.fullmatch(r"[+-]?\d{1,12}(\.\d{1,9})?", text) else text}


def _events_of(record: _Record, splitter: ThinkSplitter) -> Iterator[StreamEvent]:
    """The events of one record; the last one may carry content too.

    Raises:
        ReplyFailed: The record reports an error.
    """
    if record.error is not None:
        raise stream_error(record.error)
    if record.message is not None and record.message.thinking:
        yield ThinkingDelta(record.message.thinking)
    if record.message is not None and record.message.content:
        yield from splitter.feed(record.message.content)
    if record.done:
        yield from splitter.finish()
        reason = FinishReason.LENGTH if record.done_reason == "length" else FinishReason.STOP
        yield Finished(reason, _usage(record), record.model)


def _usage(record: _Record) -> ServerUsage:
    return ServerUsage(
        prompt_eval_count=record.prompt_eval_count,
        prompt_eval_duration=_seconds(record.prompt_eval_duration),
        eval_count=record.eval_count,
        eval_duration=_seconds(record.eval_duration),
        load_duration=_seconds(record.load_duration),
        total_duration=_seconds(record.total_duration),
    )


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e9


def _summary(model: _Model) -> ModelSummary:
    details = model.details or _Details()
    return ModelSummary(
        safe_name(model.name),
        sanitize_line(model.digest),
        model.size,
        sanitize_line(details.parameter_size or ""),
        sanitize_line(details.quantization_level or ""),
    )


def _loaded(model: _Model) -> LoadedModel:
    return LoadedModel(
        safe_name(model.name),
        sanitize_line(model.digest),
        model.size,
        model.size_vram,
        model.context_length,
        sanitize_line(model.expires_at),
    )
