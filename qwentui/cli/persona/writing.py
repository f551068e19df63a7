"""`qwentui persona new`, `edit` and `rm`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from qwentui.chat.errors import SettingsError
from qwentui.chat.sanitize import sanitize_line
from qwentui.cli import speaking
from qwentui.language import N_, _
from qwentui.store.files import refusals
from qwentui.store.paths import user_paths
from qwentui.store.persona_files import file_of, template, write_text
from qwentui.store.personas import Personas, load_personas, read_persona

if TYPE_CHECKING:
    from pathlib import Path

_say = partial(click.echo, err=True)


@speaking.command("new")
@click.argument("name")
def new_persona(*, name: str) -> None:
    """Write a persona that explains its keys, and open it in $EDITOR when there is a terminal."""
    path = file_of(user_paths().personas, name)
    write_text(path, template())
    _say(_("{path} is written.").format(path=sanitize_line(str(path))))
    if _has_terminal():
        _edit(path)


@speaking.command("edit")
@click.argument("name")
def edit_persona(*, name: str) -> None:
    """Open a persona in $EDITOR; what is wrong in it is said afterwards."""
    path = _file(load_personas(user_paths().personas), name)
    if not _has_terminal():
        raise SettingsError(
            _("An editor needs a terminal."),
            _("The file is {path}.").format(path=sanitize_line(str(path))),
        )
    _edit(path)


@speaking.command("rm")
@click.argument("name")
@speaking.option("-y", "--yes", is_flag=True, help=N_("Do not ask."))
def remove_persona(*, name: str, yes: bool) -> None:
    """Remove a persona; chats that had it keep its prompt."""
    path = _file(load_personas(user_paths().personas), name)
    shown = sanitize_line(str(path))
    if not yes:
        if not _has_terminal():
            raise SettingsError(
                _("Removing is asked about first, and there is no terminal."), _("Give --yes.")
            )
        if not click.confirm(_("Remove {path}?").format(path=shown), err=True):
            _say(_("{name} stays.").format(name=shown))
            return
    with refusals(shown):
        path.unlink(missing_ok=True)
    _say(_("{name} is removed.").format(name=shown))


def _file(personas: Personas, name: str) -> Path:
    """The file of a persona, also of one that is broken."""
    for broken in personas.broken:
        if broken.path.stem.casefold() == name.strip().casefold():
            return broken.path
    return personas.find(name).path


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty()


def _edit(path: Path) -> None:
    """Let the user go on with the file.

    Raises:
        QwentuiError: The editor failed and nothing has changed, or what was written is no persona.
    """
    from qwentui.tui.editor import edit

    with refusals(sanitize_line(str(path))):
        before = path.read_text(encoding="utf-8", errors="replace")
    after = edit(before)
    if after.rstrip("\n") != before.rstrip("\n"):
        write_text(path, after + "\n", overwrite=True)
    read_persona(path)


COMMANDS = {"new": new_persona, "edit": edit_persona, "rm": remove_persona}
