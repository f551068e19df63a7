"""What was written and not sent: the text in the composer, and the prompts that wait for their turn.

A draft belongs to a session, or to a chat in which nothing has been said yet. It also belongs to the program
that keeps it, for as long as that lives; after that, whoever takes the chat up takes the draft over.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.store.statements import insert, session_row, update

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from qwentui.store.database import Database


@dataclass(frozen=True, slots=True)
class Draft:
    """What a chat has not sent: `text` stands in its composer, the prompts `waiting` come before that."""

    text: str = ""
    waiting: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to lose."""
        return bool(self.text.strip() or self.waiting)


class DraftStore:
    """The drafts in a store, each named by a key that its chat makes up.

    Every method may raise `StoreError`: the disk refuses.

    Args:
        database: An open store.
        clock: Seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def keep(self, key: str, session: str | None, draft: Draft) -> None:
        """Keep `draft` in place of what the chat had; an empty one is forgotten.

        Args:
            key: The chat's own name for its draft.
            session: The session's id, None while nothing has been said in the chat.
            draft: What is not sent.
        """
        owner = self._database.hold_owner() if draft else ""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM drafts WHERE key = ?", (key,))
            if draft:
                number = None if session is None else session_row(connection, session)["number"]
                values = {
                    "key": key,
                    "session": number,
                    "owner": owner,
                    "updated_at": round(self._clock() * 1000),
                    "waiting": json.dumps(draft.waiting, ensure_ascii=False),
                    "text": draft.text,
                }
                insert(connection, "drafts", values)

    def take_over(self, key: str, session: str | None) -> Draft:
        """The newest draft that no other living program holds; from now on it is named `key`.

        Args:
            key: The name that the chat which takes it has for it.
            session: The session's id; None takes what a program that is gone left in a chat without messages.
        """
        own = self._database.owner if session is not None else None
        with self._database.transaction() as connection:
            number = None if session is None else session_row(connection, session)["number"]
            for row in _newest(connection, number):
                if row["owner"] == own or not self._database.alive(row["owner"]):
                    values = {"key": key, "owner": self._database.hold_owner()}
                    update(connection, "drafts", "key", row["key"], values)
                    return Draft(row["text"], tuple(json.loads(row["waiting"])))
        return Draft()

    def sessions(self) -> frozenset[str]:
        """The ids of the sessions in which something is not sent."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id FROM sessions JOIN drafts ON session = number")
            return frozenset(row["id"] for row in rows)


def _newest(connection: sqlite3.Connection, session: int | None) -> list[sqlite3.Row]:
    return connection.execute(
        "SELECT * FROM drafts WHERE session IS ? ORDER BY updated_at DESC, rowid DESC", (session,)
    ).fetchall()
