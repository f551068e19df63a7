"""A command's help as text: what click makes of it, and Chinese wrapped by the cells that it takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable

_NARROWEST = 10


class HelpFormatter(click.HelpFormatter):
    """Lays out a help; what is ASCII is left to click."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line of usage."""
        super().write_usage(prog, args, _("Usage:") + " " if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """The heading of a part."""
        known = {"Options": _("Options"), "Commands": _("Commands")}
        super().write_heading(known.get(heading, heading))

    def write_text(self, text: str) -> None:
        """Paragraphs with a blank line between them."""
        if text.isascii():
            super().write_text(text)
            return
        indent = " " * self.current_indent
        paragraphs = (_wrapped(part, self.width - self.current_indent) for part in text.split("\n\n"))
        self.write("\n\n".join("\n".join(indent + line for line in lines) for lines in paragraphs) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Names, and what each is."""
        rows = list(rows)
        if all(meaning.isascii() for _name, meaning in rows):
            super().write_dl(rows, col_max, col_spacing)
            return
        column = min(max(len(name) for name, _meaning in rows), col_max) + col_spacing
        indent = " " * (self.current_indent + column)
        for name, meaning in rows:
            start = " " * self.current_indent + name
            if len(name) > column - col_spacing:
                self.write(f"{start}\n")
                start = ""
            first, *others = _wrapped(meaning, max(self.width - column - 2, _NARROWEST)) or [""]
            self.write(
                "\n".join([start.ljust(len(indent)) + first, *(indent + line for line in others)]) + "\n"
            )


def with_default(text: str) -> str:
    """The help of an option, which may end with its default in brackets."""

    def said(found: re.Match[str]) -> str:
        return "  [" + _("default: {default}").format(default=found[1])

    return re.sub(r"  \[default: ([^];]*)", said, text)


def _wrapped(paragraph: str, width: int) -> list[str]:
    """The lines of a paragraph, none wider than `width` cells."""
    from qwentui.tui.transcript.wrap import is_cjk, wrapped

    text = ""
    for line in paragraph.splitlines():
        joint = " " if text and not (is_cjk(text[-1]) and is_cjk(line[:1])) else ""
        text += joint + line.strip()
    return wrapped(text, width).split("\n") if text else []
