"""`qwentui doctor` as a user runs it: over a scripted server, the stub of NVIDIA's library, and a terminal."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

from cli.shell import QWENTUI, environment
from nvml_stub import NvmlStub
from script import Model, Plain
from scripted_server import ScriptedServer
from terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

QWEN3 = {
    "general.architecture": "qwen3",
    "qwen3.context_length": 40960,
    "qwen3.block_count": 64,
    "qwen3.embedding_length": 5120,
    "qwen3.attention.head_count": 64,
    "qwen3.attention.head_count_kv": 8,
    "qwen3.attention.key_length": 128,
    "qwen3.attention.value_length": 128,
}


def examined(
    data: Path, *arguments: str, stub: NvmlStub | None = None, code: int | None = None
) -> dict[str, dict[str, Any]]:
    """The findings by their names; the exit code is checked."""
    environ = environment(data) | (stub.environ if stub is not None else {"LD_LIBRARY_PATH": "/nonexistent"})
    run = subprocess.run(
        [*QWENTUI, "doctor", "--json", *arguments],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert run.stderr == b""
    found = [json.loads(line) for line in run.stdout.splitlines()]
    verdicts = {finding["verdict"] for finding in found}
    assert run.returncode == (2 if "broken" in verdicts else 1 if "warning" in verdicts else 0)
    assert code is None or run.returncode == code
    return {finding["check"]: finding for finding in found}


def test_a_box_that_is_set_up_right(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    stub.say("card0.used 21500", "card0.total 22731", "card0.processes 4242:21000")
    model = Model(size=19_319_000_000, model_info=QWEN3)
    with ScriptedServer(models=(model,)).in_thread() as server:
        server.server.loaded["qwen3:latest"] = 8192
        found = examined(tmp_path, "--host", server.url, stub=stub)
    assert "NVIDIA A10" in found["gpu 0"]["evidence"]
    assert found["server"]["verdict"] == "good"
    assert found["loaded"]["verdict"] == "warning" or "100" not in found["loaded"]["evidence"]
    assert found["num_ctx"]["verdict"] == "good"
    assert found["fit"]["verdict"] == "good"
    assert "4,096" in found["other clients"]["evidence"]
    assert found["chats"]["verdict"] == "good"
    assert not (tmp_path / "qwentui").exists()  # it looks, and leaves nothing behind


def test_a_model_that_spills_is_told_of(tmp_path: Path) -> None:
    model = Model(size=20_000_000_000, size_vram=15_000_000_000, model_info=QWEN3)
    with ScriptedServer(models=(model,)).in_thread() as server:
        server.server.loaded["qwen3:latest"] = 4096
        found = examined(tmp_path, "--host", server.url, "--vram", "22.2", code=1)
    assert "25% runs on the CPU" in found["loaded"]["evidence"]
    assert "loaded with 4,096, qwentui asks for 8,192" in found["num_ctx"]["evidence"]
    assert found["gpu"]["verdict"] == "warning"


def test_no_server_is_broken_and_the_rest_is_examined_all_the_same(tmp_path: Path) -> None:
    found = examined(tmp_path, "--host", "127.0.0.1:9", code=2)
    assert found["server"]["verdict"] == "broken"
    assert found["server"]["remedy"]
    assert found["themes"]["verdict"] == "good"


def test_settings_that_cannot_be_used_are_a_finding(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "qwentui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("[model]\nnum_ctx = -3\n")
    found = examined(tmp_path, "--host", "127.0.0.1:9", code=2)
    assert "num_ctx" in found["settings"]["evidence"]
    assert found["settings"]["verdict"] == "broken"


def test_a_server_without_a_model_and_with_a_wrong_clock(tmp_path: Path) -> None:
    late = Plain(body=b"Ollama is running", headers=(("Date", "Mon, 02 Jan 2006 15:04:05 GMT"),))
    with ScriptedServer(models=(), at={"/": late}).in_thread() as server:
        found = examined(tmp_path, "--host", server.url, code=2)
    assert found["clock"]["verdict"] == "warning"
    assert found["model"]["verdict"] == "broken"


def test_in_a_terminal_it_is_asked_and_left_as_it_was(tmp_path: Path) -> None:
    with ScriptedServer().in_thread() as server:
        argv = [*QWENTUI, "doctor", "--host", server.url]
        with Terminal(argv, env=environment(tmp_path) | {"TERM": "xterm-256color"}) as terminal:
            terminal.wait_exit()
            screen = terminal.screen_text()
    assert re.search(r"widths +Chinese takes two columns", screen)
    assert re.search(r"link +\d+ ms there and back", screen)
    assert re.search(r"\d+ broken, \d+ warnings, \d+ good", screen)
