"""Starts that go wrong: each gives a sentence or still works, and none a traceback."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pytest
from script import Plain, Raw, Reply
from scripted_server import ScriptedServer
from terminal import Terminal
from tiny_gguf import write_gguf

if TYPE_CHECKING:
    from pathlib import Path

QWENTUI = [sys.executable, "-m", "qwentui"]
READY = "qwen3 @ 127"


def _text(terminal: Terminal) -> str:
    """The screen as one line: sentences wrap."""
    return " ".join(terminal.screen_text().split())


def _leaves_cleanly(terminal: Terminal) -> None:
    before = terminal.termios()
    terminal.send("\x11")
    assert terminal.wait_exit() == 0
    assert b"Traceback" not in terminal.raw
    assert 1049 not in terminal.modes
    assert terminal.termios() != before


def test_no_server_is_one_sentence_and_the_ways_on() -> None:
    with Terminal(QWENTUI, env={"OLLAMA_HOST": "127.0.0.1:1"}) as terminal:
        terminal.wait_for("Nothing listens at 127.0.0.1:1")
        terminal.wait_for("try again")
        _leaves_cleanly(terminal)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Plain(500, b'{"error":"boom"}'), "boom"),
        (Plain(502, b"<html><h1>Bad Gateway</h1></html>", "text/html"), "502"),
        (Plain(200, b"<html>hello</html>", "text/html"), "web page answers"),
        (Raw(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), "127.0.0.1"),
    ],
    ids=["500", "proxy", "website", "ssh"],
)
def test_what_answers_wrongly_is_one_sentence(answer: Plain | Raw, sentence: str) -> None:
    everywhere = dict.fromkeys(("/api/version", "/v1/models", "/", "/api/tags"), answer)
    with (
        ScriptedServer(at=everywhere).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url}) as terminal,
    ):
        terminal.wait_for("try again")
        terminal.wait_for(sentence)
        _leaves_cleanly(terminal)


def test_a_broken_settings_file_is_named() -> None:
    with Terminal(["true"]) as probe:
        config = probe.home / "config" / "qwentui" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("[server\n")
        with Terminal(QWENTUI, env={"XDG_CONFIG_HOME": str(probe.home / "config")}) as terminal:
            assert terminal.wait_exit() == 2
            assert "config.toml is not valid TOML" in _text(terminal)
            assert b"Traceback" not in terminal.raw


def test_a_dumb_terminal_is_one_sentence() -> None:
    with Terminal(QWENTUI, env={"TERM": "dumb"}) as terminal:
        assert terminal.wait_exit() == 2
        assert "TERM is dumb" in _text(terminal)


def test_a_tiny_terminal_still_works() -> None:
    with (
        ScriptedServer(Reply(content=("fine",))).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url}, cols=20, rows=5) as terminal,
    ):
        terminal.wait_for("qwentui")
        server.until(lambda s: s.count("/api/show") > 0)
        terminal.send("hi\r")
        terminal.wait_for(re.compile("fine|stop"))
        _leaves_cleanly(terminal)


@pytest.mark.parametrize("variables", [{"HOME": ""}, {"HOME": "/nonexistent"}])
def test_without_a_home_it_works(variables: dict[str, str]) -> None:
    nowhere = {f"XDG_{name}_HOME": "" for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    with (
        ScriptedServer(Reply(content=("fine",))).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url, **nowhere, **variables}) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.send("hi\r")
        terminal.wait_for("fine")
        _leaves_cleanly(terminal)


def test_where_nothing_can_be_written_it_works_and_says_so(tmp_path: Path) -> None:
    # A file in the place of the folder: even root cannot write into it.
    (tmp_path / "file").touch()
    broken = {f"XDG_{name}_HOME": str(tmp_path / "file") for name in ("DATA", "STATE", "CACHE")}
    with (
        ScriptedServer(Reply(content=("fine",))).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url, **broken}) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.send("hi\r")
        terminal.wait_for("fine")
        terminal.wait_until(lambda: "cannot be written" in _text(terminal))
        _leaves_cleanly(terminal)


def test_ctrl_c_and_sigterm_restore_the_terminal() -> None:
    import signal

    with (
        ScriptedServer(Reply(content=("one ", "two"), holds=(1,))).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url}) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.send("hi\r")
        terminal.wait_for("one")
        terminal.send("\x03")
        terminal.wait_for("stopped by you")
        assert 1049 in terminal.modes
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_exit() == 128 + signal.SIGTERM
        assert not {1049, 1000, 1003, 1006, 2004} & terminal.modes


def test_a_hang_up_ends_it() -> None:
    with (
        ScriptedServer(Reply(content=("one ", "two"), holds=(1,))).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url}) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.send("hi\r")
        terminal.wait_for("one")
        terminal.hang_up()
        terminal.wait_exit()
        server.until(lambda s: s.last("/api/chat").hung_up)


def test_without_a_terminal_it_points_to_ask(tmp_path: Path) -> None:
    import subprocess

    run = subprocess.run(
        QWENTUI,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "qwentui ask" in run.stderr


def test_any_gguf_is_run_on_this_machine(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    gguf = write_gguf(tmp_path / "tiny.gguf")
    with Terminal([*QWENTUI, "--embedded", str(gguf)]) as terminal:
        terminal.wait_for("tiny @ built-in model", timeout=60)
        terminal.send("hi\r")
        terminal.wait_for("ttft", timeout=60)
        _leaves_cleanly(terminal)


def test_a_file_that_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    (tmp_path / "not.gguf").write_bytes(b"GGUF but not really")
    with Terminal([*QWENTUI, "--embedded", str(tmp_path / "not.gguf")]) as terminal:
        terminal.wait_until(lambda: "could not load not.gguf" in _text(terminal), timeout=60)
        terminal.wait_for("try again")
        _leaves_cleanly(terminal)
