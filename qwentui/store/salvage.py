"""What can still be read from a damaged store goes into a fresh one; the damaged file is kept."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.language import _
from qwentui.store import leaves
from qwentui.store.schema import migrate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SIDE_FILES = ("", "-wal", "-journal")


@dataclass(frozen=True, slots=True)
class Salvage:
    """What came of a damaged store: how much could be read from it, and where it lies."""

    sessions: int
    messages: int
    set_aside: Path


def set_aside(path: Path) -> Path:
    """Rename the store at `path` to `NAME.damaged-TIMESTAMP`, with its write-ahead log.

    A program that still has the old file open goes on with that, and SQLite sees that the file was moved.

    Raises:
        OSError: The folder cannot be written.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for suffix in _SIDE_FILES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    return aside


def salvage(damaged: Path, fresh: sqlite3.Connection) -> Salvage:
    """Copy into the empty store `fresh` whatever can be read from `damaged`.

    A session whose row is lost is made again for its messages, and a message whose parent is lost goes below
    the one before it.

    Raises:
        sqlite3.Error: `fresh` cannot be written.
        OSError: `damaged` cannot be read.
    """
    migrate(fresh, until=1)
    columns = {table: _columns(fresh, table) for table in ("sessions", "messages")}
    fresh.execute("PRAGMA foreign_keys = OFF")
    fresh.execute("BEGIN IMMEDIATE")
    try:
        for rowid, values in leaves.rows(damaged):
            # Other tables have far fewer columns, and a later version adds only a few.
            table = "messages" if len(values) > len(columns["sessions"]) else "sessions"
            if len(values) > len(columns["sessions"]) // 2:
                _put(fresh, table, dict(zip(columns[table], (rowid, *values[1:]), strict=False)))
        for statement in _JOIN_UP:
            fresh.execute(statement, {"title": _("salvaged")})
        fresh.execute("COMMIT")
    finally:
        if fresh.in_transaction:
            fresh.execute("ROLLBACK")
    fresh.execute("PRAGMA foreign_keys = ON")
    migrate(fresh)
    sessions, messages = fresh.execute(_COUNTS).fetchone()
    return Salvage(sessions, messages, damaged)


_COUNTS = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM messages)"

_JOIN_UP = (
    """
    INSERT INTO sessions (number, id, title, created_at, updated_at)
    SELECT session, 'salvaged' || session, :title, min(created_at), max(created_at) FROM messages
    WHERE session NOT IN (SELECT number FROM sessions) GROUP BY session
    """,
    """
    UPDATE messages SET parent = (
        SELECT max(earlier.id) FROM messages AS earlier
        WHERE earlier.session = messages.session AND earlier.id < messages.id
    )
    WHERE parent IS NOT NULL AND (parent >= id OR session IS NOT (
        SELECT above.session FROM messages AS above WHERE above.id = messages.parent
    ))
    """,
    """
    UPDATE sessions SET head = (SELECT max(id) FROM messages WHERE messages.session = sessions.number)
    WHERE number IS NOT (SELECT session FROM messages WHERE messages.id = sessions.head)
    """,
)


def _columns(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    return tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))


_TYPES = {"session": int, "parent": int, "head": int, "created_at": int, "updated_at": int}


def _put(fresh: sqlite3.Connection, table: str, values: dict[str, leaves.Value]) -> None:
    known = {
        name: value
        for name, value in values.items()
        if value is not None and isinstance(value, _TYPES.get(name, object))
    }
    with suppress(sqlite3.IntegrityError, sqlite3.DataError):
        _insert(fresh, table, known)


def _insert(fresh: sqlite3.Connection, table: str, values: Mapping[str, leaves.Value]) -> None:
    marks = ", ".join("?" * len(values))
    fresh.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})",  # noqa: S608 - names of our own schema
        tuple(values.values()),
    )
