"""`qwentui theme list`, `show` and `path`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from qwentui.chat.sanitize import sanitize_line
from qwentui.cli import speaking
from qwentui.cli.output import on_terminal, standard_output
from qwentui.cli.table import print_records, print_table
from qwentui.language import N_, _
from qwentui.store.paths import shipped, user_paths
from qwentui.store.theme_choice import choose
from qwentui.store.theme_values import TABLES
from qwentui.store.theme_words import kind_of
from qwentui.store.themes import load_theme, load_themes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qwentui.cli.flags import Flags
    from qwentui.store.theme_values import ThemeFile


def _folders() -> tuple[Path, Path]:
    """Where themes lie, the user's own first."""
    return user_paths().themes, shipped("themes")


@speaking.command("list")
@speaking.option("--json", "as_json", is_flag=True, help=N_("Print one JSON record a line."))
@click.pass_obj
def list_themes(flags: Flags, *, as_json: bool) -> None:
    """List the themes: the name to give, what each is for, whose it is, and which this terminal gets."""
    themes = load_themes(_folders())
    used = choose(flags.launch().settings.screen.theme, _folders(), os.environ).theme.path
    if as_json:
        print_records([_record(theme, used) for theme in themes.kept])
    else:
        rows = [
            (
                sanitize_line(theme.name, 60),
                kind_of(theme),
                _("yours") if _is_own(theme) else _("comes along"),
                _("in use") if theme.path == used else "",
            )
            for theme in themes.kept
        ]
        print_table((_("NAME"), _("FOR"), _("WHOSE"), ""), rows)
    for sentence in (sentence for theme in themes.kept for sentence in theme.warnings):
        click.echo(f"qwentui: {sentence}", err=True)
    for broken in themes.broken:
        click.echo(f"qwentui: {broken.error}", err=True)


def _is_own(theme: ThemeFile) -> bool:
    return theme.path.parent == user_paths().themes


def _record(theme: ThemeFile, used: Path) -> dict[str, object]:
    import msgspec

    record: dict[str, object] = {"name": theme.name, "file": str(theme.path), "in_use": theme.path == used}
    record |= {"dark": theme.dark, "ansi": theme.ansi}
    return record | {table: msgspec.to_builtins(getattr(theme, table)) for table in TABLES}


@speaking.command("show")
@click.argument("name")
def show_theme(*, name: str) -> None:
    """Print the colour of every role, those too that the file leaves out; its file on standard error."""
    theme = load_theme(name, _folders())
    click.echo(f"{sanitize_line(theme.name, 60)}: {sanitize_line(str(theme.path))}", err=True)
    for sentence in theme.warnings:
        click.echo(f"qwentui: {sentence}", err=True)
    if on_terminal():
        _print_swatches(theme)
        return
    with standard_output() as file:
        for role, color in _roles(theme):
            file.write(f"{role}\t{color}\n".encode())


def _roles(theme: ThemeFile) -> Iterator[tuple[str, str]]:
    import msgspec

    for table in TABLES:
        for role, color in msgspec.to_builtins(getattr(theme, table)).items():
            yield f"{table}.{role}", color


def _print_swatches(theme: ThemeFile) -> None:
    """A line a role, written in its colour on the theme's background, as far as the terminal has them."""
    from rich.console import Console
    from rich.style import Style
    from rich.text import Text

    def ink(color: str) -> str:
        return color.removeprefix("ansi_")

    console = Console(highlight=False, markup=False, emoji=False)
    back = ink(theme.colors.background)
    roles = list(_roles(theme))
    width = max(len(role) for role, _color in roles)
    for role, color in roles:
        line = Text(f"{role:<{width}}  {color:<20}")
        line.append("██", Style(color=ink(color)))
        line.append(_(" the quick brown fox "), Style(color=ink(color), bgcolor=back))
        console.print(line)


@speaking.command("path")
def print_path() -> None:
    """Print the folder for themes of your own."""
    click.echo(str(user_paths().themes))


COMMANDS = {"list": list_themes, "show": show_theme, "path": print_path}
