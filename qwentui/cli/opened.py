"""The store as a command uses it: opened, mended where it is damaged, and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from qwentui.chat.errors import StoreError
from qwentui.cli.speaking import speak_as_set
from qwentui.language import _
from qwentui.store.database import Database
from qwentui.store.paths import user_paths
from qwentui.store.trouble import StoreDamaged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qwentui.store.connections import Identity

Result = TypeVar("Result")


def with_store(work: Callable[[Database], Result], *, writes: bool = False) -> Result:
    """What `work` makes of the user's store; a damaged one is mended, and `work` runs again.

    Args:
        work: Called with the open store, twice at most.
        writes: Whether it changes the store; if not, one that can only be read will do.

    Raises:
        StoreError: The store cannot be opened, or `work` raised it.
    """
    speak_as_set(click.get_current_context().find_root().obj)
    path = user_paths().database
    database = _opened(path, writes)
    try:
        return work(database)
    except StoreDamaged:
        damaged = database.identity
        database.close()
        database = _opened(path, writes, damaged)
        return work(database)
    finally:
        database.close()


def _opened(path: Path, writes: bool, damaged: Identity | None = None) -> Database:
    database = Database.open(path, damaged=damaged)
    if (salvage := database.opening.salvage) is not None:
        said = _(
            "The store of chats was damaged: {messages:,} messages in {sessions:,} chats could be read; the"
            " old file lies at {path}."
        ).format(messages=salvage.messages, sessions=salvage.sessions, path=salvage.set_aside)
        click.echo(f"qwentui: {said}", err=True)
    trouble = database.opening.trouble
    if trouble is None:
        return database
    database.close()
    if not writes:
        try:
            return Database.read_only(path)
        except StoreError:
            pass
    # Its hint speaks of a chat that goes on.
    raise StoreError(trouble.message)
