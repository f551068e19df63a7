"""`qwentui sessions`: the chats in the store, listed or searched from the shell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from qwentui.cli import speaking
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwentui.store.database import Database
    from qwentui.store.records import SessionInfo
    from qwentui.store.search import Hit

_SHOWN_DAYS = 100
_HEADINGS = (N_("ID"), N_("AGE"), N_("ROUNDS"), N_("MODEL"), N_("TITLE"))
_GAP = "  "


@speaking.command("sessions")
@click.argument("query", metavar="[QUERY]...", nargs=-1)
@speaking.option("--json", "as_json", is_flag=True, help=N_("Print one JSON record a line."))
@speaking.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help=N_("At most N lines."),
)
def command(query: tuple[str, ...], *, as_json: bool, limit: int) -> None:
    """List the chats, or search for words in all that was said: pinned chats (*) first, then the newest.

    Every word of the QUERY has to occur in a message or a title. What is printed to anything but a terminal
    has tabs between its columns: id, age, rounds, model and title of a chat; id, age, role, title and
    sentence of a find.
    """
    from qwentui.cli.opened import with_store
    from qwentui.cli.output import on_terminal, standard_output, warn

    words = " ".join(query)
    found = with_store(lambda database: _found(database, words, limit + 1))
    with standard_output() as file:
        for line in _lines(found[:limit], as_json, on_terminal()):
            file.write(line.encode("utf-8", "replace") + b"\n")
    if not found:
        warn(_("Nothing holds that.") if words else _("There are no chats yet."))
    elif len(found) > limit:
        warn(_("Not all is shown; --limit N shows more."))


def _found(database: Database, words: str, limit: int) -> Sequence[SessionInfo | Hit]:
    from qwentui.store.sessions import SessionStore

    store = SessionStore(database)
    return store.search(words, limit) if words.strip() else store.listed(limit=limit)


def _lines(found: Sequence[SessionInfo | Hit], as_json: bool, to_terminal: bool) -> Iterator[str]:
    from qwentui.store.records import SessionInfo

    if as_json:
        yield from map(_record, found)
        return
    infos = [item for item in found if isinstance(item, SessionInfo)]
    hits = [item for item in found if not isinstance(item, SessionInfo)]
    if not to_terminal:
        yield from ("\t".join(_columns(info)) for info in infos)
        yield from ("\t".join(_hit_columns(hit)) for hit in hits)
        return
    from shutil import get_terminal_size

    width = get_terminal_size().columns
    if infos:
        yield from _table(infos, width)
    yield from _finds(hits, width)


def _record(item: SessionInfo | Hit) -> str:
    import msgspec

    from qwentui.store.jsonl import time_of

    record = msgspec.to_builtins(item)
    # The number of a message in the store names nothing outside it.
    record.pop("message", None)
    for name in ("created_at", "updated_at"):
        if name in record:
            record[name] = time_of(round(record[name] * 1000))
    return msgspec.json.encode(record).decode()


def _columns(info: SessionInfo) -> tuple[str, ...]:
    from qwentui.chat.sanitize import sanitize_line

    model, title = sanitize_line(info.model), sanitize_line(info.title)
    return info.id, _age(info.updated_at), str(info.rounds), model, title


def _hit_columns(hit: Hit) -> tuple[str, ...]:
    from qwentui.chat.sanitize import HOSTILE, sanitize_line

    # One for one: the places of the matches stay.
    snippet = HOSTILE.sub("\ufffd", hit.snippet)
    return hit.session, _age(hit.created_at), hit.role or _("title"), sanitize_line(hit.title), snippet


def _age(since: float) -> str:
    """How long ago that was, or the day where it is long ago."""
    minutes = int(time.time() - since) // 60
    if minutes < 1:
        return _("now")
    for size, unit, most in ((1, "min", 60), (60, "h", 24), (24 * 60, "d", _SHOWN_DAYS)):
        if minutes < size * most:
            return f"{minutes // size} {unit}"
    return time.strftime("%Y-%m-%d", time.localtime(since))


def _table(infos: Sequence[SessionInfo], width: int) -> Iterator[str]:
    """Chats in columns under headings, no line wider than the terminal."""
    from qwentui.cli.cells import cells, padded

    headings = tuple(_(heading) for heading in _HEADINGS)
    rows = [headings, *map(_columns, infos)]
    sizes = [max(cells(row[column]) for row in rows) for column in range(len(_HEADINGS) - 1)]
    sizes[-1] = min(sizes[-1], max(width // 4, cells(headings[3])))
    marks = ["", *("* " * info.pinned for info in infos)]
    for (key, age, rounds, model, title), mark in zip(rows, marks, strict=True):
        columns = (
            padded(key, sizes[0]),
            padded(age, sizes[1], right=True),
            padded(rounds, sizes[2], right=True),
            padded(_cut(model, sizes[3]), sizes[3]),
            mark + title,
        )
        line = _cut(_GAP.join(columns), width)
        yield click.style(line, dim=True) if key == headings[0] else line


def _finds(hits: Sequence[Hit], width: int) -> Iterator[str]:
    """Finds below their chat's title, each in as much of its sentence as fits, the words bold."""
    from qwentui.cli.cells import cells

    session = ""
    for hit in hits:
        key, age, role, title, snippet = _hit_columns(hit)
        if hit.message is None:
            start = f"{key}{_GAP}{age}{_GAP}"
        else:
            if key != session:
                yield click.style(_cut(f"{key}{_GAP}{age}{_GAP}{title}", width), dim=True)
            start = f"{_GAP}{role}: "
        session = key
        yield start + _marked(snippet, hit.matches, max(width - cells(start), 1))


def _cut(text: str, room: int) -> str:
    return _marked(text, (), room)


def _marked(text: str, matches: Sequence[tuple[int, int]], room: int) -> str:
    """The part of `text` around the first match that fits into `room` cells, with all matches bold."""
    left, right = _window(text, room, matches[0][0] if matches else 0)
    line, at = "…" * (left > 0), left
    for match_start, match_end in matches:
        start, end = max(match_start, at), min(match_end, right)
        if start < end:
            line += text[at:start] + click.style(text[start:end], bold=True)
            at = end
    return line + text[at:right] + "…" * (right < len(text))


def _window(text: str, room: int, at: int) -> tuple[int, int]:
    """Where to cut `text` so that it fits into `room` cells with two marks of omission and shows `at`."""
    from qwentui.tui.transcript.wrap import clusters

    spans = clusters(text)
    if sum(size for *_, size in spans) <= room:
        return 0, len(text)
    room = max(room - 2, 0)
    left = next((number for number, (_, end, _) in enumerate(spans) if at < end), 0)
    before, lead = 0, max(room // 3, room - sum(size for *_, size in spans[left:]))
    while left and before + spans[left - 1][2] <= lead:
        left -= 1
        before += spans[left][2]
    right, used = left, 0
    while right < len(spans) and used + spans[right][2] <= room:
        used += spans[right][2]
        right += 1
    return spans[left][0], spans[right][0] if right < len(spans) else len(text)
