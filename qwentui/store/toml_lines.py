"""Where in a TOML file a key stands: the parser tells only what it found there."""

from __future__ import annotations

import re

_HEADING = re.compile(r"\s*\[\s*([^\[\]#]+?)\s*\]")
_KEY = re.compile(r"\s*([^=#\[\]]+?)\s*=")
_LONG_TEXT = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'', re.DOTALL)


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """The line at which a key is stated, from 1; 0 where TOML was written too cleverly for a look at it."""
    # What stands in a text of several lines is no key, whatever it looks like.
    text = _LONG_TEXT.sub(lambda found: "\n" * found[0].count("\n"), text)
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        if heading := _HEADING.match(line):
            table = _bare(heading[1])
            if (table,) == keys:
                return number
        elif key := _KEY.match(line):
            stated = ".".join(part for part in (table, _bare(key[1])) if part)
            if stated == ".".join(keys) or (stated == keys[0] and "{" in line):
                return number
    return 0


def _bare(key: str) -> str:
    return re.sub(r"[\s\"']", "", key)
