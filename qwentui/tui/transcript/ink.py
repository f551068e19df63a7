"""Runs and code tokens become segments that share their ``Style`` objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment

from qwentui.tui.transcript import inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style

    from qwentui.tui.transcript.palette import Palette

Row = tuple[Segment, ...]
TokenType = tuple[str, ...]
"""A pygments token type, which is a tuple of names: ``("Name", "Function")``."""


class Ink:
    """The styles of one palette, mixed when first asked for and shared from then on."""

    __slots__ = ("_mixed", "_tokens", "palette")

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._mixed: dict[Style, dict[int, Style]] = {}
        self._tokens = _token_styles(palette)

    def draw(self, runs: Iterable[inline.Run], base: Style, before: Sequence[Segment] = ()) -> Row:
        """Segments of ``runs`` over the style ``base``, put behind ``before``."""
        styles = self._mixed.setdefault(base, {})
        row = list(before)
        for text, flags in runs:
            style = styles.get(flags)
            if style is None:
                style = styles[flags] = self._mix(base, flags)
            if row and row[-1].style is style:
                row[-1] = Segment(row[-1].text + text, style)
            else:
                row.append(Segment(text, style))
        return tuple(row)

    def draw_code(self, tokens: Iterable[tuple[TokenType, str]], before: Sequence[Segment] = ()) -> Row:
        """Segments of highlighted code, put behind ``before``."""
        row = list(before)
        for kind, text in tokens:
            style = self._tokens[kind] if kind in self._tokens else self._token(kind)
            if row and row[-1].style is style:
                row[-1] = Segment(row[-1].text + text, style)
            else:
                row.append(Segment(text, style))
        return tuple(row)

    def _token(self, kind: TokenType) -> Style:
        """The style of the nearest ancestor of ``kind`` that has one."""
        parent = kind[:-1]
        style = self._tokens[parent] if parent in self._tokens else self._token(parent)
        self._tokens[kind] = style
        return style

    def _mix(self, base: Style, flags: int) -> Style:
        palette = self.palette
        layers = (
            (inline.LINK, palette.link),
            (inline.EMPHASIS, palette.emphasis),
            (inline.STRONG, palette.strong),
            (inline.STRIKE, palette.strike),
            (inline.CODE, palette.code),
            (inline.URL, palette.link_url),
            (inline.HTML, palette.html),
        )
        style = base
        for flag, layer in layers:
            if flags & flag:
                style += layer
        return style


def _token_styles(palette: Palette) -> dict[TokenType, Style]:
    return {
        (): palette.code_block,
        ("Keyword",): palette.keyword,
        ("Keyword", "Constant"): palette.constant,
        ("Keyword", "Type"): palette.class_name,
        ("Name", "Builtin"): palette.builtin,
        ("Name", "Function"): palette.function,
        ("Name", "Decorator"): palette.function,
        ("Name", "Class"): palette.class_name,
        ("Name", "Exception"): palette.class_name,
        ("Name", "Namespace"): palette.class_name,
        ("Name", "Constant"): palette.constant,
        ("Name", "Tag"): palette.tag,
        ("Name", "Attribute"): palette.function,
        ("Name", "Variable"): palette.builtin,
        ("Literal", "String"): palette.string,
        ("Literal", "Number"): palette.number,
        ("Literal", "Date"): palette.number,
        ("Comment",): palette.comment,
        ("Comment", "Preproc"): palette.keyword,
        ("Operator",): palette.operator,
        ("Operator", "Word"): palette.keyword,
        ("Generic", "Inserted"): palette.inserted,
        ("Generic", "Deleted"): palette.deleted,
        ("Generic", "Heading"): palette.keyword,
        ("Generic", "Subheading"): palette.function,
        ("Generic", "Prompt"): palette.comment,
    }
