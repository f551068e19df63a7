"""Files that a user asked for: whole or not at all, and readable by that user only."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from qwentui.chat.errors import StoreError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replaced(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A file, readable by its user only, that takes `path`'s place when the block ends; else nothing stays.

    A device or a named pipe is written as it is.

    Args:
        path: Where it is to lie.
        overwrite: Whether a file that lies there already may go; otherwise that is a `StoreError`.

    Raises:
        BrokenPipeError: Who reads from a pipe has left.
        StoreError: It cannot be written.
    """
    with refusals(sanitize_line(str(path))):
        if path.exists() and not path.is_file():
            with path.open("wb") as device:
                yield device
            return
        target = path.resolve()
        descriptor, name = tempfile.mkstemp(prefix=".qwentui-", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if not overwrite:
                # Fails where the name is taken, whoever took it meanwhile.
                target.open("xb").close()
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Tell the system's errors about what is called `name` as `StoreError`.

    Raises:
        BrokenPipeError: Who reads from a pipe has left.
        StoreError: It cannot be written.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        sentence = _("{path} cannot be written: {reason}.")
        raise StoreError(sentence.format(path=name, reason=error.strerror or error)) from error
