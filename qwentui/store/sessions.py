"""The sessions of a user: made, listed, found, and taken up again.

`SessionStore` is synchronous and for one thread; `writer` gives it to an event loop. A session is named by
its text id.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _
from qwentui.store import branches
from qwentui.store.drafts import DraftStore
from qwentui.store.messages import MessageStore
from qwentui.store.records import LoadedSession, SessionInfo, json_text, new_id, session_info, tags_text
from qwentui.store.search import Hit, search, title_pattern
from qwentui.store.statements import insert, missing, session_row, update

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from qwentui.store.database import Database

_RANDOM_DIGITS = 3


class SessionStore:
    """The sessions in a store, by `messages` what was said in them, by `drafts` what is still to be said.

    Every method may raise `StoreError`: the disk refuses, or there is no such session. Changes are on the
    disk when a method returns.

    Args:
        database: An open store.
        clock: Seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.messages = MessageStore(database, clock)
        self.drafts = DraftStore(database, clock)
        self._clock = clock

    def create(
        self,
        *,
        title: str = "",
        model: str = "",
        persona: str = "",
        system: str = "",
        tags: tuple[str, ...] = (),
    ) -> str:
        """A new session; it is listed once it has a message. Returns its id."""
        now = self.now()
        values = {"title": sanitize_line(title), "model": model, "persona": persona, "system": system}
        with self.database.transaction() as connection:
            session = self.fresh_id(connection)
            times = {"created_at": now, "updated_at": now}
            insert(connection, "sessions", {"id": session, "tags": tags_text(tags), **values, **times})
        return session

    def configure(
        self, session: str, *, model: str | None = None, persona: str | None = None, system: str | None = None
    ) -> None:
        """Change what the next replies are asked with; None leaves a value as it is."""
        values = {"model": model, "persona": persona, "system": system}
        given = {name: value for name, value in values.items() if value is not None}
        if given:
            self._change(session, **given)

    def rename(self, session: str, title: str) -> None:
        """Give a title; an empty one is made again from the next message."""
        self._change(session, title=sanitize_line(title))

    def pin(self, session: str, pinned: bool) -> None:
        """Keep a session on top of the list, or no longer."""
        self._change(session, pinned=int(pinned))

    def tag(self, session: str, tags: tuple[str, ...]) -> None:
        """Give these tags in place of those that it has."""
        self._change(session, tags=tags_text(tags))

    def delete(self, session: str) -> None:
        """Take a session out of sight; `restore` brings it back until `purge`."""
        self._change(session, deleted_at=self.now())

    def restore(self, session: str) -> None:
        """Undo `delete`."""
        self._change(session, deleted_at=None)

    def purge(self, before: float) -> int:
        """Blank for good what was deleted before `before`, in seconds since 1970. Returns how many sessions.

        Single messages lose their text and stay as joints of the tree.
        """
        until = round(before * 1000)
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE messages SET content = '', thinking = '', parts = '[]' WHERE deleted_at < ?", (until,)
            )
            return connection.execute("DELETE FROM sessions WHERE deleted_at < ?", (until,)).rowcount

    def get(self, session: str) -> SessionInfo:
        """What is known about one session."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT * FROM session_infos WHERE id = ?", (session,)).fetchone()
        if row is None:
            raise missing("sessions", session)
        return session_info(row)

    def resolve(self, beginning: str) -> str:
        """The id of the one session whose id is, or begins or ends with, what the user typed."""
        typed = beginning.strip().lower()
        with self.database.reading() as connection:
            found = [
                row["id"]
                for row in connection.execute(
                    "SELECT id FROM sessions WHERE deleted_at IS NULL AND :typed <> '' AND (id = :typed"
                    " OR substr(id, 1, length(:typed)) = :typed OR substr(id, -length(:typed)) = :typed)"
                    " ORDER BY id = :typed DESC, id LIMIT 2",
                    {"typed": typed},
                )
            ]
        if len(found) == 1 or typed in found[:1]:
            return str(found[0])
        if found:
            sentence = _("More than one session answers to {beginning!r}.").format(beginning=beginning)
            raise StoreError(sentence, _("Give more of its id."))
        sentence = _("There is no session {beginning!r}.").format(beginning=beginning)
        raise StoreError(sentence, _("`qwentui sessions` lists them."))

    def last(self) -> str | None:
        """The id of the session in which something happened last; None when there is none."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT id FROM sessions WHERE deleted_at IS NULL AND head IS NOT NULL"
                " ORDER BY updated_at DESC, number DESC LIMIT 1"
            ).fetchone()
        return row["id"] if row is not None else None

    def listed(
        self,
        *,
        matching: str = "",
        tag: str = "",
        tags: tuple[str, ...] = (),
        since: float = 0.0,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[SessionInfo, ...]:
        """Sessions with at least one message: the pinned ones, then the others, the newest first.

        Args:
            matching: Words that the title has to hold, in either case.
            tag: A tag that it has to bear.
            tags: Beginnings of tags that it has to bear, each.
            since: Seconds since 1970 since when something has to have happened in it.
            limit: How many at most.
            offset: How many to pass over.
        """
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM session_infos WHERE deleted_at IS NULL AND head IS NOT NULL"
                " AND title LIKE :pattern ESCAPE '\\' AND (:words = '' OR holds(title, :words))"
                " AND updated_at >= :since"
                " AND (:tag = '' OR instr(tags, char(10) || :tag || char(10)))"
                " AND NOT EXISTS (SELECT 1 FROM json_each(:tags) WHERE NOT instr(tags, char(10) || value))"
                " ORDER BY pinned DESC, updated_at DESC, number DESC LIMIT :limit OFFSET :offset",
                {
                    "pattern": title_pattern(matching),
                    "words": matching.strip(),
                    "since": round(since * 1000),
                    "tag": tag,
                    "tags": json_text(tags),
                    "limit": limit,
                    "offset": offset,
                },
            )
            return tuple(map(session_info, rows))

    def streaming(self) -> frozenset[str]:
        """The ids of the sessions in which a reply is being written, by this process or another one."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT sessions.id FROM messages JOIN sessions ON number = session"
                " WHERE finish_reason IS NULL AND role = 'assistant'"
            )
            return frozenset(row["id"] for row in rows)

    def search(self, query: str, limit: int = 50) -> tuple[Hit, ...]:
        """Messages and titles that hold every word of `query`, the newest first (see `search`)."""
        with self.database.reading() as connection:
            return search(connection, query, limit)

    def load(self, session: str) -> LoadedSession:
        """A session with the branch that is shown."""
        with self.database.reading() as connection:
            row = session_row(connection, session)
            conversation, turns = branches.shown(connection, row["number"], row["system"], row["head"])
        return LoadedSession(self.get(session), conversation, turns)

    def _change(self, session: str, **values: str | int | None) -> None:
        with self.database.transaction() as connection:
            update(connection, "sessions", "id", session, dict(values))

    def fresh_id(self, connection: sqlite3.Connection) -> str:
        """An id that no session has; to be taken in the same transaction."""
        now = self.now()
        session = new_id(now, _RANDOM_DIGITS)
        while connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session,)).fetchone():
            session = new_id(now, _RANDOM_DIGITS)
        return session

    def now(self) -> int:
        """The time, in milliseconds since 1970."""
        return round(self._clock() * 1000)
