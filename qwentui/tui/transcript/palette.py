"""The styles of the transcript by role: what a theme decides about Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from rich.style import Style


@dataclass(frozen=True, slots=True)
class Palette:
    """One rich ``Style`` for each role that text can play in a transcript.

    Inline roles (``emphasis`` to ``link_url``) are laid over the role of their block, so they name only
    what they change. No style may carry a link: addresses are shown as text.

    Attributes:
        text: Running prose.
        dim: What is about the text and not part of it.
        heading1: Headings of level 1; ``heading2`` to ``heading6`` follow.
        emphasis: ``*one star*``.
        strong: ``**two stars**``.
        strike: ``~~two tildes~~``.
        code: Inline code.
        code_block: Text of a code block that no token class below covers.
        code_bar: The bar at the left of a code block, and its info line.
        quote_bar: The bar at the left of a block quote.
        bullet: Marks of list items, task boxes and numbers.
        rule: A thematic break.
        link: The text of a link or an image.
        link_url: The address of a link.
        table_border: Lines between the columns and under the head of a table.
        table_head: Cells of a table's head.
        html: Raw HTML, shown as written.
        warning: A notice that deserves a look.
        error: A notice of what went wrong.
        keyword: Code tokens by class, as are all that follow.
    """

    text: Style
    dim: Style
    heading1: Style
    heading2: Style
    heading3: Style
    heading4: Style
    heading5: Style
    heading6: Style
    emphasis: Style
    strong: Style
    strike: Style
    code: Style
    code_block: Style
    code_bar: Style
    quote_bar: Style
    bullet: Style
    rule: Style
    link: Style
    link_url: Style
    table_border: Style
    table_head: Style
    html: Style
    warning: Style
    error: Style
    keyword: Style
    builtin: Style
    string: Style
    number: Style
    comment: Style
    operator: Style
    function: Style
    class_name: Style
    constant: Style
    tag: Style
    inserted: Style
    deleted: Style

    @classmethod
    def from_colors(
        cls,
        *,
        text: str | None = None,
        dim: str = "bright_black",
        accent: str = "cyan",
        code: str = "yellow",
        warning: str = "yellow",
        error: str = "red",
        keyword: str = "magenta",
        builtin: str = "cyan",
        string: str = "green",
        number: str = "yellow",
        comment: str = "bright_black",
        operator: str | None = None,
        function: str = "blue",
        class_name: str = "yellow",
        inserted: str = "green",
        deleted: str = "red",
    ) -> Self:
        """Builds a palette from a few colours; without arguments from the terminal's own sixteen.

        A colour is what rich takes for one (a name, ``#rrggbb``). ``text`` None leaves prose to what it is
        drawn on, ``dim`` is for bars, lines and addresses (written faint where it is no other colour than
        ``text``), ``accent`` for headings, bullets and links, and
        ``keyword`` to ``deleted`` are for tokens of code.

        Raises:
            rich.color.ColorParseError: A name is no colour that rich knows.
        """
        return cls(
            **_prose(text, dim, accent, code),
            warning=Style(color=warning),
            error=Style(color=error),
            keyword=Style(color=keyword),
            builtin=Style(color=builtin),
            string=Style(color=string),
            number=Style(color=number),
            comment=Style(color=comment, italic=True),
            operator=Style(color=operator or text),
            function=Style(color=function),
            class_name=Style(color=class_name),
            constant=Style(color=number),
            tag=Style(color=keyword),
            inserted=Style(color=inserted),
            deleted=Style(color=deleted),
        )

    def heading(self, level: int) -> Style:
        """The style of a heading of ``level`` 1 to 6."""
        headings = (self.heading1, self.heading2, self.heading3, self.heading4, self.heading5, self.heading6)
        return headings[level - 1]


def _prose(text: str | None, dim: str, accent: str, code: str) -> dict[str, Style]:
    """The styles of everything but code tokens, by their field."""
    quiet = Style(color=dim, dim=dim == text or None)
    accented = Style(color=accent)
    plain = Style(color=text)
    return {
        "text": plain,
        "dim": quiet,
        "heading1": Style(color=accent, bold=True, underline=True),
        "heading2": Style(color=accent, bold=True),
        "heading3": Style(color=accent, bold=True),
        "heading4": Style(color=text, bold=True),
        "heading5": Style(color=text, bold=True, italic=True),
        "heading6": Style(color=dim, bold=True),
        "emphasis": Style(italic=True),
        "strong": Style(bold=True),
        "strike": Style(strike=True),
        "code": Style(color=code),
        "code_block": plain,
        "code_bar": quiet,
        "quote_bar": quiet,
        "bullet": accented,
        "rule": quiet,
        "link": accented,
        "link_url": quiet,
        "table_border": quiet,
        "table_head": Style(color=text, bold=True),
        "html": quiet,
    }
