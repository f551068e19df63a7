"""The file that holds the sessions: opened, brought up to date, mended, and shared between processes.

The write-ahead log lets readers and one writer work at the same time; `busy_timeout` makes writers of several
processes queue. What a user typed cannot be had again, so such a commit is flushed to the disk
(`synchronous = FULL`); streaming text is handed to the kernel only (`NORMAL`), which survives the death of
this program, and is flushed with the next durable commit.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError
from qwentui.language import _
from qwentui.store import locks, schema
from qwentui.store.connections import connected, identity_of, open_or_mend, readable
from qwentui.store.trouble import IN_MEMORY, StoreDamaged, StoreRefused, translated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qwentui.store.connections import Identity
    from qwentui.store.salvage import Salvage

CARRIED = 200
"""Sessions, the newest ones, that a store in memory takes along from the disk."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How opening went: what was salvaged, and why the store is in memory only, if it is."""

    salvage: Salvage | None = None
    trouble: StoreError | None = None


class Database:
    """One connection to a store, for one thread at a time.

    Args:
        connection: A connection in autocommit mode, to a store of the known version.
        path: The file; None in memory.
        opening: How it was opened.
        owner: Marks the replies that this process is writing.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path | None, opening: Opening, owner: locks.Owner | None
    ) -> None:
        self.connection = connection
        self.path = path
        self.opening = opening
        self.identity = identity_of(path) if path is not None else None
        self._owner = owner

    @classmethod
    def open(cls, path: Path, *, damaged: Identity | None = None) -> Database:
        """Open the store at `path`, made, brought up to date and mended as needed.

        Where the disk refuses, the store is in memory with the newest sessions that can still be read;
        `opening` tells.

        Args:
            path: The file; its folder is made.
            damaged: The `identity` of a file that turned out to be damaged in use.

        Raises:
            StoreError: The file was written by a newer version, or this Python's SQLite is too old.
        """
        _require_trigrams()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locks.exclusive(path.with_name(path.name + ".lock")):
                connection, saved = open_or_mend(path, damaged)
        except (sqlite3.Error, OSError) as error:
            return cls._beside(path, translated(error, path))
        owner = locks.Owner(path.with_name(path.name + ".live"))
        return cls(connection, path, Opening(salvage=saved), owner)

    @classmethod
    def _beside(cls, path: Path, trouble: StoreError) -> Database:
        try:
            source = readable(path)
        except sqlite3.Error:
            return cls.in_memory(trouble)
        with closing(source):
            return cls.in_memory(trouble, source)

    @classmethod
    def read_only(cls, path: Path) -> Database:
        """Open a store that exists for reading alone: a read-only disk or somebody else's folder will do.

        Raises:
            StoreError: There is none that can be read, or it is of another version.
        """
        with suppress(sqlite3.Error):
            return cls(readable(path), path, Opening(), None)
        raise StoreError(
            _("There are no sessions of this version that can be read at {path}.").format(path=path)
        )

    @classmethod
    def in_memory(cls, trouble: StoreError, source: sqlite3.Connection | None = None) -> Database:
        """A store that ends with the process, with the newest sessions that `source` still gives."""
        connection = connected(":memory:")
        schema.migrate(connection)
        if source is not None:
            _carry(source, connection)
        return cls(connection, None, Opening(trouble=trouble), None)

    def sibling(self) -> Database:
        """A second connection to the same file, for another thread.

        Raises:
            StoreError: The disk refuses, or the store is in memory.
        """
        if self.path is None:
            raise StoreError(_("A store in memory has one connection only."))
        try:
            connection = connected(self.path)
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        return Database(connection, self.path, self.opening, None)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Write: everything in the block, or nothing; inside another transaction it is a part of that.

        Args:
            durable: Flush to the disk before the block ends, against power loss.

        Raises:
            StoreDamaged: The file is damaged, or no longer in its place.
            StoreError: The disk refuses.
        """
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        self._require_place()
        with self.reading():
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read, with SQLite's errors told as `StoreError`.

        Raises:
            StoreDamaged: The file is damaged.
            StoreError: The disk refuses.
        """
        try:
            yield self.connection
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def _require_place(self) -> None:
        if self.path is None or (found := identity_of(self.path)) == self.identity:
            return
        if found is None:
            sentence = _("The sessions at {path} were removed.").format(path=self.path)
            raise StoreRefused(sentence, _(IN_MEMORY))
        raise StoreDamaged(_("The sessions at {path} were replaced.").format(path=self.path))

    @property
    def owner(self) -> str:
        """The name that `hold_owner` gives, held or not; "" in memory."""
        return self._owner.name if self._owner is not None else ""

    def hold_owner(self) -> str:
        """The name under which this process writes replies; it counts as alive until `close`; "" in memory.

        Raises:
            StoreError: The disk refuses.
        """
        try:
            return self._owner.hold() if self._owner is not None else ""
        except OSError as error:
            raise translated(error, self.path) from error

    def alive(self, owner: str) -> bool:
        """Whether the process that holds `owner` still lives; in memory there is nobody else."""
        return self._owner.alive(owner) if self._owner is not None else not owner

    def close(self) -> None:
        """Close the connection; the last one to a file folds the write-ahead log into it."""
        with suppress(sqlite3.Error):
            self.connection.close()
        if self._owner is not None:
            self._owner.release()


def _require_trigrams() -> None:
    if sqlite3.sqlite_version_info < (3, 34):
        raise StoreError(
            _("This Python comes with SQLite {version}; keeping sessions needs 3.34 or newer.").format(
                version=sqlite3.sqlite_version
            ),
            _("Install Python from python.org, uv or conda."),
        )


def _carry(source: sqlite3.Connection, memory: sqlite3.Connection) -> None:
    memory.execute("PRAGMA foreign_keys = OFF")
    memory.execute("BEGIN")
    newest = "SELECT number FROM sessions WHERE deleted_at IS NULL ORDER BY updated_at DESC LIMIT ?"
    with suppress(sqlite3.Error):
        for table, key in (("sessions", "number"), ("messages", "session")):
            found = source.execute(f"SELECT * FROM {table} WHERE {key} IN ({newest})", (CARRIED,))  # noqa: S608 - literals above
            marks = ", ".join("?" * len(found.description))
            memory.executemany(f"INSERT INTO {table} VALUES ({marks})", found)  # noqa: S608 - the same literals
    memory.execute("COMMIT")
    memory.execute("PRAGMA foreign_keys = ON")
