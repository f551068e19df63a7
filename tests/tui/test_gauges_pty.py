"""The gauges in a real terminal: quiet when nothing changes, and true to what the driver says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nvml_stub import NvmlStub
from scripted_server import ScriptedServer
from terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

QWENTUI = [sys.executable, "-m", "qwentui"]


def test_an_idle_program_writes_no_byte_while_no_value_changes(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    scripted = ScriptedServer()
    scripted.loaded["qwen3:latest"] = 8192
    with (
        scripted.in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url, **stub.environ}) as terminal,
    ):
        terminal.wait_for("unload 5 min")
        terminal.wait_for("1.0/22.5G")
        asked = scripted.count("/api/ps")
        terminal.wait_until(lambda: scripted.count("/api/ps") > asked)
        written, asked = len(terminal.raw), scripted.count("/api/ps")
        terminal.wait_until(lambda: scripted.count("/api/ps") > asked)
        assert bytes(terminal.raw[written:]) == b""


def test_the_card_is_what_the_driver_says_and_one_that_is_lost_is_said_to_be(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    stub.say("card0.used 20900")
    with (
        ScriptedServer().in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url, **stub.environ}) as terminal,
    ):
        terminal.wait_for("20.4/22.5G not loaded")
        stub.say("card0.used 21500")
        terminal.wait_for("21.0/22.5G")
        stub.say("cards 2", "card0.used 1024", "card1.used 1024")
        terminal.wait_for("2.0/45.0G 2 cards")
        stub.say("card0.lost 1")
        terminal.wait_for("VRAM ! lost")
        terminal.send("\x1bOQ")
        terminal.wait_for("It fell off the bus")
        terminal.send("q")
        stub.say()
        terminal.wait_for("1.0/22.5G")
