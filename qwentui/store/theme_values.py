"""What a theme is: a colour for each role, and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


class Colors(msgspec.Struct, frozen=True, kw_only=True):
    """The roles of the interface, each "#rrggbb" or one of the terminal's own ("ansi_blue", "ansi_default").

    `primary` is for headings, links and marks, `accent` for inline code, `panel` for what lies over the talk,
    `dim` for what is about the talk and not part of it.
    """

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


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """The colours of highlighted code, by class of token; the last two are the lines of a patch."""

    keyword: str
    string: str
    number: str
    comment: str
    function: str
    type: str
    operator: str
    builtin: str
    inserted: str
    deleted: str


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """The colours of the last line and of the panel that shows it in full.

    `empty` is the rest of a `bar`; `critical` is for what is wrong, `warning` for what soon will be.
    """

    value: str
    label: str
    bar: str
    empty: str
    warning: str
    critical: str
    plot: str


class ThemeFile(msgspec.Struct, frozen=True, kw_only=True):
    """One theme.

    Attributes:
        name: What it is called: its file's name.
        path: The file.
        dark: Whether text is light on dark.
        ansi: Whether it uses the terminal's own 16 colours.
        colors: The interface.
        code: Highlighted code.
        gauges: The gauges.
        warnings: A sentence for each key that is unknown.
    """

    name: str
    path: Path
    dark: bool
    ansi: bool
    colors: Colors
    code: Code
    gauges: Gauges
    warnings: tuple[str, ...] = ()


TABLES: dict[str, type[msgspec.Struct]] = {"colors": Colors, "code": Code, "gauges": Gauges}
"""The tables of a file."""

SWITCHES = ("dark", "ansi")
"""What a file says of itself, true or false."""

ANSI = (
    "ansi_default",
    *(
        f"ansi_{shade}{name}"
        for shade in ("", "bright_")
        for name in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
    ),
)
"""The terminal's own colours."""
