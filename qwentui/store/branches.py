"""The tree of a session's messages: the branch that is shown, and the ways to others.

A parent has a smaller id than its children, always; so every walk ends, whatever a damaged file claims.
Deleted messages stay in the tree as joints: a walk passes through them and leaves them out, and what stands
below one stands at its place. So whatever is not deleted can be walked to, whatever else is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.conversation import Conversation, Turn
from qwentui.chat.message import Message, Role
from qwentui.store.images import images_of, keep_images, messages_with_images
from qwentui.store.records import ShownMessage, ShownTurn, message_of, reply_of, shown_message
from qwentui.store.statements import insert

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator

    from qwentui.chat.image import Image

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

_BELOW = """
    WITH RECURSIVE below (id, gone) AS (
        SELECT id, deleted_at IS NOT NULL FROM messages
        WHERE session = :session AND parent IS :parent AND +id > coalesce(:parent, 0)
        UNION ALL
        SELECT child.id, child.deleted_at IS NOT NULL FROM below CROSS JOIN messages AS child
        ON child.parent = below.id AND child.id > below.id
        WHERE below.gone
    )
    SELECT id FROM below WHERE NOT gone ORDER BY id
"""

_LAST_SHOWN = """
    WITH RECURSIVE above (id, parent, gone) AS (
        SELECT id, parent, deleted_at IS NOT NULL FROM messages WHERE id = ?
        UNION ALL
        SELECT messages.id, messages.parent, messages.deleted_at IS NOT NULL
        FROM above CROSS JOIN messages ON messages.id = above.parent AND messages.id < above.id
        WHERE above.gone
    )
    SELECT id FROM above WHERE NOT gone
"""


def path(connection: sqlite3.Connection, head: int | None) -> Iterator[sqlite3.Row]:
    """The rows of `messages` on the branch that ends with `head`, the first one first."""
    yield from connection.execute(_PATH, (head,))


def copy(connection: sqlite3.Connection, head: int, session: int) -> int | None:
    """Copy the branch that ends with `head` into the session with that number. Returns the copy's end.

    A reply's `ttft` stays with the original: it marks what was timed, and is to be counted once.
    """
    parent: int | None = None
    for row in list(path(connection, head)):
        images = connection.execute("SELECT data FROM images WHERE message = ? ORDER BY place", (row["id"],))
        values = {name: row[name] for name in row.keys() if name != "id"}  # noqa: SIM118 - a row's own keys
        values |= {"session": session, "parent": parent, "owner": None, "ttft": None}
        parent = insert(connection, "messages", values)
        keep_images(connection, parent, [image["data"] for image in images])
    return parent


def last_shown(connection: sqlite3.Connection, head: int | None) -> int | None:
    """The last message on the branch that ends with `head`, None where all of it is deleted."""
    row = connection.execute(_LAST_SHOWN, (head,)).fetchone()
    return None if row is None else row[0]


def newest_leaf(connection: sqlite3.Connection, session: int, message: int | None) -> int | None:
    """The end of the branch that was last written below `message`, or itself; None is above the first."""
    while children := _below(connection, session, message):
        message = children[-1]
    return message


def versions(connection: sqlite3.Connection, message: int) -> tuple[int, ...]:
    """The messages that stand at the same place as `message`, itself among them, the oldest first.

    After a deletion they may be of both roles: a reply, and the question that followed a deleted one.
    """
    session, parent = connection.execute(
        "SELECT session, parent FROM messages WHERE id = ?", (message,)
    ).fetchone()
    return _below(connection, session, last_shown(connection, parent))


def _below(connection: sqlite3.Connection, session: int, parent: int | None) -> tuple[int, ...]:
    """The messages that come next after `parent`, on all branches."""
    rows = connection.execute(_BELOW, {"session": session, "parent": parent})
    return tuple(row[0] for row in rows)


def shown(
    connection: sqlite3.Connection, session: int, system: str, head: int | None
) -> tuple[Conversation, tuple[ShownTurn, ...]]:
    """The branch that ends with `head`, and what the store knows about each of its turns."""
    places = _places(connection, session)
    seen = messages_with_images(connection, session)
    turns: list[Turn] = []
    about: list[ShownTurn] = []

    def images(message: int) -> tuple[Image, ...]:
        return images_of(connection, message) if message in seen else ()

    for turn, known in _turns(path(connection, head), places, images):
        turns.append(turn)
        about.append(known)
    return Conversation(system, tuple(turns)), tuple(about)


def _places(connection: sqlite3.Connection, session: int) -> dict[int, list[int]]:
    """The `versions` of every message of a session, in one pass."""
    joints: dict[int, int | None] = {}
    below: dict[int | None, list[int]] = {}
    places: dict[int, list[int]] = {}
    for row in connection.execute(
        "SELECT id, parent, deleted_at FROM messages WHERE session = ? ORDER BY id", (session,)
    ):
        parent = joints.get(row["parent"], row["parent"])
        if row["deleted_at"] is not None:
            joints[row["id"]] = parent
        else:
            places[row["id"]] = below.setdefault(parent, [])
            places[row["id"]].append(row["id"])
    return places


def _turns(
    rows: Iterable[sqlite3.Row],
    places: dict[int, list[int]],
    images: Callable[[int], tuple[Image, ...]],
) -> Iterator[tuple[Turn, ShownTurn]]:
    """Pair each user's message with the reply that follows; an empty one stands in for one that is gone."""
    asked: tuple[Message, ShownMessage] | None = None
    for row in rows:
        known = shown_message(row, tuple(places[row["id"]]))
        if row["role"] == Role.USER:
            if asked is not None:
                yield Turn(asked[0]), ShownTurn(asked[1])
            asked = message_of(row, images(row["id"])), known
            continue
        user, about = asked or (Message(Role.USER, ""), None)
        yield Turn(user, reply_of(row)), ShownTurn(about, known)
        asked = None
    if asked is not None:
        yield Turn(asked[0]), ShownTurn(asked[1])
