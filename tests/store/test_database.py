from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from store.storing import answer

from qwentui.chat.errors import StoreError
from qwentui.store.connections import connected
from qwentui.store.database import Database
from qwentui.store.schema import MIGRATIONS, migrate, version
from qwentui.store.sessions import SessionStore
from qwentui.store.trouble import StoreDamaged, StoreRefused, translated

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_store_is_private_and_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "data" / "sessions.db"
    with closing(Database.open(path)) as database:
        SessionStore(database).create()
        assert database.opening.trouble is None
        assert database.opening.salvage is None
        assert version(database.connection) == len(MIGRATIONS)
        assert database.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_store_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    Database.open(path).close()
    path.chmod(0o644)
    Database.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("before", range(len(MIGRATIONS)))
def test_a_store_of_every_earlier_version_is_brought_up_to_date(tmp_path: Path, before: int) -> None:
    path = tmp_path / "sessions.db"
    with closing(Database.open(path)) as database:
        store = SessionStore(database)
        question = store.messages.ask(store.create(), "订单什么时候到?")
        store.messages.finish_reply(store.messages.begin_reply(question, model="m"), answer("明天到货。"))
        rows = {
            table: [tuple(row) for row in database.connection.execute(f"SELECT * FROM {table}")]
            for table in ("sessions", "messages")
        }
    path.unlink()
    with closing(connected(path)) as connection:
        connection.execute("PRAGMA application_id = 0x71776e74")
        migrate(connection, until=before)
        assert version(connection) == before
        if before:
            connection.execute("PRAGMA foreign_keys = OFF")
            for table, found in rows.items():
                connection.executemany(
                    f"INSERT INTO {table} VALUES ({', '.join('?' * len(found[0]))})", found
                )
    with closing(Database.open(path)) as database:
        assert database.opening.salvage is None
        assert version(database.connection) == len(MIGRATIONS)
        hits = SessionStore(database).search("到货")
        assert [hit.snippet for hit in hits] == (["明天到货。"] if before else [])


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(Database.open(path)) as database:
        database.connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(StoreError, match="newer qwentui") as caught:
        Database.open(path)
    assert "Upgrade" in caught.value.hint
    assert not list(tmp_path.glob("*damaged*"))


def test_a_transaction_is_whole_or_nothing_and_nests(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        store = SessionStore(database)

        def fail() -> None:
            with database.transaction():
                store.create()
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert database.connection.execute("SELECT count(*) FROM sessions").fetchone()[0] == 0


def test_what_was_committed_last_is_seen_by_a_second_connection(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        session = SessionStore(database).create()
        with closing(database.sibling()) as other:
            assert SessionStore(other).get(session).id == session


def test_a_store_that_was_removed_while_open_says_so(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(Database.open(path)) as database:
        path.unlink()
        with pytest.raises(StoreRefused, match="removed"):
            SessionStore(database).create()


def test_a_store_that_was_replaced_while_open_says_so(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(Database.open(path)) as database:
        path.rename(tmp_path / "elsewhere.db")
        Database.open(path).close()
        with pytest.raises(StoreDamaged, match="replaced"):
            SessionStore(database).create()


def test_a_folder_that_cannot_be_made_gives_a_store_in_memory(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with closing(Database.open(tmp_path / "data" / "sessions.db")) as database:
        assert database.path is None
        assert isinstance(database.opening.trouble, StoreRefused)
        assert "in memory" in database.opening.trouble.hint
        store = SessionStore(database)
        session = store.create()
        store.messages.begin_reply(store.messages.ask(session, "still here"), model="m")
        assert store.messages.interrupted() == ()
        assert store.load(session).conversation.turns[0].user.content == "still here"
        with pytest.raises(StoreError):
            database.sibling()


_UNPRIVILEGED = """
import os, sys
from pathlib import Path
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
path = Path(sys.argv[1])
database = Database.open(path)
store = SessionStore(database)
print(database.path, database.opening.trouble.message, sep="|")
print(store.listed()[0].title)
store.messages.ask(store.last(), "later")
print(len(store.load(store.last()).conversation.turns))
print(SessionStore(Database.read_only(path)).listed()[0].title)
"""


def test_a_read_only_store_is_carried_into_memory_and_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with closing(Database.open(folder / "sessions.db")) as database:
        store = SessionStore(database)
        store.messages.ask(store.create(), "earlier")
    for path in (*tmp_path.parents, tmp_path):
        if path.stat().st_uid == os.geteuid() and path.is_relative_to(tmp_path.parents[2]):
            path.chmod(path.stat().st_mode | 0o555)
    (folder / "sessions.db").chmod(0o444)
    (folder / "sessions.db.lock").chmod(0o444)
    folder.chmod(0o555)
    arguments = [sys.executable, "-c", _UNPRIVILEGED, str(folder / "sessions.db")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=30)
    folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    where, title, turns, read = done.stdout.splitlines()
    assert where.startswith("None|The sessions at")
    assert (title, turns, read) == ("earlier", "2", "earlier")


def test_read_only_refuses_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no sessions"):
        Database.read_only(tmp_path / "none.db")
    assert not list(tmp_path.iterdir())


def test_mistakes_of_the_program_are_not_told_as_trouble_with_the_disk(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        with pytest.raises(sqlite3.OperationalError), database.reading() as connection:
            connection.execute("SELECT nonsense")
        with pytest.raises(sqlite3.ProgrammingError):
            raise translated(sqlite3.ProgrammingError("wrong"), None)
