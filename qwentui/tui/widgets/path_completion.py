"""How a path behind an `@` may go on."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from qwentui.chat.sanitize import HOSTILE
from qwentui.language import _
from qwentui.tui.attaching import Aside
from qwentui.tui.widgets.completion import Candidate, Offer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from qwentui.chat.mentions import Typed

_COMMAND = "/file "
_MOST_OFFERED = 40
_MOST_READ = 5_000
_FRESH = 2.0
"""Seconds for which what a folder holds is not looked up again."""


class _Entry(NamedTuple):
    name: str
    is_folder: bool


class _Listing(NamedTuple):
    """What a folder held, and the time until which that is believed (of `time.monotonic`)."""

    entries: tuple[_Entry, ...]
    until: float


class PathCompletion:
    """Offers the files and folders that begin with what is written behind an `@` or the command for a file.

    A folder is listed in the background: it may lie on a network mount that does not answer.

    Args:
        carry: Runs such work.
        came: Called when a listing has come that was not there before.
    """

    def __init__(
        self, carry: Callable[[Coroutine[Any, Any, None]], object], came: Callable[[], None]
    ) -> None:
        self._carry = carry
        self._came = came
        self._aside = Aside()
        self._listings: dict[str, _Listing] = {}
        self._asked: set[str] = set()

    def candidates(self, lines: Sequence[str], cursor: tuple[int, int]) -> Offer | None:
        """What may stand at the cursor; see `Completion`."""
        row, column = cursor
        is_command = len(lines) == 1 and lines[0].startswith(_COMMAND)
        if not is_command and lines[row].rfind("@", 0, column) < 0:
            return None
        from qwentui.chat.mentions import typed

        found, sign = typed(lines[row], column), "@"
        if found is None and is_command:
            found, sign = _argument(lines[0][len(_COMMAND) : column]), ""
        if found is None:
            return None
        folder, slash, begun = found.path.rpartition("/")
        listing = self._listings.get(folder + slash)
        if (listing is None or listing.until < time.monotonic()) and folder + slash not in self._asked:
            self._asked.add(folder + slash)
            self._carry(self._look_up(folder + slash))
        offered = () if listing is None else _begun_with(begun, listing.entries)
        if not offered:
            return None
        return Offer(found.start, column, tuple(_candidate(sign, folder + slash, entry) for entry in offered))

    async def _look_up(self, folder: str) -> None:
        before = self._listings.get(folder)
        try:
            entries = await self._aside.do(lambda: _entries(folder))
        except TimeoutError:
            return
        finally:
            self._asked.discard(folder)
        self._listings[folder] = _Listing(entries, time.monotonic() + _FRESH)
        if before is None or before.entries != entries:
            self._came()


def _entries(folder: str) -> tuple[_Entry, ...]:
    """What a folder holds, sorted as it is offered; nothing where it cannot be read."""
    found = []
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:  # noqa: PTH111 - as attachments are read
            for entry, _number in zip(entries, range(_MOST_READ), strict=False):
                is_folder = _is_folder(entry)
                # What would be a command to the terminal cannot be written in a prompt either.
                safe = HOSTILE.search(entry.name) is None and "\n" not in entry.name
                if safe and is_folder is not None:
                    found.append(_Entry(entry.name, is_folder))
    except (OSError, ValueError):
        return ()
    return tuple(sorted(found, key=lambda entry: (not entry.is_folder, entry.name.casefold(), entry.name)))


def _is_folder(entry: os.DirEntry[str]) -> bool | None:
    """Whether an entry is a folder and not a file; None for a pipe, a device, or a link to nothing."""
    try:
        return entry.is_dir() or (False if entry.is_file() else None)
    except OSError:
        return None


def _begun_with(begun: str, entries: Sequence[_Entry]) -> tuple[_Entry, ...]:
    """The entries that go on from `begun`, whatever the case; hidden ones only behind a dot."""
    start = begun.casefold()
    fitting = (
        entry
        for entry in entries
        if entry.name.casefold().startswith(start) and (start or not entry.name.startswith("."))
    )
    # What is written out goes first, so that Enter sends it.
    return tuple(sorted(fitting, key=lambda entry: entry.name != begun)[:_MOST_OFFERED])


def _argument(written: str) -> Typed:
    """The path behind the command, which may have spaces without quotes."""
    from qwentui.chat.mentions import Typed, typed

    found = typed(f"@{written}", len(written) + 1)
    return Typed(len(_COMMAND), written if found is None else found.path)


def _candidate(sign: str, folder: str, entry: _Entry) -> Candidate:
    """How a path is written behind `sign`, an `@` or nothing."""
    from qwentui.chat.mentions import mention_of

    if not entry.is_folder:
        return Candidate(sign + mention_of(folder + entry.name)[1:] + " ", label=entry.name)
    # A quote stays open, for the path goes on.
    text = sign + mention_of(f"{folder}{entry.name}/")[1:]
    return Candidate(text.removesuffix('"'), _("folder"), f"{entry.name}/")
