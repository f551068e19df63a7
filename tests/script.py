"""What a scripted server says: answers, faults, models, and how the two protocols write them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOAD = -1
"""The hold before the model is in memory: `/api/ps` does not list it yet."""


class Fault(StrEnum):
    """How a reply breaks."""

    ERROR = "an error line, then a clean end"
    CUT = "the connection closes without the last chunk"
    RESET = "the connection is reset"
    END = "a clean end without `done: true`"
    SILENCE = "nothing more comes, the connection stays"


@dataclass(frozen=True, slots=True)
class Reply:
    """One streamed reply: `thinking`, then `content`, one record a token.

    `holds` names the points at which the server waits for `release()`: LOAD, 0 (before the headers), or n
    (after n tokens). `interval` is the time between two tokens in seconds, kept on average. `fault` strikes
    after `fault_at` tokens, by default after the last.
    """

    content: tuple[str, ...] = ("Hello", ",", " world", ".")
    thinking: tuple[str, ...] = ()
    interval: float = 0.0
    holds: tuple[int, ...] = ()
    fault: Fault | None = None
    fault_at: int | None = None
    error: str = "an error was encountered while running the model: unexpected EOF"
    last_content: str = ""
    done_reason: str = "stop"
    prompt_eval_count: int = 12

    def tokens(self) -> tuple[tuple[str, str], ...]:
        """Each token with the field that carries it."""
        thoughts = tuple(("thinking", text) for text in self.thinking)
        return thoughts + tuple(("content", text) for text in self.content)

    def after(self, partial: str) -> Reply:
        """What a model that goes on with `partial` says of this: the rest of the content, no thinking."""
        if not partial:
            return self
        assert "".join(self.content).startswith(partial), (partial, self.content)
        rest, place = [], 0
        for text in self.content:
            place += len(text)
            if place > len(partial):
                rest.append(text[max(0, len(text) - (place - len(partial))) :])
        return replace(self, content=tuple(rest), thinking=())


@dataclass(frozen=True, slots=True)
class Plain:
    """One HTTP response with a body of known length: an error status, a proxy's page, a canned document."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that go out as they are, status line included, before the connection closes."""

    data: bytes
    drip: bool = False


Answer = Reply | Plain | Raw


def partial_of(body: Mapping[str, Any], model: Model) -> str:
    """The partial reply with which `model` goes on, given the body of a chat request."""
    messages = body.get("messages") or [{}]
    return messages[-1]["content"] if messages[-1].get("role") == "assistant" and model.leaves_open else ""


def rendered(body: Mapping[str, Any], model: Model) -> Plain:
    """The answer to `_debug_render_only`: the prompt in ChatML."""
    *before, last = body["messages"]
    text = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in before)
    text += f"<|im_start|>{last['role']}\n{last['content']}"
    if not partial_of(body, model):
        text += "<|im_end|>\n<|im_start|>assistant\n"
    return Plain(body=encode({"model": model.name, "_debug_info": {"rendered_template": text}}))


def failure(status: int, error: str, **headers: str) -> Plain:
    """Ollama's answer to a request that it does not serve: `{"error": ...}`."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Plain(status, json.dumps({"error": error}).encode(), headers=named)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the server has; `verbose` is added to `model_info` when a client asks for all.

    `leaves_open` is whether its template leaves the turn of a last assistant message open, so that a reply goes
    on with it.
    """

    name: str = "qwen3:latest"
    digest: str = "b1" * 32
    size: int = 19_762_149_024
    size_vram: int = 21_500_000_000
    num_ctx: int = 8192
    capabilities: tuple[str, ...] = ("completion", "tools", "thinking")
    template: str = "{% for message in messages %}{{ message.content }}<think></think>{% endfor %}"
    model_info: Mapping[str, object] = field(
        default_factory=lambda: {"general.architecture": "qwen3", "qwen3.context_length": 40960}
    )
    verbose: Mapping[str, object] = field(default_factory=dict)
    leaves_open: bool = True
    details: Mapping[str, object] = field(
        default_factory=lambda: {
            "format": "gguf",
            "family": "qwen3",
            "parameter_size": "32.8B",
            "quantization_level": "Q4_K_M",
        }
    )


class OllamaDialect:
    """How `/api/chat` writes a reply."""

    content_type = "application/x-ndjson"

    def __init__(self, model: str) -> None:
        self._model = model

    def _record(self, message: dict[str, str], **rest: object) -> bytes:
        record = {"model": self._model, "created_at": datetime.now(UTC).isoformat()}
        return encode({**record, "message": {"role": "assistant", "content": "", **message}, **rest}) + b"\n"

    def token(self, name: str, text: str) -> bytes:
        """One token, in the field `name`."""
        return self._record({name: text}, done=False)

    def error(self, text: str) -> bytes:
        """An error in the middle of the stream."""
        return encode({"error": text}) + b"\n"

    def end(self, reply: Reply) -> bytes:
        """The last record."""
        count = len(reply.tokens())
        nanoseconds = {"total_duration": 2_000_000_000, "load_duration": 4_000_000}
        nanoseconds |= {"prompt_eval_duration": 150_000_000, "eval_duration": 20_000_000 * count}
        counts = {"prompt_eval_count": reply.prompt_eval_count, "eval_count": count}
        last = {"content": reply.last_content}
        return self._record(last, done=True, done_reason=reply.done_reason, **nanoseconds, **counts)


class OpenAIDialect:
    """How `/v1/chat/completions` writes a reply."""

    content_type = "text/event-stream"

    def __init__(self, model: str) -> None:
        self._model = model

    def _event(self, **rest: object) -> bytes:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": self._model}
        return b"data: " + encode({**head, **rest}) + b"\n\n"

    def token(self, name: str, text: str) -> bytes:
        """One token, in the field `name`."""
        delta = {"reasoning_content" if name == "thinking" else "content": text}
        return self._event(choices=[{"index": 0, "delta": delta, "finish_reason": None}])

    def error(self, text: str) -> bytes:
        """An error in the middle of the stream."""
        return b"data: " + encode({"error": {"code": 500, "message": text, "type": "server_error"}}) + b"\n\n"

    def end(self, reply: Reply) -> bytes:
        """The last record."""
        count = len(reply.tokens())
        delta = {"content": reply.last_content} if reply.last_content else {}
        finish = self._event(choices=[{"index": 0, "delta": delta, "finish_reason": reply.done_reason}])
        usage = {"prompt_tokens": reply.prompt_eval_count, "completion_tokens": count}
        timings = {"prompt_ms": 150.0, "predicted_ms": 20.0 * count}
        return finish + self._event(choices=[], usage=usage, timings=timings) + b"data: [DONE]\n\n"


def encode(value: object) -> bytes:
    """Compact JSON; lone surrogates pass, for a server may send anything."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def not_found(asked: Mapping[str, object]) -> Plain:
    """The answer to a request for a model that is not there."""
    return failure(404, f"model '{asked.get('model', '')}' not found")


def preloaded(asked: Mapping[str, object]) -> dict[str, object]:
    """`/api/generate` without a prompt: it loads or unloads a model, and says so in one object."""
    reason = "unload" if asked.get("keep_alive") == 0 else "load"
    return {"model": asked.get("model"), "response": "", "done": True, "done_reason": reason}


def show(model: Model, *, verbose: bool) -> dict[str, object]:
    """`/api/show`."""
    return {
        "template": model.template,
        "details": model.details,
        "model_info": {**model.model_info, **(model.verbose if verbose else {})},
        "capabilities": list(model.capabilities),
    }


def document(
    path: str, version: str, models: Sequence[Model], loaded: Sequence[tuple[Model, int]]
) -> dict[str, object]:
    """What a GET of `path` says, or nothing; `loaded` holds the models in memory, each with its num_ctx."""
    match path:
        case "/api/version":
            return {"version": version}
        case "/api/tags":
            return {"models": [_tag(model) for model in models]}
        case "/api/ps":
            return {"models": [_running(model, num_ctx) for model, num_ctx in loaded]}
        case "/v1/models":
            return {"object": "list", "data": [{"id": model.name, "object": "model"} for model in models]}
    return {}


def _tag(model: Model) -> dict[str, object]:
    names = {"name": model.name, "model": model.name}
    return {**names, "size": model.size, "digest": model.digest, "details": model.details}


def _running(model: Model, num_ctx: int) -> dict[str, object]:
    expires = datetime.now(UTC) + timedelta(minutes=5)
    size = max(model.size, model.size_vram)
    memory = {"size": size, "size_vram": model.size_vram, "context_length": num_ctx}
    return {**_tag(model), **memory, "expires_at": expires.isoformat()}
