"""`@path` in what a user writes: where a file may be meant, and how that may be read.

Whether there is such a file decides what is meant, so each `@` gives its readings, the longest first. An `@`
counts at the beginning of a word only: behind a space, an opening bracket, a Chinese or Japanese character,
for those languages have no spaces; so a mail address is none, nor a package in quotes. A path with spaces
stands in quotes, or its spaces behind backslashes, as in a shell.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_AT = re.compile(
    r"(?:(?<!.)|(?<=[\s(\[{])|(?<=[\u2014-\u2026\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]))@",
    re.MULTILINE,
)
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\[^\n])+)"|\'([^\'\n]+)\'')
_OPEN_QUOTE = re.compile(r'"((?:[^"\\\n]|\\[^\n])*)')
_BARE = re.compile(r"(?:[^\s\\]|\\[^\n])+")
_ESCAPED = re.compile(r"\\(.)")
_CLOSING = ".,;:!?)]}>'\"`，。；：！？）】》」』、…”’"
_WIDE = re.compile(r"[\u2018-\u201d\u2026\u3001-\u3011\uff01-\uff0f\uff1a-\uff20]")
_SUFFIX_THEN_WIDE = re.compile(r"\.[A-Za-z0-9]{1,8}(?=[^\x00-\x7f])")
_NO_PATH = re.compile(r"[()\"'`=,;:<>{}|*?]")
_TO_QUOTE = re.compile(r"[\s\\\"']|[" + re.escape(_CLOSING) + r"]\Z")
_KNOWN_SUFFIXES = frozenset(
    (
        *("bash", "c", "cc", "cfg", "conf", "cpp", "cs", "css", "csv", "diff", "docx", "gif", "go", "h"),
        *("hpp", "html", "ini", "ipynb", "java", "jpeg", "jpg", "js", "json", "jsonl", "jsx", "kt", "log"),
        *("lua", "md", "patch", "pdf", "php", "pl", "png", "ps1", "py", "r", "rb", "rs", "rst", "scala"),
        *("sh", "sql", "svg", "swift", "tex", "toml", "ts", "tsv", "tsx", "txt", "vue", "webp", "xlsx"),
        *("xml", "yaml", "yml", "zsh"),
    )
)


_LONGEST = 4096
"""Characters of a path that is completed; Linux takes no longer ones (`PATH_MAX`)."""


class Reading(NamedTuple):
    """One way to read an `@` in a text: characters up to `end` mean `path`."""

    end: int
    path: str


def readings(text: str) -> Iterator[tuple[int, tuple[Reading, ...]]]:
    """Each place of an `@` that may mean a file, and how it can be read, the longest reading first."""
    for match in _AT.finditer(text):
        start = match.end()
        if (quoted := _QUOTED.match(text, start)) is not None:
            path = quoted[2] or _unescaped(quoted[1])
            yield start - 1, (Reading(quoted.end(), path),)
        elif (bare := _BARE.match(text, start)) is not None:
            yield start - 1, tuple(_bare_readings(bare[0], start))


def _bare_readings(word: str, start: int) -> Iterator[Reading]:
    """The word whole, without punctuation at its end, and as far as a sentence in Chinese lets it go."""
    shorter = [word, word.rstrip(_CLOSING)]
    if (wide := _WIDE.search(word)) is not None:
        shorter.append(word[: wide.start()])
    if (suffix := _SUFFIX_THEN_WIDE.search(word)) is not None:
        shorter.append(word[: suffix.end()])
    for reading in sorted(dict.fromkeys(filter(None, shorter)), key=len, reverse=True):
        yield Reading(start + len(reading), _unescaped(reading))


class Typed(NamedTuple):
    """A path that is being written: the column of its `@`, and how far it has come."""

    start: int
    path: str


def typed(line: str, column: int) -> Typed | None:
    """The path that is being written where the cursor stands in a line; None where none is."""
    start = line.rfind("@", 0, column)
    if start < 0 or column - start > _LONGEST or _AT.match(line, start) is None:
        return None
    written = line[start + 1 : column]
    if written[:1] == '"':
        open_quote = _OPEN_QUOTE.fullmatch(written)
        return None if open_quote is None else Typed(start, _unescaped(open_quote[1]))
    if written and _BARE.fullmatch(written) is None:
        return None
    return Typed(start, _unescaped(written))


def path_of(written: str) -> str:
    """The path that stands alone in `written`, quoted or not."""
    whole = _QUOTED.fullmatch(written)
    if whole is not None:
        return whole[2] or _unescaped(whole[1])
    return _unescaped(written) if _BARE.fullmatch(written) else written


def looks_like_path(path: str) -> bool:
    """Whether a word that names no file was probably meant to: it has a slash, or a suffix of files."""
    if _NO_PATH.search(path):
        return False
    return "/" in path or ("." in path and path.rpartition(".")[2].lower() in _KNOWN_SUFFIXES)


def mention_of(path: str) -> str:
    """`path` as it is written behind an `@`, quoted where it must be, the `@` included."""
    if not _TO_QUOTE.search(path):
        return f"@{path}"
    escaped = re.sub(r'(["\\])', r"\\\1", path)
    return f'@"{escaped}"'


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
