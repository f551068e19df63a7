from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store.storing import answer

from qwentui.store import leaves
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MESSAGES = 400


def _filled(path: Path) -> None:
    with closing(Database.open(path)) as database, database.transaction():
        store = SessionStore(database)
        for number in range(MESSAGES // 20):
            session = store.create(title=f"session {number}")
            for turn in range(10):
                question = store.messages.ask(session, f"问题 {number}.{turn}")
                reply = store.messages.begin_reply(question, model="qwen3")
                store.messages.finish_reply(reply, answer(f"answer {number}.{turn} " * (1 + turn * 40)))


def _reopened(path: Path) -> tuple[int, int]:
    """Opens what is damaged; returns how many sessions and messages it holds then."""
    before = path.read_bytes()
    with closing(Database.open(path)) as database:
        store = SessionStore(database)
        found = database.opening.salvage
        assert database.opening.trouble is None
        assert found is not None
        assert found.set_aside.read_bytes() == before
        assert found.set_aside.name.startswith("sessions.db.damaged-")
        assert database.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert database.connection.execute("PRAGMA foreign_key_check").fetchall() == []
        for info in store.listed():
            for turn in store.load(info.id).conversation.turns:
                assert turn.user.content[:3] in {"问题 ", ""}
        store.messages.ask(store.create(), "it goes on")
    with closing(Database.open(path)) as database:
        assert database.opening.salvage is None
    return found.sessions, found.messages


def _overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_at_several_places_cost_only_what_they_hit(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "sessions.db"
    _filled(path)
    chance = random.Random(seed)
    pages = path.stat().st_size // leaves.PAGE_SIZE
    for page in chance.sample(range(pages), 6):
        at = page * leaves.PAGE_SIZE + chance.randrange(leaves.PAGE_SIZE - 64)
        # Headers of pages are hit for certain, so that it is no matter of chance whether it shows.
        _overwrite(path, page * leaves.PAGE_SIZE, chance.randbytes(16))
        _overwrite(path, at, chance.randbytes(64))
    _, messages = _reopened(path)
    assert messages > MESSAGES * 3 // 4


def test_a_store_without_its_first_page_is_salvaged_whole(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    _filled(path)
    _overwrite(path, 0, bytes(leaves.PAGE_SIZE))
    assert _reopened(path) == (MESSAGES // 20, MESSAGES)


def test_a_store_without_the_roots_of_its_tables_is_salvaged_whole(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    _filled(path)
    with closing(sqlite3.connect(path)) as connection:
        roots = [
            row[0]
            for row in connection.execute(
                "SELECT rootpage FROM sqlite_master WHERE name IN ('sessions', 'messages')"
            )
        ]
    _overwrite(path, (roots[1] - 1) * leaves.PAGE_SIZE, b"\xff" * leaves.PAGE_SIZE)
    assert _reopened(path)[1] == MESSAGES


def test_the_first_half_of_a_store_is_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    _filled(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 + 100)
    assert _reopened(path)[1] > 0


@pytest.mark.parametrize(
    "garbage", [b"not a database at all", random.Random(1).randbytes(50_000), b"\0" * 9000]
)
def test_garbage_in_place_of_a_store_is_set_aside(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "sessions.db"
    path.write_bytes(garbage)
    assert _reopened(path) == (0, 0)


def test_another_programs_database_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    assert _reopened(path) == (0, 0)


def test_what_lies_only_in_the_write_ahead_log_is_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(Database.open(path)) as database:
        store = SessionStore(database)
        store.messages.ask(store.create(), "问题 in the log")
        files = {suffix: (tmp_path / f"sessions.db{suffix}").read_bytes() for suffix in ("", "-wal")}
    copy = tmp_path / "copy" / "sessions.db"
    copy.parent.mkdir()
    for suffix, data in files.items():
        copy.with_name(copy.name + suffix).write_bytes(data)
    assert b"in the log" not in files[""]
    with closing(Database.open(copy, damaged=(copy.stat().st_dev, copy.stat().st_ino))) as database:
        assert database.opening.salvage is not None
        assert SessionStore(database).search("in the log")


def test_what_was_deleted_for_good_is_not_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    _filled(path)
    with closing(Database.open(path)) as database:
        store = SessionStore(database)
        for info in store.listed():
            store.delete(info.id)
        assert store.purge(before=4e9) == MESSAGES // 20
    _overwrite(path, 0, bytes(100))
    assert _reopened(path) == (0, 0)


def test_a_second_program_finds_the_store_mended(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    _filled(path)
    identity = (path.stat().st_dev, path.stat().st_ino)
    Database.open(path, damaged=identity).close()
    with closing(Database.open(path, damaged=identity)) as database:
        assert database.opening.salvage is None
        assert len(SessionStore(database).listed()) == MESSAGES // 20


def test_a_store_that_was_mended_but_not_put_in_place_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    _filled(path)
    path.rename(tmp_path / "sessions.db.rescued")
    with closing(Database.open(path)) as database:
        assert len(SessionStore(database).listed()) == MESSAGES // 20


VALUES = st.lists(
    st.tuples(
        st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
        st.integers(0, 20_000),
    ),
    max_size=30,
)


@given(VALUES, st.sampled_from([512, 4096, 65536]))
def test_leaf_pages_hold_what_sqlite_reads(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[float | None, str, int]], page_size: int
) -> None:
    path = tmp_path_factory.mktemp("leaves") / "some.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        connection.execute("CREATE TABLE found (a, b, c, d)")
        connection.executemany(
            "INSERT INTO found VALUES (?, ?, ?, zeroblob(?))",
            ((number, text, text * 3, size) for number, text, size in values),
        )
        connection.commit()
        expected = [list(row) for row in connection.execute("SELECT * FROM found")]
    assert [row for _, row in leaves.rows(path) if len(row) == 4] == expected


def _noise(chance: random.Random) -> bytes:
    """Pages that look like rows and are none."""
    return b"\x0d" + chance.randbytes(leaves.PAGE_SIZE - 1)


@pytest.mark.parametrize("make", [_noise, lambda chance: chance.randbytes(leaves.PAGE_SIZE)])
def test_noise_is_read_without_harm(tmp_path: Path, make: Callable[[random.Random], bytes]) -> None:
    path = tmp_path / "noise"
    chance = random.Random(3)
    path.write_bytes(b"".join(make(chance) for _ in range(50)))
    for rowid, values in leaves.rows(path):
        assert 0 < rowid < 1 << 63
        assert values
