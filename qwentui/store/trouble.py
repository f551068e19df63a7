"""What SQLite and the disk complain about, as sentences for the user."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError
from qwentui.language import N_, _

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
        sentence = _("The sessions at {path} cannot be written: {reason}.")
        return StoreRefused(sentence.format(path=path, reason=error.strerror or error), _(IN_MEMORY))
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreDamaged(
            _("The sessions at {path} are damaged ({reason}).").format(path=path, reason=error)
        )
    if code in _MISTAKES:
        raise error
    sentence = _SENTENCES.get(code, _OTHER)
    return StoreRefused(_(sentence).format(path=path, reason=error), _(IN_MEMORY))


IN_MEMORY = N_("The chat goes on in memory and is lost at the end.")
_MISTAKES = {
    0,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
}
_OTHER = N_("The sessions at {path} cannot be used ({reason}).")
_SENTENCES = {
    sqlite3.SQLITE_FULL: N_("The disk that holds {path} is full."),
    sqlite3.SQLITE_READONLY: N_(
        "The sessions at {path} cannot be written: the disk or the folder is read-only."
    ),
    sqlite3.SQLITE_PERM: N_("The sessions at {path} may not be written."),
    sqlite3.SQLITE_CANTOPEN: N_("The sessions at {path} cannot be opened."),
    sqlite3.SQLITE_BUSY: N_("Another program holds the sessions at {path}."),
    sqlite3.SQLITE_PROTOCOL: N_("Another program holds the sessions at {path}."),
    sqlite3.SQLITE_IOERR: N_("The disk that holds {path} fails ({reason})."),
}
