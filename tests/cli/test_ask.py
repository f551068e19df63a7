from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli.shell import asking, talking_to
from pictures import png
from script import Fault, Model, Plain, Reply, failure
from scripted_server import ScriptedServer, ThreadedServer

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = Reply(content=("Hello", ", ", "\x1b[31mworld"), thinking=("secret",))


def _ask(
    home: Path, server: str, *arguments: str, piped: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    return asking(home, server, "ask", *arguments, piped=piped)


def _messages(server: ThreadedServer) -> list[dict[str, str]]:
    """What was asked; the model is looked up meanwhile, so the last request may be another."""
    [chat] = [request for request in server.requests if request.path == "/api/chat"]
    return chat.json["messages"]


def test_the_answer_is_all_that_stands_on_standard_output(tmp_path: Path) -> None:
    with ScriptedServer(ANSWER).in_thread() as server:
        run = _ask(tmp_path, server.url, "why", "so?")
        asked = _messages(server)
    assert (run.returncode, run.stdout, run.stderr) == (0, "Hello, ␛[31mworld\n".encode(), b"")
    assert asked == [{"role": "user", "content": "why so?"}]


def test_what_is_piped_goes_below_the_question(tmp_path: Path) -> None:
    with ScriptedServer(ANSWER).in_thread() as server:
        run = _ask(tmp_path, server.url, "review this", piped=b"+ a\xff\x00\n- b\n")
        assert _messages(server)[-1]["content"] == "review this\n\n+ a\ufffd\n- b"
    assert run.returncode == 0


def test_json_is_one_record(tmp_path: Path) -> None:
    with ScriptedServer(ANSWER).in_thread() as server:
        run = _ask(tmp_path, server.url, "--json", "hello")
    record = json.loads(run.stdout)
    assert run.stdout.count(b"\n") == 1
    assert record["content"] == "Hello, ␛[31mworld"
    assert record["thinking"] == "secret"
    assert record["finish_reason"] == "stop"
    assert record["prompt_eval_count"] == 12
    assert 0 < record["ttft"] <= record["elapsed"]


@pytest.mark.parametrize(
    ("script", "code", "sentence"),
    [
        (Reply(content=("one", "two"), fault=Fault.CUT, fault_at=1), 1, "qwentui: "),
        (Reply(content=("one",), done_reason="length"), 1, "longest length"),
        (failure(400, '"x" does not support chat'), 1, "qwentui: "),
        (Plain(502, b"<html>Bad Gateway</html>", "text/html"), 1, "qwentui: "),
    ],
)
def test_the_exit_code_is_zero_only_for_a_whole_answer(
    tmp_path: Path, script: Reply | Plain, code: int, sentence: str
) -> None:
    with ScriptedServer(script).in_thread() as server:
        run = _ask(tmp_path, server.url, "hello")
    assert run.returncode == code
    assert sentence in run.stderr.decode()
    assert b"Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "nothing to ask"),
        (("--model", "gemma", "hi"), "has no model 'gemma'"),
        (("--host", "a b", "hi"), "address"),
        (("--embedded", "none.gguf", "hi"), "no file none.gguf"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    with ScriptedServer().in_thread() as server:
        run = _ask(tmp_path, server.url, *arguments)
    assert run.returncode == 2
    assert run.stdout == b""
    assert sentence in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1


def test_a_question_that_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    with ScriptedServer(ANSWER).in_thread() as server:
        run = _ask(tmp_path, server.url, "--json", "sum up", piped=b"word " * 20_000)
        assert server.server.count("/api/chat") == 0
    assert (run.returncode, run.stdout, run.stderr.count(b"\n")) == (1, b"", 1)
    assert b"Shorten it" in run.stderr


def test_nobody_there_is_one_sentence(tmp_path: Path) -> None:
    run = _ask(tmp_path, "127.0.0.1:1", "hi")
    assert run.returncode == 2
    assert b"Nothing listens at 127.0.0.1:1" in run.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_keeps_what_was_printed(tmp_path: Path, as_json: bool) -> None:
    with ScriptedServer(Reply(content=("one ", "two"), holds=(1,))).in_thread() as server:
        flags = ["--json"] if as_json else []
        run = subprocess.Popen(
            [sys.executable, "-m", "qwentui", "ask", *flags, "hello"],
            env=talking_to(tmp_path, server.url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert run.stdout is not None
        if as_json:
            server.until(lambda s: s.holding == 1)
        head = b"" if as_json else run.stdout.read(4)
        run.send_signal(signal.SIGINT)
        rest, stderr = run.communicate(timeout=30)
    assert run.returncode == 130
    assert b"Traceback" not in stderr
    if as_json:
        assert json.loads(rest)["finish_reason"] == "cancelled"
    else:
        assert head + rest == b"one \n"


def test_a_reader_that_leaves_is_no_traceback(tmp_path: Path) -> None:
    with ScriptedServer(Reply(content=("line\n",) * 20_000)).in_thread() as server:
        run = subprocess.run(
            f"{sys.executable} -m qwentui ask hello | head -n 1",
            shell=True,
            env=talking_to(tmp_path, server.url),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
        )
    assert (run.stdout, run.stderr) == (b"line\n", b"")


def test_an_openai_compatible_server_answers_as_well(tmp_path: Path) -> None:
    hidden = {path: Plain(404, b"not found", "text/plain") for path in ("/api/version", "/")}
    with ScriptedServer(ANSWER, at=hidden).in_thread() as server:
        run = _ask(tmp_path, server.url + "/v1", "hello")
        assert any(request.path == "/v1/chat/completions" for request in server.requests)
    assert run.stdout.decode() == "Hello, ␛[31mworld\n"


def test_a_persona_is_the_first_message_and_its_options_go_along(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "qwentui" / "personas"
    folder.mkdir(parents=True)
    text = (
        'name = "Rüdiger"\nsystem = "You help {user}."\ntemperature = 0.25\nthink = "off"\nnum_ctx = 4096\n'
    )
    (folder / "helper.toml").write_text(text, encoding="utf-8")
    log = tmp_path / "log"
    with ScriptedServer(ANSWER).in_thread() as server:
        run = _ask(tmp_path, server.url, "--persona", "HLP", "hello")
        assert (run.returncode, run.stderr) == (0, b"")
        first, second = _messages(server)
        [sent] = [request.json for request in server.requests if request.path == "/api/chat"]
        assert first["role"] == "system"
        assert first["content"].startswith("You help ")
        assert "{" not in first["content"]
        assert second["content"] == "hello"
        assert (sent["options"]["temperature"], sent["options"]["num_ctx"], sent["think"]) == (
            0.25,
            4096,
            False,
        )
        logged = subprocess.run(
            [sys.executable, "-m", "qwentui", "--log-file", log, "--persona", "rüd", "ask", "x"],
            env=talking_to(tmp_path, server.url),
            stdin=subprocess.DEVNULL,
            check=False,
            capture_output=True,
            timeout=60,
        )
    assert logged.returncode == 0
    assert json.loads(log.read_text(encoding="utf-8"))["persona"] == "Rüdiger"
    unknown = _ask(tmp_path, "127.0.0.1:1", "--persona", "zzz", "hello")
    assert (unknown.returncode, unknown.stderr) == (
        2,
        b"qwentui: There is no persona 'zzz'. There are: helper.\n",
    )


def test_files_go_along_and_an_at_is_text(tmp_path: Path) -> None:
    notes, photo = tmp_path / "notes.md", tmp_path / "photo.png"
    notes.write_text("milk\n")
    photo.write_bytes(png())
    seeing = Model(name="qwen2.5vl:7b", capabilities=("completion", "vision"))
    with ScriptedServer(ANSWER, models=(seeing,)).in_thread() as server:
        run = _ask(tmp_path, server.url, "--file", str(notes), "--file", str(photo), f"see @{notes}")
        [message] = _messages(server)
    assert run.returncode == 0
    assert message["content"] == f"see @{notes}\n\n```markdown {notes}\nmilk\n```"
    assert base64.b64decode(message["images"][0]) == png()


def test_a_file_that_cannot_go_along_is_one_sentence(tmp_path: Path) -> None:
    with ScriptedServer(ANSWER).in_thread() as server:
        run = _ask(tmp_path, server.url, "--file", str(tmp_path / "none.md"), "see")
        assert not server.requests
    assert run.returncode == 2
    assert "There is no file" in run.stderr.decode()
    assert b"Traceback" not in run.stderr


def test_an_image_for_a_model_that_cannot_see_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    with ScriptedServer(ANSWER).in_thread() as server:
        run = _ask(tmp_path, server.url, "--file", str(tmp_path / "photo.png"), "see")
        assert all(request.path != "/api/chat" for request in server.requests)
    assert run.returncode == 1
    assert "qwen3 cannot see images." in run.stderr.decode()
    assert b"Traceback" not in run.stderr
