"""The themes that come along can be read: contrast by WCAG 2, in all colours, in 256, and in a terminal's 16."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from rich._palettes import EIGHT_BIT_PALETTE
from rich.color import Color, ColorSystem
from textual.app import App
from textual.color import Color as Mixed
from textual.filter import dim_color

from qwentui.store.paths import shipped
from qwentui.store.themes import load_themes
from qwentui.tui.theme import textual_theme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.store.theme_values import ThemeFile

THEMES = load_themes([shipped("themes")]).kept
TEXT, MARK = 4.5, 3.0
MARKS = {"dim", "comment", "label", "bar", "plot"}
SURFACES = {"background", "surface", "panel", "empty"}

# What xterm shows for the terminal's own colours unless it is told otherwise.
XTERM = [
    "#000000",
    "#cd0000",
    "#00cd00",
    "#cdcd00",
    "#0000ee",
    "#cd00cd",
    "#00cdcd",
    "#e5e5e5",
    "#7f7f7f",
    "#ff0000",
    "#00ff00",
    "#ffff00",
    "#5c5cff",
    "#ff00ff",
    "#00ffff",
    "#ffffff",
]

Triplet = tuple[int, int, int]


def luminance(color: Triplet) -> float:
    """Relative luminance as WCAG 2 defines it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Triplet, other: Triplet) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def rgb(color: str, system: ColorSystem = ColorSystem.TRUECOLOR) -> Triplet:
    """A colour as a terminal of so many colours shows it."""
    shown = Color.parse(color).downgrade(system)
    triplet = shown.triplet or EIGHT_BIT_PALETTE[shown.number or 0]
    return triplet.red, triplet.green, triplet.blue


def inks(theme: ThemeFile) -> Iterator[tuple[str, str]]:
    for table in (theme.colors, theme.code, theme.gauges):
        for role, color in msgspec.to_builtins(table).items():
            if role not in SURFACES:
                yield role, color


def least(role: str, theme: ThemeFile) -> float:
    if theme.name == "qwentui-contrast":
        return 7.0
    return MARK if role in MARKS else TEXT


RGB = [theme for theme in THEMES if not theme.ansi]
ANSI = [theme for theme in THEMES if theme.ansi]


def test_the_measure_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((0x77, 0x77, 0x77), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT], ids=["all", "256"])
@pytest.mark.parametrize("theme", RGB, ids=lambda theme: theme.name)
def test_everything_can_be_read_on_its_background(theme: ThemeFile, system: ColorSystem) -> None:
    back = rgb(theme.colors.background, system)
    weak = {
        role: round(found, 2)
        for role, color in inks(theme)
        if (found := contrast(rgb(color, system), back)) < least(role, theme)
    }
    assert weak == {}


@pytest.mark.parametrize("theme", RGB, ids=lambda theme: theme.name)
def test_everything_can_be_read_on_a_panel(theme: ThemeFile) -> None:
    panel = theme.colors.panel
    exact = {role: contrast(rgb(color), rgb(panel)) for role, color in inks(theme)}
    assert {role for role, found in exact.items() if found < (MARK if role in MARKS else TEXT)} == set()
    system = ColorSystem.EIGHT_BIT
    nearest = {role: contrast(rgb(color, system), rgb(panel, system)) for role, color in inks(theme)}
    assert {role for role, found in nearest.items() if found < MARK} == set()


@pytest.mark.parametrize("theme", ANSI, ids=lambda theme: theme.name)
def test_sixteen_colours_can_be_read_as_xterm_shows_them(theme: ThemeFile) -> None:
    back, fore = ((0, 0, 0), (255, 255, 255))[:: 1 if theme.dark else -1]

    def shown(color: str) -> Triplet:
        name = color.removeprefix("ansi_")
        return fore if name == "default" else rgb(XTERM[Color.parse(name).number or 0])

    # Magenta on white has 4.2.
    assert {role for role, color in inks(theme) if contrast(shown(color), back) < MARK + 1} <= MARKS
    assert {role for role, color in inks(theme) if contrast(shown(color), back) < MARK} == set()


@pytest.mark.parametrize("theme", RGB, ids=lambda theme: theme.name)
def test_what_textual_mixes_of_a_theme_can_be_read(theme: ThemeFile) -> None:
    """Faint text on a panel, the cursor of a list, what is selected."""
    variables = App[None]().theme_variables | textual_theme(theme).to_color_system().generate()
    panel, fore = Mixed.parse(theme.colors.panel), Mixed.parse(theme.colors.foreground)
    faint = dim_color(panel.rich_color, fore.rich_color).triplet
    assert faint is not None
    assert contrast((faint.red, faint.green, faint.blue), panel.rgb) >= MARK
    for name in ("block-cursor-blurred", "input-selection", "screen-selection"):
        for back in (theme.colors.background, theme.colors.panel):
            marked = Mixed.parse(back) + Mixed.parse(variables[f"{name}-background"])
            assert contrast(fore.rgb, marked.rgb) >= TEXT, name
