from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from cli.shell import QWENTUI, environment, in_home
from model_server import FULL_DISK, Cut, ModelServer, Stall, layer, ndjson
from nvml_stub import NvmlStub
from script import Model, Raw, Reply
from scripted_server import ScriptedServer
from terminal import Terminal
from tiny_gguf import write_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripted_server import ThreadedServer

MODEL = [*QWENTUI, "model"]
PULL = [ndjson({"status": "pulling manifest"}, layer(40, 100), layer(100, 100), {"status": "success"})]
TWO = (Model(), Model(name="llama3.2:3b", digest="c2" * 32, size=2_019_393_189))
WIRE = Path(__file__).parents[1] / "data" / "wire"
RECORDED = {"/api/tags": "tags", "/api/show": "show"}
RECIPE = 'FROM ./tiny.gguf\nPARAMETER num_ctx 1024\nPARAMETER num_gqa 8\nPARAMETER stop "【|<|>"\n'


def _environment(home: Path, server: str) -> dict[str, str]:
    return environment(home) | {"OLLAMA_HOST": server, "QWENTUI_RETRY_DELAY": "0"}


def _model(home: Path, server: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return in_home(home, "model", *arguments, OLLAMA_HOST=server, QWENTUI_RETRY_DELAY="0")


@contextmanager
def _running(home: Path, server: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    run = subprocess.Popen(
        [*MODEL, *arguments],
        env=_environment(home, server),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=home,
    )
    try:
        yield run
    finally:
        run.kill()
        run.communicate()


def _interrupted(run: subprocess.Popen[bytes]) -> str:
    """The last line after Ctrl+C."""
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=30)
    assert run.returncode == 130
    assert b"Traceback" not in stderr
    return stderr.decode().splitlines()[-1]


def test_models_are_listed_with_what_is_loaded(tmp_path: Path) -> None:
    with ModelServer(models=TWO).in_thread() as server:
        assert _model(tmp_path, server.url, "load", "llama").returncode == 0
        run = _model(tmp_path, server.url, "list")
        assert run.stdout == "qwen3\t19.8 GB\t32.8B\tQ4_K_M\t\nllama3.2:3b\t2.0 GB\t32.8B\tQ4_K_M\tloaded\n"
        records = [
            json.loads(line) for line in _model(tmp_path, server.url, "list", "--json").stdout.splitlines()
        ]
        assert [(record["name"], record["loaded"]) for record in records] == [
            ("qwen3:latest", False),
            ("llama3.2:3b", True),
        ]


def test_load_takes_the_settings_and_ps_shows_it(tmp_path: Path) -> None:
    with ModelServer(models=TWO).in_thread() as server:
        run = _model(tmp_path, server.url, "load", "qwen3")
        assert "qwen3 is loaded, wholly on the GPU." in run.stderr
        body = server.server.last("/api/generate").json
        assert (body["options"], body["keep_alive"]) == ({"num_ctx": 8192}, "5m")
        [line] = _model(tmp_path, server.url, "ps").stdout.splitlines()
        assert line.startswith("qwen3\t21.5 GB\tGPU\t8,192\t")
        [record] = _model(tmp_path, server.url, "ps", "--json").stdout.splitlines()
        assert json.loads(record)["context_length"] == 8192
        assert "leaves the memory" in _model(tmp_path, server.url, "unload").stderr
        assert "No model is loaded" in _model(tmp_path, server.url, "ps").stderr


def test_what_spills_to_the_cpu_is_told(tmp_path: Path) -> None:
    half = Model(size=20_000_000_000, size_vram=15_000_000_000)
    with ModelServer(models=(half,)).in_thread() as server:
        run = _model(tmp_path, server.url, "load", "qwen3")
    assert "25 % on the CPU: answers will be slow" in run.stderr


def test_show_tells_the_kind_of_template_and_the_faults(tmp_path: Path) -> None:
    with ModelServer(models=TWO).in_thread() as server:
        run = _model(tmp_path, server.url, "show", "qwen3")
        assert "template      Jinja" in run.stdout
        assert "thinking" in run.stdout
        assert "No num_ctx is set" in run.stdout
        record = json.loads(_model(tmp_path, server.url, "show", "qwen3", "--json").stdout)
        assert (record["template"], record["architecture"]) == ("Jinja", "qwen3")


def test_the_recorded_model_is_shown(tmp_path: Path) -> None:
    at = {path: Raw((WIRE / f"{name}.txt").read_bytes()) for path, name in RECORDED.items()}
    with ScriptedServer(at=at).in_thread() as server:
        run = _model(tmp_path, server.url, "show", "smollm2:latest", "--vram", "1")
    assert "Go, from Ollama or a Modelfile" in run.stdout
    assert "stop '<|im_end|>'" in run.stdout
    assert "The GPU (1.0 GiB)" in run.stdout


def test_what_a_model_takes_is_judged_by_the_card_that_is_here(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    stub.say("card0.name Tesla T4", "card0.total 15360")
    at = {path: Raw((WIRE / f"{name}.txt").read_bytes()) for path, name in RECORDED.items()}
    with ScriptedServer(at=at).in_thread() as server:
        run = subprocess.run(
            [*QWENTUI, "model", "show", "smollm2:latest"],
            env=_environment(tmp_path, server.url) | stub.environ,
            capture_output=True,
            text=True,
            check=True,
        )
    assert "Tesla T4 (15.0 GiB)" in run.stdout


def test_a_pull_tells_its_steps(tmp_path: Path) -> None:
    with ModelServer(pulls=PULL).in_thread() as server:
        run = _model(tmp_path, server.url, "pull", "qwen3:32b")
    assert run.returncode == 0
    assert run.stderr.splitlines()[:2] == ["pulling manifest", "pulling 941f309b54ca"]
    assert "qwen3:32b is on 127.0.0.1" in run.stderr
    assert "\x1b" not in run.stderr


def test_a_model_is_made_of_a_file_and_tried(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    with ModelServer(Reply(content=("I am ", "tiny\x1b[31m."))).in_thread() as server:
        run = _model(
            tmp_path,
            server.url,
            "create",
            "tiny",
            "--from",
            "tiny.gguf",
            "--num-ctx",
            "1024",
            "--system",
            "Be brief.",
        )
        assert run.returncode == 0, run.stderr
        [created] = server.server.created
        asked = server.server.last("/api/chat").json
    assert run.stdout == "I am tiny␛[31m.\n"
    assert (created["system"], created["parameters"]) == ("Be brief.", {"num_ctx": 1024})
    assert (asked["model"], asked["think"], asked["options"]["num_ctx"]) == ("tiny", False, 1024)
    assert "llama, 26,912 parameters" in run.stderr
    assert "An A10 (22.2 GiB) holds all of it" in run.stderr
    assert "The file has no chat template" in run.stderr
    assert "tiny is loaded, wholly on the GPU." in run.stderr


def test_the_recipe_s_modelfile_is_made_right(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    (tmp_path / "Modelfile").write_text(RECIPE)
    with ModelServer().in_thread() as server:
        run = _model(
            tmp_path, server.url, "create", "tiny", "-f", "Modelfile", "--quantize", "q4_K_M", "--no-ask"
        )
        assert run.returncode == 0, run.stderr
        [created] = server.server.created
        assert not any(request.path == "/api/chat" for request in server.requests)
    assert created["parameters"] == {"num_ctx": 1024}
    assert created["quantize"] == "q4_K_M"
    assert "Line 3: num_gqa" in run.stderr
    assert "Line 4: stop" in run.stderr


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (Reply(content=("hi", "<|im_end|>")), "holds the control token"),
        (Reply(content=("\n",)), "The answer is empty"),
        (Reply(content=("a",), done_reason="length"), "did not end within 128 tokens"),
    ],
)
def test_a_wrong_template_is_seen_at_once(tmp_path: Path, reply: Reply, sentence: str) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    with ModelServer(reply).in_thread() as server:
        run = _model(tmp_path, server.url, "create", "tiny", "--from", "tiny.gguf")
    assert sentence in run.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("create", "tiny"), "Give --from FILE or -f FILE"),
        (("create", "tiny", "--from", "none.gguf"), "There is no file none.gguf"),
        (("create", "tiny", "--from", "Modelfile"), "is not a GGUF file"),
        (("create", "tiny", "--from", "part.gguf"), "damaged or not whole"),
        (("create", "!!", "--from", "tiny.gguf"), "cannot be a model's name"),
        (("create", "tiny", "-f", "wrong"), "Is num_ctx meant?"),
        (("copy", "qwen3", "a b"), "cannot be a model's name"),
        (("show", "gemma"), "has no model 'gemma'"),
        (("show", "q"), "Several models fit 'q'"),
        (("rm", "qwen"), "Write the whole name"),
        (("rm", "qwen3"), "Give --yes"),
        (("load",), "No model is named"),
        (("list", "--host", "a b"), "address"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    whole = write_gguf(tmp_path / "tiny.gguf").read_bytes()
    (tmp_path / "part.gguf").write_bytes(whole[:-5000])
    (tmp_path / "Modelfile").write_text(RECIPE)
    (tmp_path / "wrong").write_text("FROM tiny.gguf\nPARAMETER num_ctxx 1\n")
    models = (Model(), Model(name="qwq:32b"))
    with ModelServer(models=models).in_thread() as server:
        run = _model(tmp_path, server.url, *arguments)
        assert not any(request.method in ("DELETE", "POST") for request in server.requests)
    assert run.returncode == 2
    assert run.stdout == ""
    assert sentence in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_server_that_is_not_ollama_is_told(tmp_path: Path) -> None:
    gone = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    everywhere = {"/api/version": Raw(gone)}
    with ScriptedServer(at=everywhere).in_thread() as server:
        run = _model(tmp_path, server.url, "list")
    assert (run.returncode, run.stdout) == (2, "")
    assert "is not Ollama" in run.stderr


def test_the_built_in_model_is_not_managed(tmp_path: Path) -> None:
    run = subprocess.run(
        [*QWENTUI, "--embedded", "model", "list"], env=environment(tmp_path), capture_output=True, check=False
    )
    assert run.returncode == 2
    assert b"nothing to manage" in run.stderr


def test_full_disks_and_broken_uploads(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    create = ("create", "tiny", "--from", "tiny.gguf", "--no-ask")
    with ModelServer(faults=[FULL_DISK, Cut(5000)]).in_thread() as server:
        full = _model(tmp_path, server.url, *create)
        assert full.returncode == 2
        assert "disk is full" in full.stderr
        again = _model(tmp_path, server.url, *create)
        assert again.returncode == 0
        assert "Trying again" in again.stderr
        assert "reading" not in again.stderr


def test_a_name_is_copied_and_removed(tmp_path: Path) -> None:
    with ModelServer(models=TWO).in_thread() as server:
        assert _model(tmp_path, server.url, "copy", "llama", "spare").returncode == 0
        assert {model.name for model in server.server.models} == {
            "qwen3:latest",
            "llama3.2:3b",
            "spare:latest",
        }
        run = _model(tmp_path, server.url, "rm", "--yes", "spare", "qwen3:latest")
        assert run.returncode == 0
        assert [model.name for model in server.server.models] == ["llama3.2:3b"]


def test_ctrl_c_in_an_upload_says_what_stays(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    with (
        ModelServer(faults=[Stall(100)]).in_thread() as server,
        _running(tmp_path, server.url, "create", "tiny", "--from", "tiny.gguf") as run,
    ):
        server.until(lambda s: any(request.body for request in s.requests))
        assert "the same command goes on with them" in _interrupted(run)


def test_ctrl_c_in_a_pull_says_what_stays(tmp_path: Path) -> None:
    holding = ModelServer(pulls=[Reply(holds=(0,))])
    with holding.in_thread() as server, _running(tmp_path, server.url, "pull", "qwen3:32b") as run:
        server.until(lambda s: s.count("/api/pull") == 1)
        assert "`qwentui model pull qwen3:32b` goes on" in _interrupted(run)


def _terminal(server: ThreadedServer, *arguments: str) -> Terminal:
    return Terminal([*MODEL, *arguments], env={"OLLAMA_HOST": server.url}, cols=100, rows=20)


def test_a_terminal_gets_bars_and_columns() -> None:
    with ModelServer(models=TWO, pulls=PULL).in_thread() as server:
        with _terminal(server, "pull", "qwen3:32b") as terminal:
            assert terminal.wait_exit() == 0
            assert "pulling 941f309b54ca     ━━━━━━━━━━━━━━━━━━━━━━━━ 0.1 of 0.1 kB" in terminal.screen_text()
        with _terminal(server, "list") as terminal:
            assert terminal.wait_exit() == 0
            assert "NAME         SIZE     PARAMETERS  QUANTIZATION" in terminal.screen_text()


def test_a_terminal_is_asked_before_a_model_goes() -> None:
    with ModelServer(models=TWO).in_thread() as server:
        for answer, left, code in (("n\r", 2, 0), ("\x03", 2, 130), ("y\r", 1, 0)):
            with _terminal(server, "rm", "llama3.2:3b") as terminal:
                process = psutil.Process(terminal.process.pid)
                terminal.wait_for("Remove llama3.2:3b (2.0 GB) from the server's disk?")
                # A signal between the question and the reading of its answer waits for the next key.
                terminal.wait_until(lambda process=process: process.status() == psutil.STATUS_SLEEPING)
                terminal.send(answer)
                assert terminal.wait_exit() == code
            assert len(server.server.models) == left


def test_the_commands_are_imported_when_they_are_called() -> None:
    code = (
        "import sys, qwentui.cli.model\n"
        "sys.exit(', '.join(sorted({'httpx', 'msgspec', 'textual', 'rich'} & set(sys.modules))) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
