"""The tree of a session's messages: the branch that is shown, and the ways to others.

A parent has a smaller id than its children, always; so every walk ends, whatever a damaged file claims.
Deleted messages stay in the tree as joints: a walk passes through them and leaves them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.conversation import Conversation, Turn
from qwentui.chat.message import Message, Role
from qwentui.store.records import ShownMessage, ShownTurn, message_of, reply_of, shown_message

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

_PATH = """
    WITH RECURSIVE path (id, parent) AS (
        SELECT id, parent FROM messages WHERE id = ?
        UNION ALL
        SELECT above.id, above.parent FROM path JOIN messages AS above
        ON above.id = path.parent AND above.id < path.id
    )
    SELECT messages.* FROM path JOIN messages USING (id)
    WHERE messages.deleted_at IS NULL ORDER BY messages.id
"""

_NEWEST_CHILD = """
    SELECT id FROM messages WHERE parent = ? AND id > parent
    ORDER BY deleted_at IS NULL DESC, id DESC LIMIT 1
"""


def path(connection: sqlite3.Connection, head: int | None) -> Iterator[sqlite3.Row]:
    """The rows of `messages` on the branch that ends with `head`, the first one first."""
    yield from connection.execute(_PATH, (head,))


def newest_leaf(connection: sqlite3.Connection, message: int) -> int:
    """The end of the branch that was last written below `message`, or itself."""
    while (child := connection.execute(_NEWEST_CHILD, (message,)).fetchone()) is not None:
        message = child[0]
    return message


def versions(connection: sqlite3.Connection, message: int) -> tuple[int, ...]:
    """The messages that stand at the same place as `message`, itself among them, the oldest first."""
    rows = connection.execute(
        """
        SELECT other.id FROM messages AS this JOIN messages AS other
        ON other.session = this.session AND other.parent IS this.parent AND other.role = this.role
        WHERE this.id = ? AND other.deleted_at IS NULL ORDER BY other.id
        """,
        (message,),
    )
    return tuple(row[0] for row in rows)


def shown(
    connection: sqlite3.Connection, session: int, system: str, head: int | None
) -> tuple[Conversation, tuple[ShownTurn, ...]]:
    """The branch that ends with `head`, and what the store knows about each of its turns."""
    places: dict[tuple[int | None, str], list[int]] = {}
    for row in connection.execute(
        "SELECT id, parent, role FROM messages WHERE session = ? AND deleted_at IS NULL ORDER BY id",
        (session,),
    ):
        places.setdefault((row["parent"], row["role"]), []).append(row["id"])
    turns: list[Turn] = []
    about: list[ShownTurn] = []
    for turn, known in _turns(path(connection, head), places):
        turns.append(turn)
        about.append(known)
    return Conversation(system, tuple(turns)), tuple(about)


def _turns(
    rows: Iterable[sqlite3.Row], places: dict[tuple[int | None, str], list[int]]
) -> Iterator[tuple[Turn, ShownTurn]]:
    """Pair each user's message with the reply that follows; an empty one stands in for one that is gone."""
    asked: tuple[Message, ShownMessage] | None = None
    for row in rows:
        known = shown_message(row, tuple(places[row["parent"], row["role"]]))
        if row["role"] == Role.USER:
            if asked is not None:
                yield Turn(asked[0]), ShownTurn(asked[1])
            asked = message_of(row), known
            continue
        user, about = asked or (Message(Role.USER, ""), None)
        yield Turn(user, reply_of(row)), ShownTurn(about, known)
        asked = None
    if asked is not None:
        yield Turn(asked[0]), ShownTurn(asked[1])
