"""The steps of long work on standard error: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click

from qwentui.cli.cells import fitted
from qwentui.telemetry.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType
    from typing import Self

    from qwentui.backends.ollama_models import Step

_BAR = 24
_SHORTEST = 8
_STATUS = 24
_AMOUNT = 42  # cells of "19.8 of 19.8 GB · 499 MB/s · 1:10:00 left"
_TENTHS = 10


@asynccontextmanager
async def counting_seconds(text: str) -> AsyncIterator[None]:
    """Show `text` while the block runs, in a terminal with the seconds that it takes."""
    if sys.stderr is None or not sys.stderr.isatty():
        click.echo(text, err=True)
        yield
        return
    counting = asyncio.ensure_future(_count(text))
    try:
        yield
    finally:
        counting.cancel()
        click.echo(err=True)


async def _count(text: str) -> None:
    seconds = 0
    while True:
        click.echo(f"\r{text}: {seconds} s\x1b[K", nl=False, err=True)
        await asyncio.sleep(1)
        seconds += 1


class Bar:
    """Shows one step after the other; a terminal's line is written over as long as the step is the same."""

    def __init__(self) -> None:
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._status = ""
        self._transfer = Transfer()
        self._tenth = 0
        self._open = False

    def show(self, step: Step) -> None:
        """Say how far it is."""
        if step.status != self._status:
            self.close()
            self._status, self._transfer, self._tenth = step.status, Transfer(), 0
            if not self._terminal:
                click.echo(step.status, err=True)
        if step.total:
            self._transfer.add(step.done)
        if self._terminal:
            self._rewrite(step)
        elif step.total and step.done * _TENTHS // step.total > self._tenth:
            self._tenth = step.done * _TENTHS // step.total
            click.echo(f"{step.status}: {self._transfer.line(step.total)}", err=True)

    def _rewrite(self, step: Step) -> None:
        width = max(get_terminal_size().columns - 1, 1)
        text = step.status
        if step.total:
            size = max(_SHORTEST, min(_BAR, width - _STATUS - _AMOUNT))
            full = round(min(step.done / step.total, 1.0) * size)
            bar = "━" * full + "─" * (size - full)
            text = f"{fitted(step.status, _STATUS)} {bar} {self._transfer.line(step.total)}"
        click.echo(f"\r{fitted(text, width).rstrip()}\x1b[K", nl=False, err=True)
        self._open = True

    def close(self) -> None:
        """End the line that is written over."""
        if self._open:
            click.echo(err=True)
            self._open = False

    def __enter__(self) -> Self:
        """Show nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the cursor at the start of a line."""
        self.close()
