"""Connections to a store: made private, checked, mended and brought up to date."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from qwentui.language import _
from qwentui.store import schema
from qwentui.store.leaves import PAGE_SIZE
from qwentui.store.salvage import Salvage, salvage, set_aside
from qwentui.store.trouble import StoreDamaged, translated

if TYPE_CHECKING:
    from pathlib import Path

BUSY_TIMEOUT = 10.0
"""Seconds to wait for another process to finish its transaction."""

CHECKED_SIZE = 32 << 20
"""Bytes up to which opening checks a whole store (1.5 ms a megabyte); damage in a larger one shows in use."""

_APPLICATION_ID = 0x71776E74

Identity = tuple[int, int]
"""Device and inode of a file: another one means another file, whatever its name."""


def open_or_mend(path: Path, damaged: Identity | None) -> tuple[sqlite3.Connection, Salvage | None]:
    """Connect to the store at `path`, making it where there is none.

    A damaged one is set aside and what it still holds goes into a new one. To be called by one process at a
    time.

    Args:
        path: The file, in a folder that exists.
        damaged: The identity of a file that is known to be damaged, however whole it looks.

    Raises:
        StoreError: The file was written by a newer version.
        sqlite3.Error: The disk refuses.
        OSError: The disk refuses.
    """
    rescued = path.with_name(path.name + ".rescued")
    if not path.exists() and rescued.exists():
        # The program that mended the store ended just before its last step.
        rescued.rename(path)
    if damaged is None or identity_of(path) != damaged:
        try:
            return _opened(path), None
        except sqlite3.DatabaseError as error:
            if not isinstance(translated(error, path), StoreDamaged):
                raise
    for suffix in ("", "-wal", "-shm"):
        rescued.with_name(rescued.name + suffix).unlink(missing_ok=True)
    with closing(_opened(rescued, until=0)) as fresh:
        found = salvage(path, fresh)
    aside = set_aside(path)
    rescued.rename(path)
    return _opened(path), replace(found, set_aside=aside)


def _opened(path: Path, *, until: int = len(schema.MIGRATIONS)) -> sqlite3.Connection:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)
    connection = connected(path)
    try:
        _claim(connection, path)
        schema.migrate(connection, until=until)
    except BaseException:
        connection.close()
        raise
    return connection


def _claim(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    elif connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise _damage(_("no store of qwentui"))
    _patiently(connection, "PRAGMA journal_mode = WAL")
    if path.stat().st_size <= CHECKED_SIZE:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise _damage(verdict)


def _damage(why: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(why)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Run what SQLite refuses at once, without its busy handler, while another process starts or ends."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def connected(database: Path | str) -> sqlite3.Connection:
    """A connection in autocommit mode, with the settings that every one needs.

    Args:
        database: A path, a `file:` URI or ":memory:".

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    connection = sqlite3.connect(
        database, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, uri=True
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.text_factory = _text
        connection.create_function("holds", 2, _holds, deterministic=True)
        connection.execute("PRAGMA foreign_keys = ON")
        # What is deleted is blanked: for the user's sake, and so that no stale row is ever salvaged.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA cache_size = -8000")
        connection.execute(f"PRAGMA journal_size_limit = {16 << 20}")
    except BaseException:
        connection.close()
        raise
    return connection


def readable(path: Path) -> sqlite3.Connection:
    """A connection for reading; without the log where a folder that is read-only leaves no other way.

    Raises:
        sqlite3.Error: There is no store of the known version that can be read.
    """
    for query in ("mode=ro", "mode=ro&immutable=1"):
        with suppress(sqlite3.Error):
            connection = connected(f"{path.resolve().as_uri()}?{query}")
            try:
                if schema.version(connection) == len(schema.MIGRATIONS):
                    return connection
            except sqlite3.Error:
                connection.close()
                raise
            connection.close()
    raise sqlite3.DatabaseError(path)


def _holds(text: str, wanted: str) -> bool:
    """SQL's `holds(text, wanted)`: whether every word of `wanted` is in `text`, in either case."""
    folded = text.casefold()
    return all(word in folded for word in wanted.casefold().split())


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def identity_of(path: Path) -> Identity | None:
    """Which file lies at `path`; None for none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
