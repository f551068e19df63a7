"""From a theme file to Textual's theme and the transcript's colours, and the way to have none."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from rich.segment import Segment
from textual.filter import LineFilter
from textual.theme import Theme

if TYPE_CHECKING:
    from rich.style import Style
    from textual.color import Color

    from qwentui.store.theme_values import ThemeFile


_SELECTED = "4d"
"""How much of the accent lies over what is selected, in 255ths: 30 %."""


def textual_theme(file: ThemeFile, name: str = "") -> Theme:
    """The theme as Textual registers it, under `name` where its own is not to be used.

    Beside Textual's variables it has `$dim`, the colour of what is about the talk, `$dim-style`, the text
    style of that, and one for each role of the gauges: `$gauge-bar`.
    """
    colors = file.colors
    gauges = {f"gauge-{role}": color for role, color in msgspec.to_builtins(file.gauges).items()}
    return Theme(
        name=name or file.name,
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
        variables={
            "dim": colors.dim,
            "mark-style": "none",
            "text-disabled": colors.dim,
            # Textual's own shades hide the text of some themes.
            "input-selection-background": f"{colors.primary}{_SELECTED}",
            "screen-selection-background": f"{colors.primary}{_SELECTED}",
            "dim-style": "dim" if colors.dim == colors.foreground else "none",
            **gauges,
            # Textual takes colours through another colour space, and some come back a shade off.
            **(_ansi_variables(file) if file.ansi else msgspec.to_builtins(colors)),
        },
    )


def _ansi_variables(file: ThemeFile) -> dict[str, str]:
    """What Textual derives for other themes, or leaves undefined, where the colours are the terminal's own.

    Textual mixes no shades of them. What the cursor or the mouse marks is black on a bright colour or white
    on a deep one, which any scheme keeps apart; what is marked in an input is reversed by the style sheets,
    from a colour on none. Where there are no colours, what is marked is reversed; Textual's lists cannot do
    that, and underline it.
    """
    colors = file.colors
    plain = colors.primary == colors.foreground
    upon = "ansi_black" if file.dark else "ansi_bright_white"
    back, fore = (colors.background, colors.foreground) if plain else (colors.primary, upon)
    variables = {"panel": colors.panel, "ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}
    # While a filter has the keys, the list's cursor is blurred, and still what Enter takes.
    for name in ("block-cursor", "block-cursor-blurred"):
        variables |= {
            f"{name}-background": back,
            f"{name}-foreground": fore,
            f"{name}-text-style": "bold underline" if plain else "none",
        }
    return variables | {
        "screen-selection-background": back,
        "screen-selection-foreground": fore,
        "mark-style": "reverse" if plain else "none",
        "input-selection-background": colors.background,
        "input-selection-foreground": colors.primary,
    }


def palette_colors(file: ThemeFile) -> dict[str, str]:
    """The transcript's colours by role, as Rich names them."""
    colors, code = file.colors, file.code
    roles = {
        "text": colors.foreground,
        "dim": colors.dim,
        "accent": colors.primary,
        "code": colors.accent,
        "warning": colors.warning,
        "error": colors.error,
        "keyword": code.keyword,
        "builtin": code.builtin,
        "string": code.string,
        "number": code.number,
        "comment": code.comment,
        "operator": code.operator,
        "function": code.function,
        "class_name": code.type,
        "inserted": code.inserted,
        "deleted": code.deleted,
    }
    return {role: color.removeprefix("ansi_") for role, color in roles.items()}


class Uncolored(LineFilter):
    """Takes every colour off what is drawn and leaves bold, faint, italic, underline and reverse."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """The segments without colours."""
        return [
            Segment(text, None if style is None else _uncolored(style), control)
            for text, style, control in segments
        ]


@lru_cache(1024)
def _uncolored(style: Style) -> Style:
    return style.without_color
