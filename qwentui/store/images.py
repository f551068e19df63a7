"""The images of messages, in a table of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.image import image_of
from qwentui.store.statements import insert

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from qwentui.chat.image import Image


def keep_images(connection: sqlite3.Connection, message: int, images: Iterable[bytes]) -> None:
    """Keep what goes with a message, in order.

    Raises:
        sqlite3.Error: The disk does not allow it.
    """
    for place, data in enumerate(images):
        insert(connection, "images", {"message": message, "place": place, "data": data})


def images_of(connection: sqlite3.Connection, message: int) -> tuple[Image, ...]:
    """What goes with one message."""
    rows = connection.execute("SELECT data FROM images WHERE message = ? ORDER BY place", (message,))
    return tuple(image for row in rows if (image := image_of(row["data"])) is not None)


def messages_with_images(connection: sqlite3.Connection, session: int) -> frozenset[int]:
    """The messages of a session that something goes with."""
    rows = connection.execute(
        "SELECT DISTINCT message FROM images CROSS JOIN messages ON messages.id = message WHERE session = ?",
        (session,),
    )
    return frozenset(row["message"] for row in rows)
