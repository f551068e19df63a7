"""What a theme does not state, from what it does: a file of three colours is a whole theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from qwentui.store.theme_values import Colors

if TYPE_CHECKING:
    from collections.abc import Callable

_PANEL, _DIM = 0.09, 0.62
"""How far from the background towards the foreground these lie."""

_FROM_COLORS = {
    "code": {
        "keyword": "accent",
        "string": "success",
        "number": "warning",
        "comment": "dim",
        "function": "primary",
        "type": "secondary",
        "operator": "foreground",
        "builtin": "primary",
        "inserted": "success",
        "deleted": "error",
    },
    "gauges": {
        "value": "foreground",
        "label": "dim",
        "bar": "success",
        "empty": "background",
        "warning": "warning",
        "critical": "error",
        "plot": "primary",
    },
}
"""The role of the interface whose colour a role of code or gauges takes."""


def filled(stated: dict[str, dict[str, str]], base: Callable[[], Colors]) -> dict[str, dict[str, str]]:
    """All roles, where `stated` has some.

    Args:
        stated: Colours by table and role.
        base: Gives the colours of a whole theme of the same kind; called when one of them is needed.
    """
    colors = _filled_colors(stated["colors"], base)
    derived = {
        table: {role: colors[source] for role, source in roles.items()}
        for table, roles in _FROM_COLORS.items()
    }
    return {"colors": colors, **{table: roles | stated[table] for table, roles in derived.items()}}


def _filled_colors(given: dict[str, str], base: Callable[[], Colors]) -> dict[str, str]:
    if len(given) == len(Colors.__struct_fields__):
        return given
    below: dict[str, str] = msgspec.to_builtins(base())
    colors = {role: given.get(role, below[role]) for role in ("primary", "foreground", "background")}
    back, fore = colors["background"], colors["foreground"]
    derived: dict[str, str | None] = {}
    if "primary" in given:
        derived |= {"secondary": colors["primary"], "accent": colors["primary"]}
    if "background" in given:
        derived["surface"] = back
    if "background" in given or "foreground" in given:
        derived |= {"panel": _mixed(back, fore, _PANEL), "dim": _mixed(back, fore, _DIM)}
    # Success, warning and error mean something: what is not stated is green, amber and red as ever.
    return below | {role: color for role, color in derived.items() if color} | colors | given


def is_dark(background: str) -> bool:
    """Whether light text reads better on a colour; one of the terminal's own is taken for dark."""
    rgb = _rgb(background)
    # The weights of Rec. 709, which stand for brightness well enough to tell day from night.
    return rgb is None or 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2] < 128  # noqa: PLR2004 - half of 255


def _mixed(start: str, end: str, share: float) -> str | None:
    """The colour that lies `share` of the way from one to the other; None where one is the terminal's own."""
    first, last = _rgb(start), _rgb(end)
    if first is None or last is None:
        return None
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(first, last, strict=True))


def _rgb(color: str) -> tuple[int, int, int] | None:
    if not color.startswith("#"):
        return None
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
