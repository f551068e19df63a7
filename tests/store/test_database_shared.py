from __future__ import annotations

import resource
import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from store.storing import committed_and_lost

from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from pathlib import Path

_WRITE = """
import sys
from pathlib import Path
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore
database = Database.open(Path(sys.argv[1]))
assert database.path is not None, database.opening
store = SessionStore(database)
session = store.create(title=sys.argv[2])
for number in range(int(sys.argv[3])):
    store.messages.ask(session, f"{sys.argv[2]} {number}")
database.close()
"""


def _run(source: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", source, *map(str, arguments)], stderr=subprocess.PIPE)


def _joined(*programs: subprocess.Popen[bytes]) -> None:
    for program in programs:
        _, errors = program.communicate(timeout=120)
        assert program.returncode == 0, errors.decode()


def test_two_processes_write_a_thousand_messages_each_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    _joined(_run(_WRITE, path, "one", 1000), _run(_WRITE, path, "two", 1000))
    with closing(Database.open(path)) as database:
        store = SessionStore(database)
        for info in store.listed():
            turns = store.load(info.id).conversation.turns
            assert [turn.user.content for turn in turns] == [f"{info.title} {n}" for n in range(1000)]
        assert {info.title for info in store.listed()} == {"one", "two"}
        assert database.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_many_processes_may_make_and_open_the_store_at_once(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    _joined(*(_run(_WRITE, path, f"title{number}", 3) for number in range(6)))
    with closing(Database.open(path)) as database:
        assert database.opening.salvage is None
        assert len(SessionStore(database).listed()) == 6


@pytest.mark.parametrize("after", [0.05, 0.13, 0.29, 0.41, 0.57])
def test_a_killed_program_loses_no_message_and_leaves_a_whole_store(tmp_path: Path, after: float) -> None:
    committed_and_lost(tmp_path / "sessions.db", after)


_DYING = """
import os, signal, sys
from pathlib import Path
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore
store = SessionStore(Database.open(Path(sys.argv[1])))
question = store.messages.ask(store.create(), sys.argv[2])
store.messages.append_reply(store.messages.begin_reply(question, model="m"), "so far")
print("ready", flush=True)
if sys.argv[2] == "dies":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
"""


def test_replies_of_the_dead_are_interrupted_and_those_of_the_living_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", _DYING, str(path), fate], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for fate in ("dies", "lives")
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == b"ready\n"
    assert programs[0].wait(30) == -signal.SIGKILL
    with closing(Database.open(path)) as database:
        store = SessionStore(database)
        assert [found.session.title for found in store.messages.interrupted()] == ["dies"]
        assert store.messages.interrupted() == ()
        (found,) = (info for info in store.listed() if info.streaming)
        assert found.title == "lives"
        programs[1].communicate(timeout=30)
        assert [found.session.title for found in store.messages.interrupted()] == ["lives"]
        (turn,) = store.load(found.id).conversation.turns
        assert turn.reply is not None
        assert (turn.reply.message.content, turn.reply.finish_reason) == ("so far", "interrupted")
    for program in programs:
        program.communicate()
    assert not list((path.parent / "sessions.db.live").iterdir())


_FULL = """
import asyncio, sys
from pathlib import Path
from qwentui.store.writer import StoreWriter

async def main():
    told = []
    writer = StoreWriter(Path(sys.argv[1]), told.append)
    opening = await writer.open()
    session = await writer.write(lambda store: store.create(title="kept"))
    for number in range(400):
        await writer.write(lambda store: store.messages.ask(session, "满 full " * 1000))
    assert writer.in_memory
    assert len(told) == 1, told
    turns = await writer.read(lambda store: len(store.load(session).conversation.turns))
    print(turns, told[0].trouble.message)
    writer.close()

asyncio.run(main())
"""


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def _told(path: Path, *, limited: bool) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=_limit if limited else None,
    )
    assert done.returncode == 0, done.stderr
    turns, sentence = done.stdout.split(maxsplit=1)
    assert int(turns) == 400
    return sentence


def test_a_file_that_may_not_grow_moves_the_store_to_memory_once_with_nothing_lost(tmp_path: Path) -> None:
    assert "The disk that holds" in _told(tmp_path / "sessions.db", limited=True)
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        assert database.opening.salvage is None
        assert SessionStore(database).listed()[0].title == "kept"


def test_a_full_disk_moves_the_store_to_memory_once_with_nothing_lost(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        assert _told(disk / "sessions.db", limited=False).endswith("is full.\n")
        with closing(Database.open(disk / "sessions.db")) as database:
            assert SessionStore(database).listed()[0].title == "kept"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_reply_that_was_given_up_is_told_to_the_next_program_once(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(Database.open(path)) as database:
        store = SessionStore(database)
        question = store.messages.ask(store.create(), "hung up")
        store.messages.begin_reply(question, model="m")
        store.messages.give_up()
    with closing(Database.open(path)) as database:
        store = SessionStore(database)
        assert [found.session.title for found in store.messages.interrupted()] == ["hung up"]
        assert store.messages.interrupted() == ()
