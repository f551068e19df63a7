"""Several chats in a real terminal: switching while two stream, and what a crash leaves of what was not sent."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from script import Reply
from scripted_server import ScriptedServer
from terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

QWENTUI = [sys.executable, "-m", "qwentui"]
UP, CTRL_N, CTRL_S, CTRL_Q, F3 = "\x1b[A", "\x0e", "\x13", "\x11", "\x1bOR"


def _environment(home: Path, url: str) -> dict[str, str]:
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    return {"OLLAMA_HOST": url, **folders}


def _drafts(home: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(home / "data" / "qwentui" / "sessions.db")) as connection:
        return connection.execute("SELECT waiting, text FROM drafts").fetchall()


def _end(terminal: Terminal, by: str) -> None:
    match by:
        case "kill -9":
            os.kill(terminal.process.pid, signal.SIGKILL)
        case "SIGTERM":
            terminal.signal(signal.SIGTERM)
        case _:
            terminal.hang_up()
    terminal.wait_exit()


@pytest.mark.parametrize("by", ["kill -9", "SIGTERM", "hang-up"])
def test_a_waiting_prompt_and_a_draft_are_there_again(by: str, tmp_path: Path) -> None:
    script = Reply(content=("half of ", "the answer"), holds=(1,))
    with ScriptedServer(script).in_thread() as server:
        environment = _environment(tmp_path, server.url)
        with Terminal(QWENTUI, env=environment) as terminal:
            terminal.wait_for("qwen3 @ 127")
            terminal.send("my question\r")
            terminal.wait_for("half of")
            terminal.send("my waiting prompt\r")
            terminal.wait_for("waits for its turn")
            terminal.send("my draft 订单")
            if by == "kill -9":
                terminal.wait_until(lambda: ('["my waiting prompt"]', "my draft 订单") in _drafts(tmp_path))
            else:
                terminal.wait_for("my draft 订单")
            _end(terminal, by)
        assert _drafts(tmp_path) == [('["my waiting prompt"]', "my draft 订单")]
        with Terminal(QWENTUI, env=environment) as terminal:
            terminal.wait_for("F3 opens that chat")
            terminal.wait_for("qwen3 @ 127")
            terminal.send(F3)
            terminal.wait_for("interrupted")
            terminal.wait_for("‖ my waiting prompt")
            terminal.wait_for("› my draft 订单")
            terminal.send("\x15" + UP)
            terminal.wait_for("› my waiting prompt")
            assert server.requests[-1].path != "/api/chat"


def test_two_chats_stream_while_the_user_goes_from_one_to_the_other(tmp_path: Path) -> None:
    first = tuple(f"alpha{n}\n\n" for n in range(60))
    second = tuple(f"beta{n}\n\n" for n in range(60))
    script = (Reply(content=first, holds=(30,)), Reply(content=second, holds=(30,)))
    with (
        ScriptedServer(*script).in_thread() as server,
        Terminal(QWENTUI, env=_environment(tmp_path, server.url)) as terminal,
    ):
        terminal.wait_for("qwen3 @ 127")
        terminal.send("about alpha\r")
        terminal.wait_for("alpha29")
        terminal.send(CTRL_N)
        terminal.wait_for("1/3 live")
        terminal.send("about beta\r")
        terminal.wait_for("beta29")
        terminal.wait_for("2/3 live")
        server.release()
        terminal.wait_for("answered: about alpha")
        terminal.send(CTRL_S)
        terminal.wait_for("●  about beta")
        terminal.wait_for("✓  about alpha")
        terminal.send("\r")
        terminal.wait_for("alpha59")
        terminal.wait_for("· stop")
        server.release()
        terminal.wait_for("answered: about beta")
        terminal.send(CTRL_S)
        terminal.wait_for("✓  about beta")
        terminal.send("/about beta\r")
        terminal.wait_for("beta59")
        assert "alpha" not in terminal.screen_text()
        terminal.send(CTRL_Q)
        assert terminal.wait_exit() == 0
        assert b"Traceback" not in terminal.raw
