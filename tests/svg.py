"""Pictures of a Textual app that are the same on every machine, and true where characters are wide."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from textual.app import App

_TEXT = re.compile(r'(<text [^>]*textLength=")([\d.]+)("[^>]*>)([^<]+)</text>')


def picture(app: App[None], title: str) -> str:
    """The screen as SVG: without the web fonts that Rich's template names, and with ids of its own for none.

    The ids' number is a checksum over the segments, which changes with what no eye sees.
    """
    svg = app.export_screenshot(title=title)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    if (checksum := re.search(r"\bterminal-\d+-", svg)) is not None:
        svg = svg.replace(checksum[0], "terminal-")
    svg = _TEXT.sub(_stretched, svg)
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


def _stretched(match: re.Match[str]) -> str:
    """A text with its true width: Rich's template counts characters, not cells."""
    length, text = float(match[2]), html.unescape(match[4])
    width = length / len(text) * cell_len(text)
    return f"{match[1]}{width:g}{match[3]}{match[4]}</text>"
