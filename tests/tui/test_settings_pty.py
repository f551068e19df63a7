"""The settings screen in a real terminal, where keys come in bursts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scripted_server import ScriptedServer
from terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

QWENTUI = [sys.executable, "-m", "qwentui"]
F11 = "\x1b[23~"


def test_what_is_typed_right_behind_a_key_goes_where_that_key_leads(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[chat]\nparallel = 3 # enough\n[model]\nnum_ctx = 8192\n")
    with (
        ScriptedServer().in_thread() as server,
        Terminal([*QWENTUI, "--config", str(path)], env={"OLLAMA_HOST": server.url}) as term,
    ):
        term.wait_for("qwen3 @ 127")
        term.send(F11)
        term.wait_for("enter changes it")
        term.send("/chat")
        term.wait_for("1/2 · enter changes it · ↑↓")
        term.send("\x1b")
        term.wait_for("a all keys")
        # Down, up, and the value at the cursor with a 7 behind it.
        term.send("jk\r7")
        term.wait_for("enter keeps it")
        term.wait_for("37")
        term.send("\r")
        term.wait_for("chat.parallel is 37 in")
        assert path.read_text() == "[chat]\nparallel = 37 # enough\n[model]\nnum_ctx = 8192\n"
        # To the list of the settings, d and a would be keys.
        term.send(f"{F11}dad 订单")
        term.wait_for("› dad 订单")
        assert "37 # enough" in path.read_text()
