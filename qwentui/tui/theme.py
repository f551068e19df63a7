"""From a theme file to Textual's theme and the transcript's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.theme import Theme

if TYPE_CHECKING:
    from qwentui.store.themes import ThemeFile


def textual_theme(file: ThemeFile) -> Theme:
    """The theme as Textual registers it; `$dim` is the colour of what is about the talk."""
    colors = file.colors
    return Theme(
        name=file.name,
        primary=colors.primary,
        secondary=colors.secondary,
        accent=colors.accent,
        foreground=colors.foreground,
        background=colors.background,
        surface=colors.surface,
        panel=colors.panel,
        success=colors.success,
        warning=colors.warning,
        error=colors.error,
        dark=file.dark,
        ansi=file.ansi,
        variables={"dim": colors.dim, **(_ansi_variables(file) if file.ansi else {})},
    )


def _ansi_variables(file: ThemeFile) -> dict[str, str]:
    """What Textual derives for other themes, or leaves undefined, where the colours are the terminal's own.

    Textual mixes no shades of them. What the cursor or the mouse marks is black on a colour, which any scheme
    keeps apart; what is marked in an input is reversed by the style sheets, from a colour on none.
    """
    colors = file.colors
    variables = {"panel": colors.panel, "ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}
    for name in ("block-cursor", "screen-selection"):
        variables |= {f"{name}-background": colors.primary, f"{name}-foreground": "ansi_black"}
    variables |= {
        "input-selection-background": colors.background,
        "input-selection-foreground": colors.primary,
    }
    return variables


def palette_colors(file: ThemeFile) -> dict[str, str]:
    """The transcript's colours by role, as Rich names them."""
    colors, code = file.colors, file.code
    roles = {
        "text": colors.foreground,
        "dim": colors.dim,
        "accent": colors.primary,
        "code": colors.accent,
        "keyword": code.keyword,
        "builtin": code.builtin,
        "string": code.string,
        "number": code.number,
        "comment": code.comment,
        "function": code.function,
        "class_name": code.type,
        "inserted": colors.success,
        "deleted": colors.error,
    }
    return {role: color.removeprefix("ansi_") for role, color in roles.items()}
