"""The few statements that every writer of rows shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError
from qwentui.language import N_, _

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

Column = str | int | float | bytes | None

_MISSING = {
    "sessions": N_("There is no session {id} in the store."),
    "messages": N_("There is no message {id} in the store."),
    "drafts": N_("There is no draft {id} in the store."),
}


def storable(value: Column) -> Column:
    """`value` without lone surrogates, which UTF-8 cannot hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def insert(connection: sqlite3.Connection, table: str, values: Mapping[str, Column]) -> int:
    """Insert one row; returns its rowid. Names are the program's own, values are anybody's.

    Raises:
        sqlite3.Error: The row, or the disk, does not allow it.
    """
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    cursor = connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - names of our own schema
        tuple(map(storable, values.values())),
    )
    rowid: int = cursor.lastrowid or 0
    return rowid


def update(
    connection: sqlite3.Connection,
    table: str,
    key: str,
    at: str | float | None,
    values: Mapping[str, Column],
) -> None:
    """Change the row of `table` whose column `key` is `at`.

    Raises:
        StoreError: There is no such row.
        sqlite3.Error: The row, or the disk, does not allow it.
    """
    settings = ", ".join(f"{name} = ?" for name in values)
    cursor = connection.execute(
        f"UPDATE {table} SET {settings} WHERE {key} = ?",  # noqa: S608 - names of our own schema
        (*map(storable, values.values()), at),
    )
    if not cursor.rowcount:
        raise missing(table, at)


def missing(table: str, at: str | float | None) -> StoreError:
    """The error for a row that is not there."""
    return StoreError(_(_MISSING[table]).format(id=at))


def message_row(connection: sqlite3.Connection, message: int) -> sqlite3.Row:
    """The row of `messages` with the id `message`.

    Raises:
        StoreError: There is none.
    """
    row: sqlite3.Row | None = connection.execute("SELECT * FROM messages WHERE id = ?", (message,)).fetchone()
    if row is None:
        raise missing("messages", message)
    return row


def session_row(connection: sqlite3.Connection, session: str) -> sqlite3.Row:
    """The row of `sessions` with the id `session`.

    Raises:
        StoreError: There is none.
    """
    row: sqlite3.Row | None = connection.execute("SELECT * FROM sessions WHERE id = ?", (session,)).fetchone()
    if row is None:
        raise missing("sessions", session)
    return row
