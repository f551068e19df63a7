"""What SQLite and the disk complain about, as sentences for the user."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


class StoreRefused(StoreError):
    """The disk, or what holds it, does not do what it should; the store can go on in memory."""


class StoreDamaged(StoreRefused):
    """The file is no store any more, or parts of it cannot be believed; opening it again mends it."""


def translated(error: sqlite3.Error | OSError, path: Path | None) -> StoreRefused:
    """What `error` means, in a sentence for the user.

    Raises:
        sqlite3.Error: `error` itself where it is no trouble with the disk but a mistake in this program.
    """
    if isinstance(error, OSError):
        return StoreRefused(
            f"The sessions at {path} cannot be written: {error.strerror or error}.", IN_MEMORY
        )
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreDamaged(f"The sessions at {path} are damaged ({error}).")
    if code in _MISTAKES:
        raise error
    return StoreRefused(_SENTENCES.get(code, _OTHER).format(path=path, error=error), IN_MEMORY)


IN_MEMORY = "The chat goes on in memory and is lost at the end."
_MISTAKES = {
    0,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
}
_OTHER = "The sessions at {path} cannot be used ({error})."
_SENTENCES = {
    sqlite3.SQLITE_FULL: "The disk that holds {path} is full.",
    sqlite3.SQLITE_READONLY: "The sessions at {path} cannot be written: the disk or the folder is read-only.",
    sqlite3.SQLITE_PERM: "The sessions at {path} may not be written.",
    sqlite3.SQLITE_CANTOPEN: "The sessions at {path} cannot be opened.",
    sqlite3.SQLITE_BUSY: "Another program holds the sessions at {path}.",
    sqlite3.SQLITE_PROTOCOL: "Another program holds the sessions at {path}.",
    sqlite3.SQLITE_IOERR: "The disk that holds {path} fails ({error}).",
}
