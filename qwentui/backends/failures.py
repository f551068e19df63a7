"""What a server's refusals and error texts mean: a status, headers and a body in, an error of the tree out.

The texts are those of Ollama (`server/routes.go`, `llm/llama_server.go`), of llama.cpp's server and of vLLM;
the pages those of proxies in front of them. Whatever a server wrote is sanitized before it is quoted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from html import unescape
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from qwentui.chat.errors import (
    AccessDenied,
    BackendError,
    ContextExceeded,
    ModelNotFound,
    NotAModelServer,
    OutOfMemory,
    ReplyFailed,
    RequestRefused,
    ServerBusy,
    ServerFailed,
    TlsFailed,
)
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BODY_LIMIT = 256 * 1024
"""How much of an error's body is read, in bytes; Ollama quotes at most 8 KiB of its runner's last words."""

_QUOTE_LIMIT = 300
_NESTING = 4  # {"error": "{\"error\": {\"message\": ...}}"} is Ollama's deepest

_MEMORY = re.compile(
    r"out[- ]of[- ]memory|cudaMalloc failed|more system memory|(?:failed|unable) to allocate"
    r"|(?:insufficient|not enough) (?:device |system |gpu )?memory|OutOfDeviceMemory|ALLOC_FAILED"
    r"|signal: killed",
    re.IGNORECASE,
)
_MEMORY_HINT = N_(
    "Use a smaller num_ctx or a quantised KV cache (OLLAMA_KV_CACHE_TYPE=q8_0 on the server), "
    "or free what other programs hold: `ollama ps` and `nvidia-smi` tell."
)
_CRASH = re.compile(
    r"unexpected EOF|unexpectedly stopped|process has terminated|CUDA error|GGML_ASSERT", re.IGNORECASE
)
_CRASH_HINT = N_("The model's process crashed; the next request starts it anew. The server's log says why.")
_CONTEXT = re.compile(
    r"exceed_context_size|exceeds the available context|context_length_exceeded|maximum context length"
    r"|longer than the context length",
    re.IGNORECASE,
)
_N_PROMPT_TOKENS = re.compile(r"request \((\d{1,9}) tokens|(\d{1,9}) in the messages|(\d{1,9}) input tokens")
_N_CTX = re.compile(r"context size \((\d{1,9}) tokens|maximum context length is (\d{1,9})")
_MODEL_NOT_FOUND = re.compile(r"""model ['"`]?(.+?)['"`]? (?:not found|does not exist)""", re.IGNORECASE)
_TLS_WANTED = re.compile(rb"HTTP request (?:to an HTTPS server|was sent to HTTPS port)", re.IGNORECASE)
_PAGE = re.compile(rb"\s*<(?:!doctype|html|head|\?xml)", re.IGNORECASE)
_TITLE = re.compile(rb"<title>(.{1,400}?)</title>", re.IGNORECASE | re.DOTALL)

# Refusals whatever their status: Ollama reports some of them as 500, and none heals by asking again.
_REFUSALS = (
    ("does not support thinking", N_("Turn thinking off for this model.")),
    ("does not support chat", N_("It is a model for embeddings; pick another one.")),
    ("invalid duration", N_('Set keep_alive to a duration like "5m" or to a number of seconds.')),
    ("invalid think value", N_("Set think to on, off, low, medium, high or max.")),
    ("must be of type", N_("Correct this option in the settings or in the persona.")),
    ("unknown parameter", N_("Remove it from the settings or from the Modelfile.")),
    ("image input is not supported", ""),
    ("no user query found", N_("The model's template wants a user message first; start a new chat.")),
    ("unknown model architecture", N_("The server is too old for this model; update it.")),
    ("error loading model", N_("Its file is damaged, or too new for the server: pull it again, or update.")),
    (
        "no space left on device",
        N_("The server's disk is full: remove a model there (qwentui model rm NAME)."),
    ),
    ("invalid model name", N_("Pick a model that the server has.")),
    ("model is required", N_("Pick a model that the server has.")),
)
_PREFIX_HINT = N_("Check the path in the address: a proxy may want a prefix before the server's own paths.")


@dataclass(frozen=True, slots=True)
class _Complaint:
    """What the server said, out of however many layers it came in."""

    text: str = ""
    kind: str = ""
    n_prompt_tokens: int | None = None
    n_ctx: int | None = None

    @property
    def words(self) -> str:
        """What the server said, to be quoted inside a sentence; "" for nothing."""
        return sanitize_line(self.text, _QUOTE_LIMIT).rstrip(".")


def response_error(status: int, headers: Mapping[str, str], body: bytes) -> BackendError:
    """The error that a response other than 200 means.

    Args:
        status: The HTTP status.
        headers: The response's headers, under lower-case names.
        body: The body, or the beginning of it.
    """
    if _TLS_WANTED.search(body):
        return TlsFailed(_("The server speaks TLS at this port."), _("Write the address with https://."))
    if status < HTTPStatus.BAD_REQUEST:
        return _stranger(status, headers)
    if _PAGE.match(body) or headers.get("content-type", "").startswith("text/html"):
        return _page(status, headers, body)
    complaint = _complaint(_document(body))
    return _known(status, complaint) or _by_status(status, headers, complaint)


def page_error(body: bytes) -> NotAModelServer:
    """The error that a web page at status 200 means."""
    return NotAModelServer(
        _quoting(
            _title(body),
            _("A web page answers in the server's place."),
            _("A web page answers in the server's place: {words}."),
        ),
        _("Something in between may want a login; check the address, and its path."),
    )


def stranger_error(host: str) -> NotAModelServer:
    """The error that an answer means which no model server gives.

    Args:
        host: The address as a user reads it.
    """
    return NotAModelServer(
        _("{host} does not answer as a model server does.").format(host=host),
        _("Check the address: another program may listen there."),
    )


def stream_error(error: object) -> ReplyFailed:
    """The error that an `error` field inside a stream means.

    Args:
        error: The field's value: a text (Ollama) or an object with a `message` (OpenAI-compatible servers).
    """
    complaint = _complaint({"error": error})
    hint = ""
    if _MEMORY.search(complaint.text):
        hint = _(_MEMORY_HINT)
    elif _CRASH.search(complaint.text):
        hint = _(_CRASH_HINT)
    sentence = _quoting(
        complaint.words,
        _("The server broke off the reply."),
        _("The server broke off the reply: {words}."),
    )
    return ReplyFailed(sentence, hint)


def _quoting(words: str, plain: str, quoting: str, **fields: object) -> str:
    """The sentence `plain`, or `quoting` where there are words for its `{words}`; both take the `fields`."""
    return (quoting if words else plain).format(words=words, **fields)


def _known(status: int, complaint: _Complaint) -> BackendError | None:
    """The error that the text itself tells, whatever the status."""
    text = complaint.text
    if _CONTEXT.search(f"{complaint.kind} {text}"):
        return _context_exceeded(status, complaint)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and _MEMORY.search(text):
        sentence = _quoting(
            complaint.words,
            _("The model does not fit into memory."),
            _("The model does not fit into memory: {words}."),
        )
        return OutOfMemory(sentence, _(_MEMORY_HINT), status=status)
    for phrase, hint in _REFUSALS:
        if phrase in text:
            sentence = _("The server refused the request: {words}.").format(words=complaint.words)
            return RequestRefused(sentence, _(hint), status=status)
    return None


def _context_exceeded(status: int, complaint: _Complaint) -> ContextExceeded:
    prompt = complaint.n_prompt_tokens or _number(_N_PROMPT_TOKENS, complaint.text)
    n_ctx = complaint.n_ctx or _number(_N_CTX, complaint.text)
    sentence = _("The conversation is longer than the model's context.")
    if prompt and n_ctx:
        sentence = _("The conversation has {prompt:,} tokens, the model's context holds {n_ctx:,}.")
        sentence = sentence.format(prompt=prompt, n_ctx=n_ctx)
    hint = _("Shorten the last message, start a new chat, or raise num_ctx.")
    return ContextExceeded(sentence, hint, status=status, n_prompt_tokens=prompt, n_ctx=n_ctx)


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(next(group for group in found.groups() if group)) if found else None


def _by_status(status: int, headers: Mapping[str, str], complaint: _Complaint) -> BackendError:
    if status in _BY_STATUS:
        return _BY_STATUS[status](status, headers, complaint)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        sentence = _quoting(
            complaint.words,
            _("The server refused the request ({status})."),
            _("The server refused the request ({status}): {words}."),
            status=_named(status),
        )
        return RequestRefused(sentence, status=status)
    sentence = _quoting(
        complaint.words,
        _("The server failed ({status})."),
        _("The server failed ({status}): {words}."),
        status=_named(status),
    )
    return ServerFailed(
        sentence,
        _(_CRASH_HINT) if _CRASH.search(complaint.text) else _("The server's log says why."),
        status=status,
        retry_after=_retry_after(headers),
    )


def _unauthorized(status: int, _headers: Mapping[str, str], complaint: _Complaint) -> BackendError:
    hint = _("Set the token, or user and password, in the settings.")
    if complaint.kind == "signin":
        hint = _("This model runs in Ollama's cloud: run `ollama signin` on the server.")
    sentence = _quoting(
        complaint.words,
        _("The server wants to know who asks (401)."),
        _("The server wants to know who asks (401): {words}."),
    )
    return AccessDenied(sentence, hint, status=status)


def _forbidden(status: int, _headers: Mapping[str, str], complaint: _Complaint) -> BackendError:
    if complaint.text:
        sentence = _quoting(
            complaint.words,
            _("The server denies access (403)."),
            _("The server denies access (403): {words}."),
        )
        return AccessDenied(sentence, status=status)
    return AccessDenied(
        _("The server denies access without a word (403), as Ollama does when the Host header is strange."),
        _("Have the proxy send `Host: localhost:11434`, or start Ollama with OLLAMA_HOST=0.0.0.0."),
        status=status,
    )


def _not_found(status: int, _headers: Mapping[str, str], complaint: _Complaint) -> BackendError:
    found = _MODEL_NOT_FOUND.search(complaint.text)
    if found is None:
        sentence = _quoting(
            complaint.words if complaint.kind else "",
            _("The server does not know this path (404)."),
            _("The server does not know this path (404): {words}."),
        )
        return RequestRefused(sentence, _(_PREFIX_HINT), status=status)
    name = sanitize_line(found[1])
    hint = _("Get it with `ollama pull {model}`, or pick another one.").format(model=name)
    return ModelNotFound(_("The server has no model {model}.").format(model=name), hint, status=status)


def _wrong_method(status: int, _headers: Mapping[str, str], __: _Complaint) -> BackendError:
    sentence = _("The server takes no such request at this path (405).")
    return RequestRefused(sentence, _(_PREFIX_HINT), status=status)


def _too_large(status: int, _headers: Mapping[str, str], __: _Complaint) -> BackendError:
    hint = _("It is a proxy's limit, nginx's client_max_body_size for one.")
    return RequestRefused(_("The request is too large for the server (413)."), hint, status=status)


def _too_many(status: int, headers: Mapping[str, str], complaint: _Complaint) -> BackendError:
    seconds = _retry_after(headers)
    hint = _("Ask again later.")
    if seconds is not None:
        hint = _("Ask again in {seconds:.0f} s.").format(seconds=seconds)
    sentence = _quoting(
        complaint.words,
        _("The server takes no more requests for a while (429)."),
        _("The server takes no more requests for a while (429): {words}."),
    )
    return RequestRefused(sentence, hint, status=status)


def _busy(status: int, headers: Mapping[str, str], complaint: _Complaint) -> BackendError:
    sentence = _quoting(
        complaint.words, _("The server is busy (503)."), _("The server is busy (503): {words}.")
    )
    hint = _("It is loading a model, or its queue is full; ask again in a moment.")
    return ServerBusy(sentence, hint, status=status, retry_after=_retry_after(headers))


_BY_STATUS: Mapping[int, Callable[[int, Mapping[str, str], _Complaint], BackendError]] = {
    HTTPStatus.UNAUTHORIZED: _unauthorized,
    HTTPStatus.FORBIDDEN: _forbidden,
    HTTPStatus.NOT_FOUND: _not_found,
    HTTPStatus.METHOD_NOT_ALLOWED: _wrong_method,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _too_large,
    HTTPStatus.TOO_MANY_REQUESTS: _too_many,
    HTTPStatus.SERVICE_UNAVAILABLE: _busy,
}


def _stranger(status: int, headers: Mapping[str, str]) -> NotAModelServer:
    target = sanitize_line(headers.get("location", ""))
    if target:
        sentence = _("The server sends us elsewhere, to {target} ({status}).")
        return NotAModelServer(sentence.format(target=target, status=status), _("Use that address."))
    sentence = _("No model server answers at this address ({status}).")
    return NotAModelServer(sentence.format(status=_named(status)), _(_PREFIX_HINT))


def _page(status: int, headers: Mapping[str, str], body: bytes) -> BackendError:
    sentence = _quoting(
        _title(body),
        _("A proxy answered in the server's place ({status})."),
        _("A proxy answered in the server's place ({status}): {words}."),
        status=_named(status),
    )
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        hint = _("Set what it wants in the settings: a token or headers.")
        return AccessDenied(sentence, hint, status=status)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return RequestRefused(sentence, _(_PREFIX_HINT), status=status)
    hint = _("It does not reach the model server, or does not wait for it as long as loading a model takes.")
    kind = ServerBusy if status == HTTPStatus.SERVICE_UNAVAILABLE else ServerFailed
    return kind(sentence, hint, status=status, retry_after=_retry_after(headers))


def _title(body: bytes) -> str:
    found = _TITLE.search(body)
    return sanitize_line(unescape(found[1].decode("utf-8", "replace"))) if found else ""


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of `Retry-After`; its date form counts from the response's own `Date` (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    try:
        pause = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, pause.total_seconds())


def _document(body: bytes) -> object:
    """The body as JSON, or as text where it is none."""
    try:
        value: object = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
    return value


def _complaint(value: object) -> _Complaint:
    """Unwrap `error` fields, JSON inside their text included, down to the words."""
    signin = isinstance(value, dict) and "signin_url" in value
    for _layer in range(_NESTING):
        if isinstance(value, dict) and "error" in value:
            value = value["error"]
        elif isinstance(value, str) and value.lstrip().startswith("{"):
            inner = _document(value.encode("utf-8", "replace"))
            if isinstance(inner, str):
                break
            value = inner
    if not isinstance(value, dict):
        return _Complaint(value if isinstance(value, str) else "", "signin" if signin else "")
    text = value.get("message") or value.get("detail") or ""
    return _Complaint(
        text if isinstance(text, str) else str(text),
        " ".join(str(value[key]) for key in ("type", "code") if key in value),
        _count(value.get("n_prompt_tokens")),
        _count(value.get("n_ctx")),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
