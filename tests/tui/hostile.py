"""Text that tries to command a terminal, to reorder or to hide; and the same text with nothing in it that does.

In each sequence stands LEAK or 6666, so that it is known again whatever became of it.
"""

from __future__ import annotations

import html
import re

SEQUENCES = (
    "\x1b]0;LEAK\x07",
    "\x1b]2;LEAK\x1b\\",
    "\x1b]8;;http://LEAK\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;TEVBSw==\x07",
    "\x1b]1337;LEAK\x07",
    "\x1b[6666;1H",
    "\x1b[31;6666m",
    "\x1b[?6666h",
    "\x1b[6666J",
    "\x1b[6666$p",
    "\x1b[>6666u",
    "\x1bPqLEAK\x1b\\",
    "\x1b_GLEAK\x1b\\",
    "\x1b^LEAK\x1b\\",
    "\x1bXLEAK\x1b\\",
    "\x1bc",
    "\x1b(0",
    "\x1b#8",
    "\x1bN",
    "\x1b=",
    "\x9b6666m",
    "\x9d0;LEAK\x9c",
    "\x90qLEAK\x9c",
    "\x9fLEAK\x9c",
    "\x1b[\x1b]0;LEAK",
)
CONTROLS = "".join(map(chr, (*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0))))
HIDDEN = "".join(
    map(
        chr,
        (
            *(0xAD, 0x034F, 0x061C, 0x115F, 0x1160, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x3164),
            *range(0x202A, 0x202F),
            *range(0x2060, 0x2070),
            *(0xFE00, 0xFE0E, 0xFEFF, 0xFFA0, 0xFFF9, 0xFFFA, 0xFFFB),
            *(0xE0001, 0xE0020, 0xE0041, 0xE007F, 0xE0100),
        ),
    )
)
JOINERS = "\u200c\u200d\ufe0f"
"""Characters that belong between letters of some scripts and emoji, and nowhere in this text."""

FORBIDDEN = re.compile(f"[{re.escape(CONTROLS + HIDDEN + JOINERS)}\ud800-\udfff]")
"""What may not be among the characters that a terminal prints."""

MARKED = re.compile("LEAK|6666")
"""What a sequence that got through would be known by."""

_ENTITY = re.compile("&#[^;]+;")
_PIECE = 200


def pieces(limit: int = _PIECE, *, joiners: bool = True) -> list[str]:
    """All of it, in lines of at most about `limit` characters."""
    lines = [""]
    singles = CONTROLS + HIDDEN + (JOINERS if joiners else "")
    for unit in (*SEQUENCES, *(f"a{character}b" for character in singles)):
        if len(lines[-1]) + len(unit) > limit:
            lines.append("")
        lines[-1] += unit
    return lines


def harmless(text: str) -> str:
    """The same with a letter in the place of each character that may not pass, and of each entity."""
    return FORBIDDEN.sub("x", _ENTITY.sub("&amp;", text)).replace("6666", "1").replace("LEAK", "leak")


def markdown() -> str:
    """All of it in every place of a Markdown text, as it is and as entities."""
    lines = pieces()
    codes = sorted({ord(character) for character in CONTROLS + HIDDEN + JOINERS})
    entities = "".join(f"a&#{code};&#x{code:x};b" for code in codes)
    written = "".join(f"&#{ord(character)};" for character in "\x1b]0;LEAK\x07\x9b6666m\u202e")
    blocks = [*lines, entities, written]
    for text in (*lines, written):
        flat = text.replace("\u2028", "").replace("\u2029", "").replace("\x0b", "").replace("\x0c", "")
        blocks += [
            f"# {flat}",
            f"- [ ] {flat}\n  1. **{flat}** *{flat}*",
            f"> {flat}",
            f"`{flat}` [{flat}](http://a/{html.escape(written)}) [x](<http://a/{flat}> '{flat}') <http://a/{written}>",
            f"![{flat}]({written})\n\n[one]: http://a/{written} '{flat}'\n\n[one] [{flat}][one]",
            f"| {flat} | b |\n|---|---|\n| {flat} | {written} |",
            f"```{flat}\n{text}\n{flat}\n```\n```python {written}\nx = '{flat}'  # {flat}\n```",
            f"    {flat}",
            f"<b {flat}>{flat}</b>",
        ]
    return "\n\n".join(blocks)
