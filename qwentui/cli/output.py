"""Where a command writes to: standard output, and a line of progress."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import click

from qwentui.chat.errors import StoreError
from qwentui.language import _
from qwentui.store.files import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from qwentui.launch import Launch

_PROGRESS_EVERY = 0.1


def on_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def warn(sentence: str) -> None:
    """Write a sentence to standard error."""
    click.echo(f"qwentui: {sentence}", err=True)


def told(launch: Launch) -> Launch:
    """`launch`, after its warnings were written to standard error."""
    for warning in launch.warnings:
        warn(warning)
    return launch


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Standard output for bytes, all written when the block ends.

    Raises:
        BrokenPipeError: Who reads has left.
        StoreError: It is closed, or its disk refuses.
    """
    if sys.stdout is None:
        raise StoreError(_("Standard output is closed."))
    # A file of its own: what could not be written is not tried again by the interpreter's end.
    with refusals(_("Standard output")), os.fdopen(sys.stdout.fileno(), "wb", closefd=False) as file:
        yield file


class Progress:
    """A line on standard error that is written over while the block runs; nothing where that is no terminal.

    Args:
        shown: Whether there is to be one at all.
    """

    def __init__(self, *, shown: bool = True) -> None:
        self._shown = shown and sys.stderr is not None and sys.stderr.isatty()
        self._next = 0.0

    def show(self, text: str) -> None:
        """Say how far it is, unless something was said just before."""
        if self._shown and (now := time.monotonic()) >= self._next:
            self._next = now + _PROGRESS_EVERY
            click.echo(f"\r{text}\x1b[K", nl=False, err=True)

    def __enter__(self) -> Self:
        """Show nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the line empty."""
        if self._shown and self._next:
            click.echo("\r\x1b[K", nl=False, err=True)
