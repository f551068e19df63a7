"""Locks between processes: who may repair the store, and who is still alive.

Both lean on `flock(2)`: the kernel gives a lock back when its holder dies, by `kill -9` too, so nothing has
to be guessed from process ids, boot ids or heartbeats.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`, waiting for it; it stays on disk, for removing it would race.

    Where the file system knows no `flock`, the block runs all the same.

    Raises:
        OSError: The lock file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Owner:
    """The mark of one open store: a file that is locked for as long as its process lives.

    Its `name` goes into the rows that this process is about to finish. A row is never written before the
    lock is held, so a name without a held lock is the name of the dead.

    Args:
        folder: Where the marks of all processes lie; made when needed.
    """

    def __init__(self, folder: Path) -> None:
        self.name = secrets.token_hex(8)
        self._folder = folder
        self._descriptor: int | None = None

    def hold(self) -> str:
        """Take the lock, if it is not held already, and return the name.

        Raises:
            OSError: The mark cannot be made.
        """
        if self._descriptor is None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self._folder / self.name, flags, 0o600)
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._descriptor = descriptor
        return self.name

    def alive(self, name: str) -> bool:
        """Whether the process that wrote `name` still lives; the mark of a dead one is cleared away."""
        if name == self.name:
            return self._descriptor is not None
        if not name.isalnum():
            return False
        mark = self._folder / name
        try:
            descriptor = os.open(mark, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mark.unlink(missing_ok=True)
        except OSError:
            return True
        else:
            return False
        finally:
            os.close(descriptor)

    def release(self) -> None:
        """Give the mark back: what bears its name is finished, or given up."""
        if self._descriptor is not None:
            with suppress(OSError):
                (self._folder / self.name).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None
