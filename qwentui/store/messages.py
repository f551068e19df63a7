"""The messages of the sessions: asked, answered piece by piece, forked, and taken out of sight."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qwentui.chat.message import Role
from qwentui.chat.stream import FinishReason
from qwentui.store import branches
from qwentui.store.images import keep_images
from qwentui.store.records import (
    Interrupted,
    json_text,
    new_id,
    parts_text,
    session_info,
    shown_message,
    title_from,
    usage_values,
)
from qwentui.store.statements import insert, message_row, missing, session_row, storable, update

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from qwentui.chat.conversation import Reply
    from qwentui.chat.image import Image
    from qwentui.chat.message import Part
    from qwentui.store.database import Database
    from qwentui.store.records import ShownMessage

MESSAGE_DIGITS = 6
"""Digits of chance in a message's text id; two of one second in one session never meet."""


class MessageStore:
    """The messages in a store, each named by its number there.

    Every method may raise `StoreError`: the disk refuses, or there is no such session or message. Changes are
    on the disk when a method returns.

    Args:
        database: An open store.
        clock: Seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self._clock = clock

    def ask(
        self,
        session: str,
        content: str,
        *,
        beside: int | None = None,
        parts: tuple[Part, ...] = (),
        images: tuple[Image, ...] = (),
    ) -> int:
        """Add a user's message, and show the branch that it ends. Returns its id.

        Args:
            session: The session's id; without a title, it gets the message's first line.
            content: What the user said.
            beside: The message of which this is a new version; None adds it below the branch that is shown.
            parts: Where pieces of it came from.
            images: What goes with it.
        """
        with self.database.transaction() as connection:
            row = session_row(connection, session)
            parent = row["head"] if beside is None else message_row(connection, beside)["parent"]
            message = self._add(
                connection,
                row["number"],
                {"parent": parent, "role": Role.USER, "content": content, "parts": parts_text(parts)},
            )
            keep_images(connection, message, (image.data for image in images))
            if not row["title"]:
                title = {"title": title_from(content)}
                update(connection, "sessions", "number", row["number"], title)
        return message

    def begin_reply(
        self,
        question: int,
        *,
        model: str,
        model_digest: str = "",
        persona: str = "",
        options: Mapping[str, object] | None = None,
    ) -> int:
        """Add an empty reply to the user's message `question`, and show its branch. Returns its id.

        It belongs to this process until `finish_reply`; a second one is a new version of the first.
        """
        owner = self.database.hold_owner()
        with self.database.transaction(durable=False) as connection:
            session = message_row(connection, question)["session"]
            update(connection, "sessions", "number", session, {"model": model})
            return self._add(
                connection,
                session,
                {
                    "parent": question,
                    "role": Role.ASSISTANT,
                    "owner": owner,
                    "model": model,
                    "model_digest": model_digest,
                    "persona": persona,
                    "options": json_text(dict(options or {})),
                },
            )

    def append_reply(self, reply: int, content: str = "", thinking: str = "") -> None:
        """Add text to a reply that is being written; it survives this program, not yet a loss of power."""
        with self.database.transaction(durable=False) as connection:
            cursor = connection.execute(
                "UPDATE messages SET content = content || ?, thinking = thinking || ? WHERE id = ?",
                (storable(content), storable(thinking), reply),
            )
            if not cursor.rowcount:
                raise missing("messages", reply)

    def finish_reply(self, reply: int, answer: Reply, parts: tuple[Part, ...] = ()) -> None:
        """End a reply with all that is known about it; its text replaces what was appended."""
        values = usage_values(answer.usage) | {
            "content": answer.message.content,
            "thinking": answer.message.thinking,
            "finish_reason": answer.finish_reason,
            "removed": answer.removed,
            "parts": parts_text(parts),
            "owner": None,
        }
        if answer.model:
            values["model"] = answer.model
        with self.database.transaction() as connection:
            update(connection, "messages", "id", reply, values)
            session = message_row(connection, reply)["session"]
            update(connection, "sessions", "number", session, {"updated_at": self._now()})

    def resume_reply(self, reply: int) -> None:
        """Take up a reply that broke off: `append_reply` goes on where its text ends."""
        owner = self.database.hold_owner()
        with self.database.transaction(durable=False) as connection:
            update(connection, "messages", "id", reply, {"finish_reason": None, "owner": owner})

    def interrupted(self) -> tuple[Interrupted, ...]:
        """Mark the replies whose program ended while it wrote them, and tell which, once.

        Those that a program gave up as it was ended are among them; those of a living one are left alone.
        """
        with self.database.transaction() as connection:
            rows = connection.execute(
                "SELECT session_infos.*, messages.id AS message, owner"
                " FROM messages JOIN session_infos ON number = session"
                " WHERE owner IS NOT NULL OR (role = 'assistant' AND finish_reason IS NULL)"
                " ORDER BY messages.id"
            ).fetchall()
            alive = {owner: self.database.alive(owner or "") for owner in {row["owner"] for row in rows}}
            dead = [row for row in rows if not alive[row["owner"]]]
            for row in dead:
                values = {"finish_reason": FinishReason.INTERRUPTED, "owner": None}
                update(connection, "messages", "id", row["message"], values)
        return tuple(
            Interrupted(session_info(row), row["message"]) for row in dead if row["deleted_at"] is None
        )

    def give_up(self) -> None:
        """Mark the replies that this process began and will not finish; `interrupted` tells the next one."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE messages SET finish_reason = ?"
                " WHERE role = 'assistant' AND finish_reason IS NULL AND owner = ?",
                (FinishReason.INTERRUPTED, self.database.owner),
            )

    def about(self, message: int) -> ShownMessage:
        """What is known about a message beyond its text."""
        with self.database.reading() as connection:
            row = message_row(connection, message)
            return shown_message(row, branches.versions(connection, message))

    def versions(self, message: int) -> tuple[int, ...]:
        """The messages that stand at the same place, `message` among them, the oldest first."""
        with self.database.reading() as connection:
            return branches.versions(connection, message)

    def show(self, message: int) -> None:
        """Show the branch of `message`, down to what was last written below it."""
        with self.database.transaction() as connection:
            session = message_row(connection, message)["session"]
            head = branches.newest_leaf(connection, session, message)
            update(connection, "sessions", "number", session, {"head": head})

    def bring_into_view(self, message: int) -> None:
        """Show a branch that `message` is on; the one that is shown stays where it is on that one."""
        with self.database.transaction() as connection:
            number = message_row(connection, message)["session"]
            head = connection.execute("SELECT head FROM sessions WHERE number = ?", (number,)).fetchone()[0]
            if all(row["id"] != message for row in branches.path(connection, head)):
                self.show(message)

    def delete(self, message: int) -> tuple[int, ...]:
        """Take one message out of its branches; what follows it stays. Returns what `restore` takes.

        Where nothing follows, the branch is shown that was last written at its place, if there is one.
        """
        return self._hide("SELECT id FROM messages WHERE id = :id AND deleted_at IS NULL", message)

    def delete_round(self, question: int) -> tuple[int, ...]:
        """Take a user's message and all replies to it out of sight; see `delete`."""
        return self._hide(
            "SELECT id FROM messages WHERE deleted_at IS NULL"
            " AND (id = :id OR parent = :id AND role = 'assistant')",
            question,
        )

    def restore(self, messages: tuple[int, ...]) -> None:
        """Undo `delete` or `delete_round`, and show a branch that holds what came back."""
        with self.database.transaction() as connection:
            for message in messages:
                update(connection, "messages", "id", message, {"deleted_at": None})
            if not messages:
                return
            session = message_row(connection, messages[0])["session"]
            head = _head(connection, session)
            if not any(row["id"] in messages for row in branches.path(connection, head)):
                head = branches.newest_leaf(connection, session, messages[-1])
                update(connection, "sessions", "number", session, {"head": head})

    def _hide(self, which: str, message: int) -> tuple[int, ...]:
        now = self._now()
        with self.database.transaction() as connection:
            session = message_row(connection, message)["session"]
            head = _head(connection, session)
            hidden = [row["id"] for row in connection.execute(which, {"id": message})]
            for found in hidden:
                update(connection, "messages", "id", found, {"deleted_at": now})
            last = branches.last_shown(connection, head)
            leaf = branches.newest_leaf(connection, session, last)
            if leaf != last:
                update(connection, "sessions", "number", session, {"head": leaf})
        # `restore` shows the branch of the last one, which is the one that was shown.
        return tuple(sorted(hidden, key=lambda found: found == head))

    def _add(self, connection: sqlite3.Connection, session: int, values: dict[str, str | int | None]) -> int:
        now = self._now()
        uid = new_id(now, MESSAGE_DIGITS)
        fixed: dict[str, str | int | None] = {"session": session, "uid": uid, "created_at": now}
        message = insert(connection, "messages", fixed | values)
        update(connection, "sessions", "number", session, {"head": message, "updated_at": now})
        return message

    def _now(self) -> int:
        return round(self._clock() * 1000)


def _head(connection: sqlite3.Connection, session: int) -> int | None:
    row = connection.execute("SELECT head FROM sessions WHERE number = ?", (session,)).fetchone()
    head: int | None = row["head"]
    return head
