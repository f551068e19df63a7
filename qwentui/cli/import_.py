"""`qwentui import`: chats from files into the store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qwentui.cli import speaking
from qwentui.language import _, ngettext

if TYPE_CHECKING:
    from qwentui.store.database import Database
    from qwentui.store.imports import Imported


@speaking.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(files: tuple[Path, ...]) -> None:
    """Take over chats from files; what is there already is not added again.

    A FILE is what `qwentui export` wrote, lines of {"messages": [...]}, or ChatGPT's conversations.json. A
    bad line is told by its number, and the rest is taken over; the exit code is 0 only if nothing was bad.
    """
    whole = [_import(file) for file in files]
    sys.exit(0 if all(whole) else 1)


def _import(file: Path) -> bool:
    """Whether all of a file is in the store."""
    from qwentui.chat.sanitize import sanitize_line
    from qwentui.cli.opened import with_store

    name = sanitize_line(str(file))
    try:
        imported = with_store(lambda database: _imported(database, file), writes=True)
    except OSError as error:
        why = _("{file} cannot be read: {reason}.").format(file=name, reason=error.strerror or error)
        click.echo(f"qwentui: {why}", err=True)
        return False
    for problem in imported.problems:
        click.echo(f"{name}:{problem.line}: {problem.reason}", err=True)
    click.echo(f"{name}: {_told(imported)}")
    return not imported.problems


def _imported(database: Database, file: Path) -> Imported:
    from qwentui.cli.output import Progress
    from qwentui.store.imports import import_file
    from qwentui.store.sessions import SessionStore

    with Progress() as progress:
        return import_file(
            SessionStore(database), file, lambda done: progress.show(_("line {number:,}").format(number=done))
        )


def _told(imported: Imported) -> str:
    """What was added, and what was there already."""
    messages = ngettext("{n:,} message", "{n:,} messages", imported.messages).format(n=imported.messages)
    sessions = ngettext("{n:,} new chat", "{n:,} new chats", imported.sessions).format(n=imported.sessions)
    present = ngettext("{n:,} message", "{n:,} messages", imported.present).format(n=imported.present)
    if imported.messages and imported.present:
        sentence = _("{messages} in {sessions} added, {present} there already.")
    elif imported.messages:
        sentence = _("{messages} in {sessions} added.")
    elif imported.present:
        sentence = _("nothing added, {present} there already.")
    else:
        sentence = _("nothing added.")
    return sentence.format(messages=messages, sessions=sessions, present=present)
