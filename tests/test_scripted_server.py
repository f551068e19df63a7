"""The scripted server stands in for real ones in every other test, so it is tested by another client."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import IncompleteRead, RemoteDisconnected
from typing import Any

import pytest
from script import LOAD, Fault, Reply, failure
from scripted_server import ScriptedServer


def ask(url: str, path: str, body: object = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(url + path, data, timeout=10) as response:
        read: bytes = response.read()
    return read


def chat(url: str, path: str = "/api/chat") -> list[dict[str, Any]]:
    body = {"model": "qwen3", "options": {"num_ctx": 512}}
    lines = ask(url, path, body).decode().splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line not in ("", "data: [DONE]")]


def test_it_speaks_ollama() -> None:
    with ScriptedServer(Reply(("a", "b"), thinking=("t",), last_content="!")).in_thread() as server:
        assert json.loads(ask(server.url, "/api/ps")) == {"models": []}
        records = chat(server.url)
        assert [record["message"].get("thinking") for record in records] == ["t", None, None, None]
        assert [record["message"]["content"] for record in records] == ["", "a", "b", "!"]
        assert [record["done"] for record in records] == [False, False, False, True]
        (loaded,) = json.loads(ask(server.url, "/api/ps"))["models"]
        assert (loaded["name"], loaded["context_length"]) == ("qwen3:latest", 512)


def test_it_speaks_openai() -> None:
    with ScriptedServer(Reply(("a",), thinking=("t",))).in_thread() as server:
        thought, text, finish, usage = chat(server.url, "/v1/chat/completions")
        assert thought["choices"][0]["delta"] == {"reasoning_content": "t"}
        assert text["choices"][0]["delta"] == {"content": "a"}
        assert finish["choices"][0]["finish_reason"] == "stop"
        assert usage["usage"] == {"prompt_tokens": 12, "completion_tokens": 2}


def test_answers_follow_the_script_and_the_last_one_stays() -> None:
    with ScriptedServer(failure(503, "busy", Retry_After="1"), Reply(("a",))).in_thread() as server:
        with pytest.raises(urllib.error.HTTPError) as caught:
            chat(server.url)
        with caught.value as error:
            assert (error.code, error.headers["Retry-After"]) == (503, "1")
        for _ in range(2):
            assert chat(server.url)[0]["message"]["content"] == "a"


@pytest.mark.parametrize(
    ("fault", "at", "broken"),
    [
        (Fault.CUT, 1, IncompleteRead),
        (Fault.RESET, 1, ConnectionResetError),
        (Fault.CUT, 0, RemoteDisconnected),
    ],
)
def test_a_connection_breaks_where_the_script_says(fault: Fault, at: int, broken: type[Exception]) -> None:
    with ScriptedServer(Reply(fault=fault, fault_at=at)).in_thread() as server, pytest.raises(broken):
        chat(server.url)


@pytest.mark.parametrize(("fault", "last"), [(Fault.END, {"done": False}), (Fault.ERROR, {"error": "oh"})])
def test_a_reply_ends_early_where_the_script_says(fault: Fault, last: dict[str, object]) -> None:
    with ScriptedServer(Reply(fault=fault, fault_at=2, error="oh")).in_thread() as server:
        assert chat(server.url)[-1].items() >= last.items()


def test_it_holds_and_records() -> None:
    with (
        ScriptedServer(Reply(("a", "b"), holds=(LOAD, 1))).in_thread() as server,
        ThreadPoolExecutor() as pool,
    ):
        reply = pool.submit(chat, server.url)
        server.until(lambda s: s.holding == LOAD)
        assert json.loads(ask(server.url, "/api/ps")) == {"models": []}
        server.release()
        server.until(lambda s: s.holding == 1)
        request = server.server.last("/api/chat")
        assert len(request.sent_at) == 1
        assert request.sent_at[0] >= request.received_at
        assert request.json["options"] == {"num_ctx": 512}
        server.release()
        assert len(reply.result(10)) == 3


def test_it_comes_back_at_the_same_address() -> None:
    with ScriptedServer().in_thread() as server:
        ask(server.url, "/api/version")
        server.stop()
        with pytest.raises(urllib.error.URLError):
            ask(server.url, "/api/version")
        server.start()
        ask(server.url, "/api/version")
