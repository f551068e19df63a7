"""Colour themes as TOML files: those that come with the program and the user's own."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import msgspec

from qwentui.chat.errors import SettingsError
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Colors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The roles of colour, each "#rrggbb" or one of the terminal's own ("ansi_blue", "ansi_default")."""

    primary: str
    secondary: str
    accent: str
    foreground: str
    background: str
    surface: str
    panel: str
    dim: str
    success: str
    warning: str
    error: str


class Code(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The colours of highlighted code, by class of token."""

    keyword: str
    string: str
    number: str
    comment: str
    function: str
    type: str
    operator: str
    builtin: str


class ThemeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One theme; `ansi` says that it uses the terminal's own 16 colours."""

    name: str
    dark: bool
    ansi: bool = False
    colors: Colors
    code: Code


def theme_names(folders: Sequence[Path]) -> tuple[str, ...]:
    """The names of all themes in `folders`, sorted."""
    return tuple(
        sorted({path.stem for folder in folders if folder.is_dir() for path in folder.glob("*.toml")})
    )


def load_theme(name: str, folders: Sequence[Path]) -> ThemeFile:
    """The theme `name` from the first of `folders` that has it.

    Raises:
        SettingsError: No folder has it, or the file is not a theme; the message says which and where.
    """
    for folder in folders:
        path = folder / f"{name}.toml"
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            sentence = _("The theme {path} cannot be read: {reason}.").format(path=path, reason=error)
            raise SettingsError(sentence, _("Check the file.")) from error
        try:
            return msgspec.convert(tomllib.loads(text), ThemeFile)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            sentence = _("The theme {path} is broken: {reason}.").format(path=path, reason=error)
            raise SettingsError(sentence, _("Correct it or choose another.")) from error
    known = ", ".join(theme_names(folders))
    sentence = _("There is no theme {name!r}.").format(name=name)
    raise SettingsError(sentence, _("Known are: {names}.").format(names=known))
