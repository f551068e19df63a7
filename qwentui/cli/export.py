"""`qwentui export`: chats out of the store, for other tools and for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qwentui.cli import speaking
from qwentui.language import N_, _

if TYPE_CHECKING:
    from typing import BinaryIO

    from qwentui.store.database import Database
    from qwentui.store.jsonl import Format

_STANDARD_OUTPUT = Path("-")


def _seconds(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> float:
    """A date, or a date and time, as seconds since 1970; the local time where it names no zone."""
    if value is None:
        return 0.0
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(_("write it as 2026-01-31 or 2026-01-31T12:00+01:00.")) from error


@speaking.command("export")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@speaking.option("--all", "everything", is_flag=True, help=N_("All chats; the default without an ID."))
@speaking.option(
    "--since",
    metavar="DATE",
    callback=_seconds,
    help=N_("Only chats in which something happened since then."),
)
@speaking.option("--tag", metavar="TAG", default="", help=N_("Only chats that bear this tag."))
@speaking.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "openai", "markdown"]),
    default="jsonl",
    show_default=True,
    help=N_("qwentui's own lines; fine-tuning lines; a text to read."),
)
@speaking.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=_STANDARD_OUTPUT,
    help=N_("Write to a file, which only you can read, instead of standard output."),
)
def command(
    *, ids: tuple[str, ...], everything: bool, since: float, tag: str, form: str, output: Path
) -> None:
    """Write chats to standard output or to a file, the oldest first.

    An ID may be its beginning or its end. The jsonl form holds everything, all versions of a chat among it,
    and `qwentui import` takes it back; openai and markdown hold what the chat shows.
    """
    if (ids and everything) or ((ids or everything) and (since or tag)):
        raise click.UsageError(_("Give either IDs, or --all, or --since and --tag."))
    from qwentui.cli.opened import with_store
    from qwentui.store.jsonl import Format

    with_store(_Export(ids, since, " ".join(tag.split()), Format(form), output))


@dataclass(slots=True)
class _Export:
    """One call of the command; `begun` is whether something has gone to standard output."""

    ids: tuple[str, ...]
    since: float
    tag: str
    form: Format
    output: Path
    begun: bool = False

    def __call__(self, database: Database) -> None:
        from qwentui.chat.errors import StoreError
        from qwentui.cli.output import standard_output, warn
        from qwentui.store.files import replaced

        if self.begun:
            raise StoreError(
                _("The store was damaged, and what was written is not complete."), _("Export it again.")
            )
        sessions = self._chosen(database)
        if not sessions:
            warn(_("There are no such chats."))
        with standard_output() if self.output == _STANDARD_OUTPUT else replaced(self.output) as file:
            self._write(database, sessions, file)

    def _chosen(self, database: Database) -> tuple[str, ...]:
        from qwentui.store.jsonl import session_ids
        from qwentui.store.sessions import SessionStore

        if not self.ids:
            return session_ids(database, since=self.since, tag=self.tag)
        return tuple(dict.fromkeys(map(SessionStore(database).resolve, self.ids)))

    def _write(self, database: Database, sessions: tuple[str, ...], file: BinaryIO) -> None:
        from qwentui.chat.sanitize import sanitize
        from qwentui.cli.output import Progress
        from qwentui.store.jsonl import exported

        to_terminal, size = file.isatty(), 0
        with Progress(shown=not to_terminal) as progress:
            for number, session in enumerate(sessions, 1):
                for piece in exported(database, (session,), self.form):
                    self.begun = self.output == _STANDARD_OUTPUT
                    # Even what was stored before the sanitizer knew better is no command to a terminal.
                    file.write(sanitize(piece.decode()).text.encode() if to_terminal else piece)
                    size += len(piece)
                    far = _("chat {number:,} of {sessions:,}, {size:,.1f} MB")
                    progress.show(far.format(number=number, sessions=len(sessions), size=size / 1e6))
