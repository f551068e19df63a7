"""Source lines: how far they are indented, and what they begin."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAB = 4
_LEADING = re.compile(r"[ \t]*")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+(.*))?\Z", re.DOTALL)
_HEADING_END = re.compile(r"(?:[ \t]+|\A)#+[ \t]*\Z")
_FENCE = re.compile(r"`{3,}(?=[^`]*\Z)|~{3,}")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})\Z")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*\Z")
_BULLET = re.compile(r"([-+*])(?=[ \t]|\Z)")
_NUMBER = re.compile(r"(\d{1,9})([.)])(?=[ \t]|\Z)", re.ASCII)
_HTML = re.compile(
    r"<(?:!--|/?(?:address|article|aside|base|blockquote|body|center|col|colgroup|dd|details|dialog|dir|div|dl|dt"
    r"|fieldset|figcaption|figure|footer|form|frame|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu"
    r"|nav|ol|optgroup|option|p|pre|script|section|style|summary|table|tbody|td|textarea|tfoot|th|thead|title"
    r"|tr|track|ul)(?=[\s/>]|\Z))",
    re.IGNORECASE,
)
_UNDECIDED = re.compile(
    r"[ \t]*[-+*_=>#|:`~ \t]{0,80}(?:\d{1,9}[.)]?)?[ \t]*(?:\[[ xX]?\]?)?[ \t]*\Z", re.ASCII
)
_FLOWING = re.compile(r"[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(?:\*\*)?[^\W_][^|]*\Z")


@dataclass(frozen=True, slots=True)
class ListItem:
    """A line that begins a list item.

    Attributes:
        kind: The bullet, or the delimiter behind the number.
        number: The number, or -1 for a bullet.
        offset: Columns to which the item's later lines are indented.
        rest: The line behind the marker.
    """

    kind: str
    number: int
    offset: int
    rest: str


def indent_of(text: str, column: int = 0) -> int:
    """Columns of white space at the start of ``text``, which stands at ``column``; tabs stop every 4."""
    leading = _LEADING.match(text)
    end = leading.end() if leading else 0
    if "\t" not in text[:end]:
        return end
    return len((" " * column + text[:end]).expandtabs(_TAB)) - column


def strip_columns(text: str, columns: int) -> str:
    """``text`` without ``columns`` columns of leading white space; what is left of a tab becomes spaces."""
    if text[:columns].isspace() and "\t" not in text[:columns]:
        return text[columns:]
    column = index = 0
    while index < len(text) and column < columns and text[index] in " \t":
        column += _TAB - column % _TAB if text[index] == "\t" else 1
        index += 1
    return " " * (column - columns) + text[index:]


def heading(body: str) -> tuple[int, str] | None:
    """Level and text of an ATX heading."""
    match = _HEADING.match(body)
    return (len(match[1]), _HEADING_END.sub("", match[2] or "").strip()) if match else None


def fence_marks(body: str) -> str:
    """The marks that open a fenced code block, or an empty text."""
    match = _FENCE.match(body)
    return match.group() if match else ""


def is_rule(body: str) -> bool:
    """Whether the line is a thematic break."""
    return _RULE.match(body) is not None


def underline(body: str) -> int:
    """Level of the setext heading that the line underlines, or 0."""
    if _UNDERLINE.match(body) is None:
        return 0
    return 1 if body[0] == "=" else 2


def is_html(body: str) -> bool:
    """Whether the line begins a block of HTML, which lasts until a blank line."""
    return _HTML.match(body) is not None


def quoted(text: str) -> str | None:
    """The line behind the mark of a block quote, or None if it has none."""
    indent = indent_of(text)
    body = text.lstrip(" \t")
    if indent >= _TAB or not body.startswith(">"):
        return None
    behind = body[1:]
    rest = behind.lstrip(" \t")
    if "\t" in behind[: len(behind) - len(rest)]:
        return " " * (indent_of(behind, indent + 1) - 1) + rest
    return behind.removeprefix(" ")


def list_item(text: str) -> ListItem | None:
    """The list item that the line begins."""
    indent = indent_of(text)
    body = text.lstrip(" \t")
    match = _BULLET.match(body) or _NUMBER.match(body)
    if match is None:
        return None
    width = indent + match.end()
    rest = body[match.end() :]
    spaces = indent_of(rest, width)
    if not rest.strip(" \t"):
        rest, spaces = "", 1
    else:
        spaces = spaces if spaces <= _TAB else 1
        rest = " " * (indent_of(rest, width) - spaces) + rest.lstrip(" \t")
    numbered = match.re is _NUMBER
    return ListItem(
        match[2] if numbered else match[1], int(match[1]) if numbered else -1, width + spaces, rest
    )


def is_undecided(text: str) -> bool:
    """Whether nothing but markup has arrived of a line, so that it may still become several things."""
    return _UNDECIDED.match(text) is not None


def is_flowing(text: str) -> bool:
    """Whether a line that begins so holds running text: it begins with a letter and has no bar of a table."""
    return _FLOWING.match(text) is not None
