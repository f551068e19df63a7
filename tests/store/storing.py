"""What the tests and benchmarks of the store share: a reply, and a program that is killed while it streams."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from qwentui.chat.conversation import Reply
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import FinishReason
from qwentui.store.writer import StoreWriter


def answer(content: str, reason: FinishReason = FinishReason.STOP, thinking: str = "") -> Reply:
    return Reply(Message(Role.ASSISTANT, content, thinking), reason, "qwen3")


_PIECES = [f"{number:04}\n" for number in range(100)]


async def _stream(path: Path) -> None:
    """Ask and stream without end; say on stdout what a user has seen, with the time."""
    writer = StoreWriter(path)
    await writer.open()
    session = await writer.write(lambda store: store.create())
    while True:
        await _round(writer, session)


async def _round(writer: StoreWriter, session: str) -> None:
    question = await writer.write(lambda store: store.messages.ask(session, "问题 question"))
    os.write(1, f"asked {question}\n".encode())
    reply = await writer.write(lambda store: store.messages.begin_reply(question, model="m"))
    for number, piece in enumerate(_PIECES):
        writer.append(reply, piece)
        os.write(1, f"text {reply} {number} {time.monotonic()}\n".encode())
        await asyncio.sleep(0.004)
    await writer.write(lambda store: store.messages.finish_reply(reply, answer("".join(_PIECES))))


def committed_and_lost(path: Path, after: float) -> float:
    """Kill a streaming program `after` seconds of streaming; returns the seconds of text that are lost.

    Fails when a message that was committed is not there, when a reply is no beginning of what was said, or
    when the store is not whole.
    """
    program = subprocess.Popen([sys.executable, __file__, str(path)], stdout=subprocess.PIPE, bufsize=0)
    assert program.stdout is not None
    lines = [program.stdout.readline()]
    deadline = time.monotonic() + after
    while time.monotonic() < deadline:
        lines.append(program.stdout.readline())
    program.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    lines += program.stdout.read().splitlines()
    program.stdout.close()
    program.wait()
    return _lost(path, [line.split() for line in lines], killed)


def _lost(path: Path, said: list[list[bytes]], killed: float) -> float:
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept: dict[int, str] = dict(store.execute("SELECT id, content FROM messages"))
    lost = 0.0
    for word, message, *rest in said:
        content = kept[int(message)]
        if word == b"asked":
            assert content == "问题 question"
        elif len(rest) == 2:
            assert "".join(_PIECES).startswith(content)
            if _PIECES[int(rest[0])] not in content:
                lost = max(lost, killed - float(rest[1]))
    return lost


if __name__ == "__main__":
    asyncio.run(_stream(Path(sys.argv[1])))
