"""Unknown keys do not stop the program; they are told where the user looks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cli.shell import QWENTUI, qwentui
from script import Reply
from scripted_server import ScriptedServer
from terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

WARNING = "model.num_cxt is unknown; did you mean model.num_ctx?"


def settings(home: Path) -> Path:
    path = home / ".config" / "qwentui" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[model]\nnum_cxt = 4096\n[profile.a10.model]\nnum_ctx = 5000\n")
    return path


def test_a_command_warns_on_standard_error(tmp_path: Path) -> None:
    settings(tmp_path)
    with ScriptedServer(Reply(content=("fine",))).in_thread() as server:
        run = qwentui(tmp_path, "--host", server.url, "--profile", "a10", "ask", "hi")
        assert server.server.last("/api/chat").json["options"]["num_ctx"] == 5000
    assert run.stdout == b"fine\n"
    assert run.stderr.decode() == f"qwentui: {WARNING}\n"
    assert run.returncode == 0


def test_an_unknown_profile_is_one_sentence(tmp_path: Path) -> None:
    settings(tmp_path)
    run = qwentui(tmp_path, "--profile", "a11", "ask", "hi")
    assert run.stderr.decode() == "qwentui: There is no profile 'a11'. Known are: a10.\n"
    assert run.returncode == 2


def test_the_doctor_warns(tmp_path: Path) -> None:
    settings(tmp_path)
    run = qwentui(tmp_path, "--host", "127.0.0.1:1", "doctor", "--json")
    found = {record["check"]: record for record in map(json.loads, run.stdout.splitlines())}
    assert found["settings keys"]["verdict"] == "warning"
    assert found["settings keys"]["evidence"] == WARNING


def test_the_chat_starts_and_says_it() -> None:
    with (
        ScriptedServer(Reply(content=("fine",))).in_thread() as server,
        Terminal(["true"]) as probe,
    ):
        config = probe.home / "config" / "qwentui" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("[model]\nnum_cxt = 4096\n")
        environ = {"OLLAMA_HOST": server.url, "XDG_CONFIG_HOME": str(probe.home / "config")}
        with Terminal(QWENTUI, env=environ) as terminal:
            terminal.wait_for(WARNING)
            terminal.wait_for("qwen3 @ 127")
            terminal.send("\x11")
            assert terminal.wait_exit() == 0
