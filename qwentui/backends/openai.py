"""OpenAI-compatible servers, llama.cpp's and vLLM above all: `/v1/chat/completions` streams SSE."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from qwentui.backends.base import LoadedModel, ModelDetails, ModelSummary
from qwentui.backends.failures import stream_error
from qwentui.backends.framing import NdjsonDecoder, SseDecoder
from qwentui.backends.http import SILENCE, HttpClient
from qwentui.backends.payload import openai_messages, safe_name
from qwentui.backends.server_count import ServerCount
from qwentui.backends.thinking import CLOSE, OPEN, ThinkSplitter
from qwentui.chat.errors import (
    NotAModelServer,
    NotOffered,
    ReplyBroken,
    ReplyCut,
    RequestRefused,
    ServerFailed,
)
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

T = TypeVar("T")

_PATH = "/v1/chat/completions"
_TAIL_TIMEOUT = 5.0  # seconds between the bytes after a finish_reason, when only the usage is missing


class _Delta(msgspec.Struct):
    """New text; reasoning is `reasoning_content` with llama.cpp and older vLLM, `reasoning` with newer."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct):
    """`message` is there in place of `delta` where a server answers all at once."""

    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Timings(msgspec.Struct):
    """llama.cpp's own measurements, in milliseconds; `prompt_n` leaves out what the cache held."""

    cache_n: int = 0
    prompt_n: int | None = None
    prompt_ms: float | None = None
    predicted_n: int | None = None
    predicted_ms: float | None = None


class _Chunk(msgspec.Struct):
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    timings: _Timings | None = None
    error: Any = None
    object: str | None = None
    message: Any = None


class _Meta(msgspec.Struct):
    n_ctx_train: int | None = None
    size: int | None = None


class _Model(msgspec.Struct):
    """A model of `/v1/models`; `meta` is llama.cpp's (size in bytes), `max_model_len` vLLM's (in tokens)."""

    id: str
    meta: _Meta | None = None
    max_model_len: int | None = None


class _Models(msgspec.Struct):
    data: list[_Model] | None


class _Settings(msgspec.Struct):
    n_ctx: int | None = None


class _Modalities(msgspec.Struct):
    vision: bool = False


class _Props(msgspec.Struct):
    """llama.cpp's `/props`; `n_ctx` is the context that a conversation has, in tokens."""

    default_generation_settings: _Settings | None = None
    modalities: _Modalities | None = None
    chat_template: str = ""
    build_info: str = ""


class _Version(msgspec.Struct):
    version: str


_CHUNK = msgspec.json.Decoder(_Chunk)
_MODELS = msgspec.json.Decoder(_Models)
_PROPS = msgspec.json.Decoder(_Props)
_VERSION = msgspec.json.Decoder(_Version)


class OpenAIBackend:
    """An OpenAI-compatible server.

    Args:
        endpoint: How it is reached; a `/v1` at the end of its URL is taken as given with the API's name.
        silence: Seconds without a byte after which a reply that has begun counts as broken.
    """

    def __init__(self, endpoint: Endpoint, *, silence: float = SILENCE) -> None:
        self._http = HttpClient(replace(endpoint, base_url=endpoint.base_url.removesuffix("/v1")))
        self._silence = silence
        self._server_count = ServerCount(self._http)

    @property
    def host(self) -> str:
        """The address as a user reads it."""
        return self._http.endpoint.host

    async def version(self) -> str:
        """llama.cpp's build, vLLM's version, or "OpenAI-compatible" for a server that tells neither."""
        props = await self._told("/props", _PROPS)
        if props is not None and props.build_info:
            return f"llama.cpp {sanitize_line(props.build_info)}"
        answer = await self._told("/version", _VERSION)
        if answer is not None:
            return sanitize_line(answer.version)
        await self._list()
        return "OpenAI-compatible"

    async def models(self) -> tuple[ModelSummary, ...]:
        """The models that the server offers (`/v1/models`)."""
        return tuple(
            ModelSummary(safe_name(model.id), size=model.meta.size if model.meta else None)
            for model in await self._list()
        )

    async def loaded(self) -> tuple[LoadedModel, ...]:
        """The model of a llama.cpp server with its context size; empty where the server does not tell."""
        props = await self._told("/props", _PROPS)
        settings = props.default_generation_settings if props else None
        if settings is None or not settings.n_ctx:
            return ()
        return tuple(
            LoadedModel(
                safe_name(model.id),
                size=model.meta.size if model.meta else None,
                context_length=settings.n_ctx,
            )
            for model in (await self._list())[:1]
        )

    async def details(self, model: str) -> ModelDetails:
        """What `model` can do: its template and its context as far as the server tells them.

        A template with both thinking tags can think; Ollama goes by the same rule (`server/images.go`).
        llama.cpp tells whether it sees; of another server it is taken for granted, for it says so itself
        when it is shown what it cannot see.
        """
        found = next((entry for entry in await self._list() if entry.id == model), None)
        props = await self._told("/props", _PROPS)
        template = props.chat_template if props else ""
        thinks = OPEN in template and CLOSE in template
        sees = props is None or (props.modalities is not None and props.modalities.vision)
        return ModelDetails(
            model,
            frozenset({"completion"} | ({"thinking"} if thinks else set()) | ({"vision"} if sees else set())),
            template,
            min(_contexts(found, props), default=None),
        )

    async def count_prompt(self, request: ChatRequest) -> int | None:
        """What llama.cpp's server or vLLM counts for `request`; None elsewhere, or if it takes too long."""
        return await self._server_count.of(chat_payload(request))

    async def continues(self, request: ChatRequest) -> bool | None:
        """What llama.cpp's server would do, by the prompt that it shows; None elsewhere."""
        return await self._server_count.continues(chat_payload(request), request.messages[-1].content)

    async def preload(self, model: str, num_ctx: int | None, keep_alive: str | None) -> None:  # noqa: ARG002 - the protocol's
        """Raises NotOffered: such a server holds its models as it was started."""
        sentence = _("{host} loads and unloads its models by itself.").format(host=self.host)
        raise NotOffered(sentence, _("Only Ollama does it when asked."))

    async def unload(self, model: str) -> None:
        """Raises NotOffered, as `preload` does."""
        await self.preload(model, None, None)

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        """Ask for a reply; see `Backend.stream`."""
        async with aclosing(self._events(request)) as events:
            yield events

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _list(self) -> list[_Model]:
        answer = await self._http.fetch_json("/v1/models", _MODELS)
        return answer.data or []

    async def _told(self, path: str, decoder: msgspec.json.Decoder[T]) -> T | None:
        """What the server says at a path that not every server has; None if it has it not."""
        try:
            return await self._http.fetch_json(path, decoder)
        except (RequestRefused, ServerFailed, NotAModelServer):
            return None

    async def _events(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        yield PhaseChanged(Phase.CONNECTING)
        async with self._http.open(_PATH, chat_payload(request)) as exchange:
            await exchange.beside(exchange.sent.wait())
            if exchange.sent.is_set():
                yield RequestSent()
                yield PhaseChanged(Phase.WAITING)
            await exchange.begin()
            exchange.silence, exchange.paced = self._silence, request.paced
            reply = _Reply()
            try:
                async with aclosing(_deltas(exchange, reply)) as deltas:
                    async for delta in deltas:
                        yield delta
                yield reply.finished()
            except ReplyBroken:
                for event in reply.splitter.finish():
                    yield event
                raise


def _contexts(model: _Model | None, props: _Props | None) -> Iterator[int]:
    """Known limits of the context: what llama.cpp was started with, vLLM's own, what was trained."""
    settings = props.default_generation_settings if props else None
    if settings is not None and settings.n_ctx:
        yield settings.n_ctx
    if model is not None and model.max_model_len:
        yield model.max_model_len
    if model is not None and model.meta is not None and model.meta.n_ctx_train:
        yield model.meta.n_ctx_train


async def _deltas(exchange: Exchange, reply: _Reply) -> AsyncGenerator[StreamEvent, None]:
    """The events up to the end of the body, which may break once the reply itself is complete."""
    frames = NdjsonDecoder() if exchange.media_type == "application/json" else SseDecoder()
    try:
        async with aclosing(exchange.records(frames, _CHUNK)) as chunks:
            async for chunk in chunks:
                for event in reply.events_of(chunk):
                    yield event
                if reply.reason is not None:
                    exchange.silence = _TAIL_TIMEOUT
    except ReplyBroken:
        if reply.reason is None:
            raise


class _Reply:
    """What the chunks of a reply have told so far.

    A reply is complete once a `finish_reason` came; usage and timings follow in a chunk of their own.
    """

    def __init__(self) -> None:
        self.splitter = ThinkSplitter()
        self.reason: FinishReason | None = None
        self._model = ""
        self._usage = _Usage()
        self._timings = _Timings()

    def events_of(self, chunk: _Chunk) -> Iterator[StreamEvent]:
        """The events of one chunk.

        Raises:
            ReplyFailed: The chunk reports an error.
        """
        if chunk.error is not None or chunk.object == "error":
            raise stream_error(chunk.message if chunk.error is None else chunk.error)
        self._model = chunk.model or self._model
        self._usage = chunk.usage or self._usage
        self._timings = chunk.timings or self._timings
        for choice in chunk.choices or ():
            yield from self._events_of_choice(choice)

    def _events_of_choice(self, choice: _Choice) -> Iterator[StreamEvent]:
        delta = choice.delta or choice.message or _Delta()
        thinking = delta.reasoning_content or delta.reasoning
        if thinking:
            yield ThinkingDelta(thinking)
        if delta.content:
            yield from self.splitter.feed(delta.content)
        if choice.finish_reason in _FAILURES:
            raise stream_error(f"finish_reason {choice.finish_reason}")
        if choice.finish_reason is not None:
            yield from self.splitter.finish()
            length = choice.finish_reason == "length"
            self.reason = FinishReason.LENGTH if length else FinishReason.STOP

    def finished(self) -> Finished:
        """The end of the reply.

        Raises:
            ReplyCut: No `finish_reason` came.
        """
        if self.reason is None:
            raise ReplyCut(_("The server ended the reply before it was done."), _("Its log may say why."))
        timings = self._timings
        evaluated = None if timings.prompt_n is None else timings.cache_n + timings.prompt_n
        usage = ServerUsage(
            prompt_eval_count=_first(self._usage.prompt_tokens, evaluated),
            prompt_eval_duration=_seconds(timings.prompt_ms),
            eval_count=_first(self._usage.completion_tokens, timings.predicted_n),
            eval_duration=_seconds(timings.predicted_ms),
        )
        return Finished(self.reason, usage, self._model)


_FAILURES = ("error", "abort")  # what vLLM and gateways write where a reply was given up


def chat_payload(request: ChatRequest) -> dict[str, object]:
    """The body for `/v1/chat/completions`.

    `top_k`, `min_p` and the repeat penalty are no part of OpenAI's API, but llama.cpp and vLLM take them;
    the penalty has a name of its own with each. The context size and `keep_alive` are the server's affair.
    """
    options = request.sampling.options()
    if "repeat_penalty" in options:
        options["repetition_penalty"] = options["repeat_penalty"]
    body: dict[str, object] = {
        "model": request.model,
        "messages": openai_messages(request.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        **options,
    }
    if request.num_predict is not None and request.num_predict > 0:
        body["max_tokens"] = request.num_predict
    if request.think is not None:
        body["chat_template_kwargs"] = {"enable_thinking": bool(request.think)}
    if isinstance(request.think, str):
        body["reasoning_effort"] = request.think
    return body


def _first(*counts: int | None) -> int | None:
    return next((count for count in counts if count is not None), None)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1e3
