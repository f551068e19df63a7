from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.backends.failures import response_error, stream_error
from qwentui.chat.errors import (
    AccessDenied,
    BackendError,
    ContextExceeded,
    ModelNotFound,
    NotAModelServer,
    OutOfMemory,
    RequestRefused,
    ServerBusy,
    ServerFailed,
    TlsFailed,
)

HTML = {"content-type": "text/html; charset=utf-8"}
NGINX_502 = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body></html>"


def ollama(text: str) -> bytes:
    return json.dumps({"error": text}).encode()


def llama(code: int, message: str, kind: str, **rest: object) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "type": kind, **rest}}).encode()


# status, body, class, part of the sentence, part of the hint
CASES: list[tuple[int, bytes, type[BackendError], str, str]] = [
    (400, ollama("missing request body"), RequestRefused, "missing request body", ""),
    (400, ollama("model is required"), RequestRefused, "model is required", "Pick a model"),
    (400, ollama("invalid model name"), RequestRefused, "invalid model name", "Pick a model"),
    (400, ollama('"x" does not support thinking'), RequestRefused, "thinking", "Turn thinking off"),
    (400, ollama('"x" does not support chat'), RequestRefused, "chat", "embeddings"),
    (400, ollama('time: invalid duration "banana"'), RequestRefused, "banana", "keep_alive"),
    (500, ollama('option "num_ctx" must be of type integer'), RequestRefused, "num_ctx", "settings"),
    (500, ollama("unknown parameter 'num_gqa'"), RequestRefused, "num_gqa", "Remove it"),
    (500, ollama("no user query found in messages"), RequestRefused, "no user query", "new chat"),
    (404, ollama("model 'x' not found"), ModelNotFound, "no model x", "ollama pull x"),
    (404, ollama('model "x" not found, try pulling it first'), ModelNotFound, "no model x", "pull"),
    (404, llama(404, "The model `x/y` does not exist.", "NotFoundError"), ModelNotFound, "x/y", "pull"),
    (404, llama(404, "File Not Found", "not_found_error"), RequestRefused, "File Not Found", "prefix"),
    (404, b"404 page not found", RequestRefused, "does not know this path", "prefix"),
    (405, b"405 method not allowed", RequestRefused, "no such request", "prefix"),
    (401, b'{"detail":"Not authenticated"}', AccessDenied, "Not authenticated", "token"),
    (401, b'{"error":"unauthorized","signin_url":"https://x"}', AccessDenied, "401", "ollama signin"),
    (403, b"", AccessDenied, "403", "Host: localhost:11434"),
    (403, ollama("cloud is disabled"), AccessDenied, "cloud is disabled", ""),
    (413, b"", RequestRefused, "too large", "client_max_body_size"),
    (429, ollama("slow down"), RequestRefused, "slow down", "later"),
    (500, ollama("model runner has unexpectedly stopped, this may be"), ServerFailed, "stopped", "crashed"),
    (500, ollama("timed out waiting for llama-server to start - "), ServerFailed, "timed out", "log"),
    (
        500,
        ollama("llama-server process has terminated: exit status 1"),
        ServerFailed,
        "terminated",
        "crashed",
    ),
    (
        500,
        ollama("llama-server process has terminated: exit status 1: unknown model architecture: 'x'"),
        RequestRefused,
        "architecture",
        "update",
    ),
    (
        500,
        ollama("llama-server process has terminated: exit status 1: cudaMalloc failed: out of memory"),
        OutOfMemory,
        "does not fit",
        "num_ctx",
    ),
    (500, ollama("llama-server reported out-of-memory during startup: x"), OutOfMemory, "fit", "q8_0"),
    (
        500,
        ollama("model requires more system memory (20 GiB) than is available (9 GiB)"),
        OutOfMemory,
        "20 GiB",
        "num_ctx",
    ),
    (500, ollama("llama runner process has terminated: signal: killed"), OutOfMemory, "killed", "nvidia-smi"),
    (500, b"", ServerFailed, "500 Internal Server Error", "log"),
    (502, b"dial tcp: connection refused", ServerFailed, "502", "log"),
    (502, NGINX_502, ServerFailed, "A proxy answered", "does not reach"),
    (503, NGINX_502, ServerBusy, "A proxy answered", "does not reach"),
    (504, NGINX_502, ServerFailed, "504 Gateway Timeout", "does not wait"),
    (
        403,
        b"<!DOCTYPE html><title>Sign in &middot; Access</title>",
        AccessDenied,
        "Sign in · Access",
        "headers",
    ),
    (404, b"<html></html>", RequestRefused, "A proxy answered", "prefix"),
    (503, ollama("server busy, please try again."), ServerBusy, "server busy", "loading a model"),
    (503, llama(503, "Loading model", "unavailable_error"), ServerBusy, "Loading model", "loading"),
    (599, b"", ServerFailed, "599", "log"),
    (302, b"", NotAModelServer, "302", "path"),
    (400, b"Client sent an HTTP request to an HTTPS server.\n", TlsFailed, "TLS", "https://"),
]


@pytest.mark.parametrize(("status", "body", "kind", "sentence", "hint"), CASES)
def test_each_refusal_is_its_error(
    status: int, body: bytes, kind: type[BackendError], sentence: str, hint: str
) -> None:
    error = response_error(status, {}, body)
    assert type(error) is kind
    assert sentence in error.message
    assert hint in error.hint
    assert error.message.endswith(".")


CONTEXT = "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it"
NUMBERS = {"n_prompt_tokens": 9000, "n_ctx": 8192}


@pytest.mark.parametrize(
    "body",
    [
        ollama(llama(400, CONTEXT, "exceed_context_size_error", **NUMBERS).decode()),
        llama(400, CONTEXT, "exceed_context_size_error", **NUMBERS),
        llama(400, CONTEXT, "invalid_request_error"),
        json.dumps(
            {
                "object": "error",
                "message": "This model's maximum context length is 8192 tokens. However, you requested 9100 "
                "tokens (9000 in the messages, 100 in the completion).",
                "type": "BadRequestError",
                "code": 400,
            }
        ).encode(),
    ],
)
def test_a_prompt_that_is_too_long_tells_its_numbers(body: bytes) -> None:
    error = response_error(400, {}, body)
    assert isinstance(error, ContextExceeded)
    assert (error.n_prompt_tokens, error.n_ctx, error.status) == (9000, 8192, 400)
    assert "9,000" in error.message
    assert "8,192" in error.message


def test_a_prompt_that_is_too_long_may_tell_no_number() -> None:
    error = response_error(
        400, {}, ollama("the prompt is longer than the context length currently available")
    )
    assert isinstance(error, ContextExceeded)
    assert (error.n_prompt_tokens, error.n_ctx) == (None, None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        (
            {
                "retry-after": "Sun, 22 Nov 2026 07:18:32 GMT",
                "date": "Sun, 22 Nov 2026 07:18:22 GMT",
            },
            10.0,
        ),
        (
            {
                "retry-after": "Sun, 22 Nov 2026 07:18:12 GMT",
                "date": "Sun, 22 Nov 2026 07:18:22 GMT",
            },
            0.0,
        ),
        ({"retry-after": "Sun, 22 Nov 2026 07:18:12 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "9" * 5000}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    error = response_error(503, headers, b"")
    assert isinstance(error, ServerBusy)
    assert error.retry_after == seconds


def test_a_redirect_names_its_target() -> None:
    error = response_error(308, {"location": "https://other/\x1b[31m"}, b"")
    assert isinstance(error, NotAModelServer)
    assert "https://other/" in error.message
    assert error.message.isprintable()


def test_html_is_known_by_its_content_type_too() -> None:
    assert "A proxy answered" in response_error(502, HTML, b"Bad gateway").message


@pytest.mark.parametrize("text", ["CUDA error: out of memory", "cudaMalloc failed: out of memory"])
def test_an_error_line_about_memory_says_what_helps(text: str) -> None:
    error = stream_error(f"an error was encountered while running the model: {text}")
    assert text in error.message
    assert "num_ctx" in error.hint


def test_an_error_in_the_stream_may_be_an_object() -> None:
    assert "the words" in stream_error({"code": 500, "message": "the words", "type": "x"}).message


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"error":' * 50_000, ollama('{"error":' * 1000), b'{"error":null}', b'{"error":[1]}'],
)
def test_nested_nonsense_is_survived(body: bytes) -> None:
    assert isinstance(response_error(400, {}, body), RequestRefused)


def test_a_server_cannot_command_the_terminal() -> None:
    error = response_error(400, {}, ollama("\x1b[2J\u202egnp.exe" + "x" * 10_000))
    assert error.message.isprintable()
    assert "\u202e" not in error.message
    assert len(error.message) < 500


@given(
    st.integers(100, 999), st.binary(), st.dictionaries(st.sampled_from(["retry-after", "date"]), st.text())
)
def test_any_response_is_an_error_of_the_tree(status: int, body: bytes, headers: dict[str, str]) -> None:
    error = response_error(status, headers, body)
    assert isinstance(error, BackendError)
    assert "\n" not in error.message


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_any_error_field_is_an_error_of_the_tree(value: object) -> None:
    assert stream_error(value).message
