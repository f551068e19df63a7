"""Commands in a real terminal: keys in one burst, and the list of completions over a reply that streams."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from script import Reply
from scripted_server import ScriptedServer
from terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

QWENTUI = [sys.executable, "-m", "qwentui"]
CTRL_Q = "\x11"
LINES = tuple(f"line {number}\n\n" for number in range(30))


def rows(terminal: Terminal) -> list[str]:
    return [line.rstrip() for line in terminal.screen_text().splitlines()]


@pytest.mark.parametrize("output", ["diff", "plain"])
def test_a_list_over_a_streaming_reply_leaves_nothing_behind(output: str, tmp_path: Path) -> None:
    folders = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    with ScriptedServer(Reply(content=LINES, holds=(15,))).in_thread() as server:
        environment = {"OLLAMA_HOST": server.url, "QWENTUI_OUTPUT": output, **folders}
        with Terminal(QWENTUI, env=environment) as terminal:
            terminal.wait_for("qwen3 @ 127")
            terminal.send("/set temperature 0.6\rgo\r")
            terminal.wait_for("line 14")
            assert server.server.last("/api/chat").json["options"]["temperature"] == 0.6
            terminal.send("/")
            terminal.wait_for("New chat")
            terminal.wait_until(lambda: " › /" in rows(terminal))
            row = rows(terminal).index(" › /")
            terminal.wait_until(lambda: terminal.cursor() == (4, row))
            server.release()
            terminal.wait_until(lambda: server.server.last("/api/chat").finished)
            terminal.send("\x7f/copy")
            terminal.wait_for("Copy the last answer")
            terminal.send("\x1b")
            terminal.wait_for("line 29")
            terminal.wait_until(lambda: "last answer" not in terminal.screen_text())
            assert " › /copy" in terminal.screen_text()
            shown = [
                row.strip() for row in terminal.screen_text().splitlines() if row.strip().startswith("line ")
            ]
            assert shown == [f"line {number}" for number in range(30 - len(shown), 30)]
            terminal.send(CTRL_Q)
            assert terminal.wait_exit() == 0
