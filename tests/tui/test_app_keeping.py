"""What is said is on disk: before it is sent, while it streams, after a crash."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest
from script import Fault, Reply
from scripted_server import ScriptedServer
from terminal import Terminal
from walk import walking

from qwentui.store.settings import Retry
from qwentui.tui.transcript.items import ReplyItem, UserItem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QWENTUI = [sys.executable, "-m", "qwentui"]


def _stored(database: Path) -> list[tuple[str, str, str | None]]:
    if not database.exists():
        return []
    connection = sqlite3.connect(database)
    try:
        return connection.execute("SELECT role, content, finish_reason FROM messages ORDER BY id").fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


async def test_the_question_is_on_disk_before_it_is_sent(tmp_path: Path) -> None:
    database = tmp_path / "data" / "sessions.db"
    async with ScriptedServer(Reply(holds=(-1,))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("keep this")
        await server.until(lambda s: s.count("/api/chat") == 1)
        assert _stored(database)[0] == ("user", "keep this", None)


async def test_a_reply_is_kept_with_its_end(tmp_path: Path) -> None:
    database = tmp_path / "data" / "sessions.db"
    script = (Reply(content=("all",)), Reply(content=("some", "more"), fault=Fault.CUT, fault_at=1))
    once = Retry(attempts=0)
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url, retry=once) as walk:
        await walk.connected()
        await walk.say("one")
        await walk.answered()
        await walk.say("two")
        await walk.until(lambda: server.count("/api/chat") == 2 and not walk.app.chat.busy)
        assert _stored(database) == [
            ("user", "one", None),
            ("assistant", "all", "stop"),
            ("user", "two", None),
            ("assistant", "some", "error"),
        ]


async def test_the_last_chat_is_taken_up_and_goes_on(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("first answer",))) as server:
        async with walking(tmp_path, server.url) as walk:
            await walk.connected()
            await walk.say("first question")
            await walk.answered()
        async with walking(tmp_path, server.url, resume="") as walk:
            await walk.connected()
            assert walk.items[0] == UserItem("first question")
            assert isinstance(walk.items[1], ReplyItem)
            await walk.say("second question")
            await walk.until(lambda: server.count("/api/chat") == 2 and not walk.app.chat.busy)
            sent = [m["content"] for m in server.last("/api/chat").json["messages"]]
            assert sent == ["first question", "first answer", "second question"]
        stored = _stored(tmp_path / "data" / "sessions.db")
        assert [content for _, content, _ in stored][-1] == "first answer"
        assert len(stored) == 4


async def test_nothing_to_take_up_is_said(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url, resume="") as walk:
        await walk.connected()
        assert any("no chat to take up" in notice for notice in walk.notices)


def _broken_off(home: Path, end: Callable[[Terminal], None]) -> tuple[list[tuple[str, str, str | None]], str]:
    """End the program by `end` in the middle of a reply; what is stored then, and what a next start says."""
    script = Reply(content=("half of ", "the answer"), holds=(1,))
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    database = home / "data" / "qwentui" / "sessions.db"
    with ScriptedServer(script).in_thread() as server:
        environment = {"OLLAMA_HOST": server.url, **folders}
        with Terminal(QWENTUI, env=environment) as terminal:
            terminal.wait_for("qwen3 @ 127")
            terminal.send("my question\r")
            terminal.wait_until(lambda: any("half of" in content for _, content, _ in _stored(database)))
            end(terminal)
            terminal.wait_exit()
        stored = _stored(database)
        with Terminal(QWENTUI, env=environment) as terminal:
            terminal.wait_for("qwen3 @ 127")
            said = " ".join(terminal.screen_text().split())
        with Terminal([*QWENTUI, "--continue"], env=environment) as terminal:
            terminal.wait_for("my question")
            terminal.wait_for("half of")
            terminal.wait_for("interrupted")
            assert b"Traceback" not in terminal.raw
    return stored, said


def test_after_kill_9_the_next_start_tells_and_takes_up(tmp_path: Path) -> None:
    stored, said = _broken_off(tmp_path, lambda terminal: os.kill(terminal.process.pid, signal.SIGKILL))
    assert [content for _, content, _ in stored] == ["my question", "half of "]
    assert "was interrupted" in said


@pytest.mark.parametrize("by", ["SIGTERM", "hang-up"])
def test_an_end_that_can_be_caught_marks_the_reply_at_once(by: str, tmp_path: Path) -> None:
    def end(terminal: Terminal) -> None:
        if by == "SIGTERM":
            terminal.signal(signal.SIGTERM)
        else:
            terminal.hang_up()

    stored, said = _broken_off(tmp_path, end)
    assert "was interrupted" in said
    assert stored == [("user", "my question", None), ("assistant", "half of ", "interrupted")]
