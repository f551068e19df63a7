"""What is said of a theme in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.language import _

if TYPE_CHECKING:
    from qwentui.store.theme_values import ThemeFile


def kind_of(theme: ThemeFile) -> str:
    """What a theme is made for, in a word or two."""
    if theme.colors.primary == theme.colors.foreground:
        return _("no colours")
    if theme.ansi:
        return _("16 colours, dark") if theme.dark else _("16 colours, light")
    return _("dark") if theme.dark else _("light")
