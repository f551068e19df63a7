"""Which theme a terminal gets: what the user named, else one that its colours and its background allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qwentui.chat.errors import SettingsError
from qwentui.language import _
from qwentui.store.paths import shipped
from qwentui.store.theme_file import like
from qwentui.store.themes import load_theme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from qwentui.store.theme_values import ThemeFile

AUTO = "auto"
"""The value of `screen.theme` that leaves the choice to the terminal."""

WITHOUT_COLORS = "terminal-mono"
"""The theme under NO_COLOR."""

_DARK_BACKGROUNDS = frozenset("01234568")
"""The numbers of the colours in COLORFGBG on which light text reads well, as Vim sees them."""


class Choice(NamedTuple):
    """A theme, and a sentence for each thing about it that the user is to be told."""

    theme: ThemeFile
    warnings: tuple[str, ...]


def choose(wanted: str, folders: Sequence[Path], environ: Mapping[str, str]) -> Choice:
    """The theme to begin with; one that cannot be had is told about, and another one stands in.

    Args:
        wanted: What `screen.theme` says.
        folders: Where themes lie, the user's own first.
        environ: The environment: NO_COLOR, TERM, COLORTERM, COLORFGBG.

    Raises:
        SettingsError: Not even the themes that come along can be read.
    """
    ours = [shipped("themes")]
    if environ.get("NO_COLOR"):
        return Choice(load_theme(WITHOUT_COLORS, ours), ())
    usual = automatic(environ)
    try:
        theme = load_theme(usual if wanted == AUTO else wanted, folders)
    except SettingsError as error:
        told = _("{error} Until then the colours are those of {theme}.").format(error=error, theme=usual)
        return Choice(load_theme(usual, ours), (told,))
    return Choice(theme, theme.warnings)


def automatic(environ: Mapping[str, str]) -> str:
    """The name of the theme that comes along for such a terminal."""
    return like(dark=not is_light(environ), ansi=colors_of(environ) <= 16)  # noqa: PLR2004 - the terminal's own


def is_light(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that its background is light: by COLORFGBG, "foreground;background"."""
    background = environ.get("COLORFGBG", "").rpartition(";")[2].strip()
    return background.isdecimal() and background not in _DARK_BACKGROUNDS


def colors_of(environ: Mapping[str, str]) -> int:
    """How many colours the terminal has: 1 << 24, 256 or 16, by COLORTERM and TERM as Rich reads them."""
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return 1 << 24
    kind = environ.get("TERM", "").strip().lower().rpartition("-")[2]
    return 256 if kind in ("256color", "kitty") else 16
