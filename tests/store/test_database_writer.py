from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest
from store.storing import answer

from qwentui.chat.errors import StoreError
from qwentui.store import connections, leaves
from qwentui.store.database import Database, Opening
from qwentui.store.sessions import SessionStore
from qwentui.store.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def _writer(path: Path, told: list[Opening] | None = None) -> AsyncIterator[StoreWriter]:
    writer = StoreWriter(path, (told if told is not None else []).append)
    await writer.open()
    try:
        yield writer
    finally:
        assert writer.close(timeout=30)


async def _asked(writer: StoreWriter, text: str) -> tuple[str, int]:
    session = await writer.write(lambda store: store.create())
    return session, await writer.write(lambda store: store.messages.ask(session, text))


def _contents(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT content FROM messages ORDER BY id")]


def _wait_for(path: Path, content: str) -> None:
    """Until the second message on the disk says `content`."""
    deadline = time.monotonic() + 30
    while _contents(path)[1] != content:
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_a_message_is_on_the_disk_when_its_write_returns(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    async with _writer(path) as writer:
        await _asked(writer, "问题")
        assert _contents(path) == ["问题"]


async def test_streaming_text_reaches_the_disk_by_itself_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    async with _writer(path) as writer:
        _, question = await _asked(writer, "count")
        reply = await writer.write(lambda store: store.messages.begin_reply(question, model="m"))
        for number in range(200):
            writer.append(reply, f"{number} ", thinking="." if number < 3 else "")
        expected = "".join(f"{number} " for number in range(200))
        await asyncio.to_thread(_wait_for, path, expected)
        writer.append(reply, "not the last word")
        await writer.write(lambda store: store.messages.finish_reply(reply, answer("the last word")))
        assert _contents(path)[1] == "the last word"


async def test_a_cancelled_write_is_done_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    async with _writer(path) as writer:
        session, _ = await _asked(writer, "first")
        gate = threading.Event()
        blocker = asyncio.create_task(writer.write(lambda _: gate.wait(30)))
        task = asyncio.create_task(writer.write(lambda store: store.messages.ask(session, "second")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        await blocker
    assert _contents(path) == ["first", "second"]


async def test_reading_does_not_wait_for_writing(tmp_path: Path) -> None:
    async with _writer(tmp_path / "sessions.db") as writer:
        session, _ = await _asked(writer, "first")
        gate = threading.Event()
        blocker = asyncio.create_task(writer.write(lambda _: gate.wait(30)))
        loaded = await writer.read(lambda store: store.load(session))
        assert not gate.is_set()
        gate.set()
        await blocker
        assert loaded.info.rounds == 1


async def test_a_job_that_fails_leaves_nothing_behind_and_the_next_one_runs(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    async with _writer(path) as writer:
        session, _ = await _asked(writer, "first")

        def fail(store: SessionStore) -> None:
            store.messages.ask(session, "half")
            raise KeyError(session)

        with pytest.raises(KeyError):
            await writer.write(fail)
        with pytest.raises(StoreError, match="There is no session"):
            await writer.write(lambda store: store.rename("nobody", "title"))
        writer.append(4711, "text for a reply that is gone")
        await writer.write(lambda store: store.messages.ask(session, "second"))
    assert _contents(path) == ["first", "second"]


async def test_closing_writes_what_waits_and_marks_what_is_not_finished(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    async with _writer(path) as writer:
        session, question = await _asked(writer, "first")
        reply = await writer.write(lambda store: store.messages.begin_reply(question, model="m"))
        writer.append(reply, "so far")
    writer.append(reply, "too late")
    assert writer.close()
    with pytest.raises(StoreError, match="closed"):
        await writer.write(lambda store: store.create())
    with pytest.raises(StoreError, match="closed"):
        await writer.read(lambda store: store.last())
    with closing(Database.open(path)) as database:
        (turn,) = SessionStore(database).load(session).conversation.turns
        assert turn.reply is not None
        assert (turn.reply.message.content, turn.reply.finish_reason) == ("so far", "interrupted")


_HUNG_UP = """
import asyncio, signal, sys
from pathlib import Path
from qwentui.store.writer import StoreWriter

async def main():
    writer = StoreWriter(Path(sys.argv[1]))
    def end(*_):
        sys.exit(0 if writer.close() else 1)
    signal.signal(signal.SIGHUP, end)
    await writer.open()
    session = await writer.write(lambda store: store.create())
    question = await writer.write(lambda store: store.messages.ask(session, "q"))
    reply = await writer.write(lambda store: store.messages.begin_reply(question, model="m"))
    print("ready", flush=True)
    number = 0
    while True:
        writer.append(reply, f"{number} ")
        number += 1
        await asyncio.sleep(0.001)

asyncio.run(main())
"""


def test_closing_from_a_signal_handler_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    program = subprocess.Popen([sys.executable, "-c", _HUNG_UP, str(path)], stdout=subprocess.PIPE)
    assert program.stdout is not None
    assert program.stdout.readline() == b"ready\n"
    program.send_signal(signal.SIGHUP)
    program.communicate(timeout=30)
    assert program.returncode == 0
    numbers = _contents(path)[1].split()
    assert numbers == [str(number) for number in range(len(numbers))]


async def test_a_store_that_vanishes_goes_on_in_memory_and_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    told: list[Opening] = []
    async with _writer(path, told) as writer:
        session, question = await _asked(writer, "first")
        reply = await writer.write(lambda store: store.messages.begin_reply(question, model="m"))
        path.unlink()
        writer.append(reply, "streamed")
        await writer.write(lambda store: store.messages.ask(session, "second", beside=question))
        await writer.write(lambda store: store.messages.finish_reply(reply, answer("streamed")))
        assert writer.in_memory
        await writer.read(lambda store: store.messages.versions(question))
        assert [hit.message for hit in await writer.read(lambda store: store.search("streamed"))] == [reply]
        (opening,) = told
        assert opening.trouble is not None
        assert "removed" in opening.trouble.message


async def test_damage_that_shows_in_use_is_mended_and_the_job_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sessions.db"
    monkeypatch.setattr(connections, "CHECKED_SIZE", 0)
    with closing(Database.open(path)) as database, database.transaction():
        store = SessionStore(database)
        session = store.create(title="kept")
        for number in range(500):
            store.messages.ask(session, f"问题 {number} " * 50)
    chance = random.Random(1)
    pages = path.stat().st_size // leaves.PAGE_SIZE
    with path.open("r+b") as file:
        for page in range(pages // 2, pages // 2 + 4):
            file.seek(page * leaves.PAGE_SIZE)
            file.write(chance.randbytes(leaves.PAGE_SIZE))
    told: list[Opening] = []
    async with _writer(path, told) as writer:
        loaded = await writer.read(lambda store: store.load(session))
        assert len(loaded.conversation.turns) > 400
        assert not writer.in_memory
        (opening,) = told
        assert opening.salvage is not None
        assert opening.salvage.set_aside.exists()
        await writer.write(lambda store: store.messages.ask(session, "it goes on"))
    assert "it goes on" in _contents(path)


async def test_a_store_that_another_program_mended_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    told: list[Opening] = []
    async with _writer(path, told) as writer:
        session, _ = await _asked(writer, "first")
        Database.open(path, damaged=(path.stat().st_dev, path.stat().st_ino)).close()
        await writer.write(lambda store: store.messages.ask(session, "second"))
        assert not writer.in_memory
        assert _contents(path) == ["first", "second"]
        assert await writer.read(lambda store: store.last()) == session
        assert [opening.trouble for opening in told] == [None]
