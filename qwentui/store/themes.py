"""Colour themes as TOML files: those that come with the program and the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.errors import SettingsError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _
from qwentui.store.paths import shipped
from qwentui.store.theme_file import read_theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from qwentui.store.theme_values import ThemeFile


@dataclass(frozen=True, slots=True)
class BrokenTheme:
    """A file that is no theme, and why."""

    path: Path
    error: SettingsError


@dataclass(frozen=True, slots=True)
class Themes:
    """All that some folders hold, by name; of two with the same name the one of the earlier folder."""

    kept: tuple[ThemeFile, ...] = ()
    broken: tuple[BrokenTheme, ...] = ()


def theme_names(folders: Sequence[Path]) -> tuple[str, ...]:
    """The names of all themes in `folders`, sorted."""
    return tuple(sorted(_paths(folders)))


def load_theme(name: str, folders: Sequence[Path]) -> ThemeFile:
    """The theme `name` from the first of `folders` that has it.

    Raises:
        SettingsError: No folder has it, or the file is not a theme; the message says which and where.
    """
    path = _paths(folders).get(name)
    if path is not None:
        return read_theme(path, shipped("themes"))
    known = ", ".join(sanitize_line(found, 60) for found in theme_names(folders))
    raise SettingsError(
        _("There is no theme {name!r}.").format(name=sanitize_line(name, 60)),
        _("Known are: {names}.").format(names=known),
    )


def load_themes(folders: Sequence[Path]) -> Themes:
    """Every theme in `folders`."""
    kept: list[ThemeFile] = []
    broken: list[BrokenTheme] = []
    for path in dict(sorted(_paths(folders).items())).values():
        try:
            kept.append(read_theme(path, shipped("themes")))
        except SettingsError as error:
            broken.append(BrokenTheme(path, error))
    return Themes(tuple(kept), tuple(broken))


def _paths(folders: Sequence[Path]) -> dict[str, Path]:
    """The files of all themes, by name; a folder that cannot be read has none."""
    found: dict[str, Path] = {}
    for folder in reversed(folders):
        try:
            found |= {path.stem: path for path in folder.glob("*.toml") if not path.name.startswith(".")}
        except OSError:
            continue
    return found
