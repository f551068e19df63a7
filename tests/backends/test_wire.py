"""Every recorded response of a real Ollama, sent again over a real socket."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from outcome import outcome_of
from script import Raw
from scripted_server import ScriptedServer

from qwentui.backends.ollama import OllamaBackend
from qwentui.backends.openai import OpenAIBackend
from qwentui.chat.errors import (
    AccessDenied,
    BackendError,
    ContextExceeded,
    ModelNotFound,
    ReplyCut,
    ReplyFailed,
    RequestRefused,
    ServerBusy,
    ServerFailed,
)
from qwentui.chat.stream import FinishReason

if TYPE_CHECKING:
    from outcome import Connect, Outcome

WIRE = Path(__file__).parents[1] / "data" / "wire"
STREAM = re.compile(
    r"^(chat|q3|long|cache|conc|kill9|term|keepalive|num_ctx|prompt|tokenrepeat|after|stop|v1|bad)"
)
NO_STREAM = {"keepalive-env-3s-ps", "v1-models"}

# recording: class, part of the sentence, the text that came before
BROKEN: dict[str, tuple[type[BackendError], str, str]] = {
    "bad-host-header-403": (AccessDenied, "Host header", ""),
    "chat-bad-option-type": (RequestRefused, 'option "num_ctx" must be of type integer', ""),
    "chat-empty-body": (RequestRefused, "missing request body", ""),
    "chat-get-405": (RequestRefused, "405", ""),
    "chat-images-unsupported": (RequestRefused, "does not support multimodal", ""),
    "chat-keep_alive-bad": (RequestRefused, 'invalid duration "banana"', ""),
    "chat-malformed-json": (RequestRefused, "unexpected EOF", ""),
    "chat-messages-wrong-type": (RequestRefused, "cannot unmarshal", ""),
    "chat-no-model": (RequestRefused, "model is required", ""),
    "chat-think-bad-value": (RequestRefused, 'invalid think value: "banana"', ""),
    "chat-think-unsupported": (RequestRefused, "does not support thinking", ""),
    "chat-tools": (RequestRefused, "does not support tools", ""),
    "chat-unknown-model": (ModelNotFound, "nosuch", ""),
    "chat-unknown-model-nostream": (ModelNotFound, "nosuch", ""),
    "conc-cold-4-2": (ServerBusy, "maximum pending requests exceeded", ""),
    "kill9-runner-midstream": (ReplyFailed, "unexpected EOF", "This could be the story"),
    "kill9-runner-midstream-v1": (ReplyCut, "before it was done", "Linnie, the"),
    "kill9-runner-nostream": (ServerFailed, "unexpected EOF", ""),
    "kill9-server-midstream": (ReplyCut, "broke before the end", "This could be the story"),
    "long-generate-truncate-false": (ContextExceeded, "3,906", ""),
    "long-history-truncate-false": (ContextExceeded, "1,922", ""),
    "long-history-truncate-false-shift-false": (ContextExceeded, "1,922", ""),
    "long-single-shift-false": (ContextExceeded, "longer than the model's context", ""),
    "long-single-truncate-false": (ContextExceeded, "3,906", ""),
    "long-single-truncate-false-shift-false": (ContextExceeded, "3,906", ""),
    "q3-long-history-truncate-false": (ContextExceeded, "1,881", ""),
    "q3-long-single-default": (ContextExceeded, "3,898", ""),
    "q3-long-single-shift-false": (ContextExceeded, "3,898", ""),
    "q3-long-single-truncate-false": (ContextExceeded, "3,898", ""),
    "term-runner-midstream": (ReplyFailed, "unexpected EOF", "This could be the story of"),
    "term-server-midstream": (ReplyCut, "broke before the end", "This could be the story"),
    "tokenrepeat": (ReplyCut, "before it was done", "a" + " a" * 30),
    "tokenrepeat-nostream": (ReplyCut, "before it was done", "a" + " a" * 30),
    "v1-unknown-model": (ModelNotFound, "nosuch", ""),
}
WHOLE = sorted(
    path.stem
    for path in WIRE.glob("*.txt")
    if STREAM.match(path.stem) and path.stem not in BROKEN and path.stem not in NO_STREAM
)
DRIPPED = [
    "chat-stream-cold",
    "q3-think-true",
    "v1-chat-stream-usage",
    "kill9-runner-midstream",
    "tokenrepeat",
]


def recorded(name: str) -> bytes:
    return (WIRE / f"{name}.txt").read_bytes()


def records_of(name: str) -> list[dict[str, object]]:
    """The JSON objects of a recording, found without any knowledge of its framing."""
    lines = recorded(name).decode().splitlines()
    found = [json.loads(line.removeprefix("data: ")) for line in lines if re.match(r"(data: )?\{", line)]
    assert found
    return found


def text_of(record: dict[str, object]) -> str:
    match record:
        case {"message": {"content": str(content)}}:
            return content
        case {"choices": [{"delta": {"content": str(content)}}]}:
            return content
        case {"choices": [{"message": {"content": str(content)}}]}:
            return content
    return ""


async def replay(connect: Connect, name: str, *, drip: bool = False) -> Outcome:
    answer = Raw(recorded(name), drip)
    async with ScriptedServer(at={"/api/chat": answer, "/v1/chat/completions": answer}) as server:
        v1 = re.search("v1(-|$)", name) and "next-request" not in name
        backend = connect(OpenAIBackend, server.url) if v1 else connect(OllamaBackend, server.url)
        return await outcome_of(backend)


def expected_reason(last: dict[str, object]) -> FinishReason:
    reason = last.get("done_reason")
    match last:
        case {"choices": [{"finish_reason": str(found)}]}:
            reason = found
    return FinishReason.LENGTH if reason == "length" else FinishReason.STOP


@pytest.mark.parametrize("name", WHOLE)
async def test_a_whole_reply_gives_its_text_and_its_counts(name: str, connect: Connect) -> None:
    outcome = await replay(connect, name)
    records = records_of(name)
    usage = next((r for r in records if "prompt_eval_count" in r), {})
    counted = next((r["usage"] for r in records if isinstance(r.get("usage"), dict)), {})
    assert isinstance(counted, dict)
    assert outcome.error is None
    assert outcome.finished is not None
    assert outcome.message.content == "".join(map(text_of, records))
    assert outcome.message.thinking == ""
    last = next(r for r in reversed(records) if not isinstance(r.get("usage"), dict) or r.get("choices"))
    assert outcome.finished.reason is expected_reason(last)
    assert outcome.finished.model == last["model"]
    server = outcome.finished.usage
    assert server.prompt_eval_count == usage.get("prompt_eval_count", counted.get("prompt_tokens"))
    assert server.eval_count == usage.get("eval_count", counted.get("completion_tokens"))


async def test_durations_are_seconds(connect: Connect) -> None:
    outcome = await replay(connect, "chat-stream-cold")
    assert outcome.finished is not None
    usage = outcome.finished.usage
    assert usage.load_duration == pytest.approx(1.640846055)
    assert usage.total_duration == pytest.approx(2.005936414)
    assert usage.prompt_eval_duration == pytest.approx(0.082743)
    assert usage.eval_duration == pytest.approx(0.26739)
    assert usage.tokens_per_second == pytest.approx(16 / 0.26739)


@pytest.mark.parametrize(("name", "expected"), BROKEN.items())
async def test_a_refused_or_broken_reply_gives_its_error_and_keeps_its_text(
    name: str, expected: tuple[type[BackendError], str, str], connect: Connect
) -> None:
    kind, sentence, text = expected
    outcome = await replay(connect, name)
    assert type(outcome.error) is kind
    assert sentence in outcome.error.message
    assert outcome.message.content == text
    assert outcome.finished is None


@pytest.mark.parametrize("name", DRIPPED)
async def test_single_bytes_give_the_same_events(name: str, connect: Connect) -> None:
    whole = await replay(connect, name)
    dripped = await replay(connect, name, drip=True)
    assert dripped.replies == whole.replies
    assert type(dripped.error) is type(whole.error)


async def test_every_recording_of_a_cut_is_cut_where_the_server_died(connect: Connect) -> None:
    """The same body with its last chunk is the other error, so the table tells the two apart."""
    body = recorded("kill9-server-midstream").rstrip(b"\r\n") + b"\n\r\n0\r\n\r\n"
    async with ScriptedServer(at={"/api/chat": Raw(body)}) as server:
        outcome = await outcome_of(connect(OllamaBackend, server.url))
    assert isinstance(outcome.error, ReplyCut)
    assert "before it was done" in outcome.error.message


async def test_the_recorded_documents_are_read(connect: Connect) -> None:
    paths = {"/api/tags": "tags", "/api/ps": "ps-num_ctx-512", "/api/show": "show", "/api/version": "version"}
    async with ScriptedServer(at={path: Raw(recorded(name)) for path, name in paths.items()}) as server:
        backend = connect(OllamaBackend, server.url)
        assert await backend.version() == "0.32.15"
        models = await backend.models()
        assert [model.name for model in models] == ["smollm2:latest", "smollm2-b:latest"]
        assert (models[0].size, models[0].parameter_size, models[0].quantization_level) == (
            98_362_760,
            "134.52M",
            "Q4_1",
        )
        assert await backend.digest("smollm2") == models[0].digest
        assert await backend.digest("other") == ""
        (loaded,) = await backend.loaded()
        assert (loaded.name, loaded.context_length, loaded.size_vram) == ("smollm2:latest", 512, 0)
        assert loaded.expires_at == "2026-11-22T07:16:25.903857612Z"
        details = await backend.details("smollm2")
        assert details.context_length == 8192
        assert details.capabilities == {"completion"}
        assert details.template.startswith("{{- range .Messages }}")
        assert not details.can_think


@pytest.mark.parametrize("name", ["ps-empty", "tags-empty"])
async def test_an_empty_list_is_empty(name: str, connect: Connect) -> None:
    async with ScriptedServer(
        at={"/api/tags": Raw(recorded(name)), "/api/ps": Raw(recorded(name))}
    ) as server:
        backend = connect(OllamaBackend, server.url)
        assert await backend.models() == ()
        assert await backend.loaded() == ()


async def test_an_unknown_model_has_no_details(connect: Connect) -> None:
    async with ScriptedServer(at={"/api/show": Raw(recorded("show-unknown"))}) as server:
        with pytest.raises(ModelNotFound, match="nosuch:latest"):
            await connect(OllamaBackend, server.url).details("nosuch")


async def test_the_models_of_the_openai_api_are_read(connect: Connect) -> None:
    async with ScriptedServer(at={"/v1/models": Raw(recorded("v1-models"))}) as server:
        models = await connect(OpenAIBackend, server.url).models()
    assert [model.name for model in models] == ["smollm2:latest", "smollm2-b:latest"]
