"""`qwentui theme new`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from qwentui.chat.errors import SettingsError, StoreError
from qwentui.chat.sanitize import sanitize_line
from qwentui.cli import speaking
from qwentui.language import N_, _
from qwentui.store.files import refusals, replaced
from qwentui.store.paths import private_folder, shipped, user_paths
from qwentui.store.theme_choice import AUTO
from qwentui.store.themes import load_theme

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"\w[\w.-]{0,59}")


@speaking.command("new")
@click.argument("name")
@speaking.option(
    "--from", "source", metavar="NAME", default="qwentui-dark", help=N_("The theme to begin with.")
)
def new_theme(*, name: str, source: str) -> None:
    """Copy a theme, with its comments, into your own folder, to be changed there.

    While qwentui runs with it, what you save is taken up at once.
    """
    folder = user_paths().themes
    theme = load_theme(source, (folder, shipped("themes")))
    path = _file(folder, name)
    shown = sanitize_line(str(path))
    if path.exists():
        raise StoreError(
            _("{file} is there already.").format(file=shown),
            _("Take another name, or remove that file first."),
        )
    with refusals(shown):
        text = theme.path.read_bytes()
        private_folder(folder)
    with replaced(path, overwrite=False) as file:
        file.write(text)
    click.echo(_("{file} is written.").format(file=shown), err=True)
    click.echo(_("F10 in qwentui takes it, or: {command}").format(command=_command(path.stem)), err=True)


def _command(name: str) -> str:
    return f"qwentui config set screen.theme {name}"


def _file(folder: Path, name: str) -> Path:
    """The file for a theme of that name.

    Raises:
        SettingsError: It cannot be a theme's name.
    """
    stem = name.removesuffix(".toml")
    if stem == AUTO or _NAME.fullmatch(stem) is None:
        raise SettingsError(
            _("A theme cannot be called {name!r}.").format(name=sanitize_line(name, 60)),
            _('Take letters, digits, "-", "_" and ".", as in my-night.'),
        )
    return folder / f"{stem}.toml"


COMMANDS = {"new": new_theme}
