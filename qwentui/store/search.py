"""Finding words in everything that was said, in any language.

A query has no syntax: it is words between blanks, each of which has to occur, anywhere and in either case. A
word of three or more characters is looked up by its trigrams. A shorter one, as half of all Chinese words
are, is a range of the index's trigrams, for each character of a text begins one. The range of a rare word is
small and names the candidates. A common word's is huge; but what is common turns up among the newest
messages, and those are read first. The text itself decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from qwentui.chat.message import Role

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_TRIGRAM = 3
_MOST_TRIGRAMS = 32
_WINDOW = 2000
_FEW = 2000
_AROUND = 80
_SENTENCE_END = re.compile(r"(?<=[。！？!?…\n])|(?<=\.)\s")


@dataclass(frozen=True, slots=True)
class Hit:
    """A message, or a session's title (`message` is None), that holds every word of a query.

    `snippet` is one line of the sentence around the first match, `matches` the places of all words in it, as
    pairs of start and end. `created_at` is in seconds since 1970.
    """

    session: str
    title: str
    message: int | None
    role: Role | None
    created_at: float
    snippet: str
    matches: tuple[tuple[int, int], ...]


def words(query: str) -> tuple[str, ...]:
    """The words of a query, each once, the longest first."""
    clean = query.encode("utf-8", "replace").decode().replace("\0", " ")
    return tuple(sorted(dict.fromkeys(clean.split()), key=len, reverse=True))


def search(connection: sqlite3.Connection, query: str, limit: int) -> tuple[Hit, ...]:
    """At most `limit` hits: titles first, then messages, the newest ones first.

    Raises:
        sqlite3.Error: The store cannot be read.
    """
    if not (wanted := words(query)):
        return ()
    patterns = [re.compile(re.escape(word), re.IGNORECASE) for word in wanted]
    titles = tuple(islice(_titles(connection, wanted, patterns), limit))
    # Ids follow the time of writing; only what was imported is older than its id says.
    messages = islice(_messages(connection, wanted, patterns), limit - len(titles))
    return *titles, *sorted(messages, key=lambda hit: hit.created_at, reverse=True)


def title_pattern(query: str) -> str:
    """A LIKE pattern (escaped by a backslash) that every title which `holds` the query's words matches.

    It spares most titles the slower `holds`. SQLite's LIKE knows the case of ASCII letters only, so for a
    word in another script that has cases it lets everything pass.
    """
    longest = max(query.split(), key=len, default="")
    if not longest.isascii() and longest.lower() != longest.upper():
        return "%"
    return "%" + re.sub(r"([%_\\])", r"\\\1", longest) + "%"


def _titles(
    connection: sqlite3.Connection, wanted: tuple[str, ...], patterns: list[re.Pattern[str]]
) -> Iterator[Hit]:
    rows = connection.execute(
        "SELECT id, title, updated_at FROM sessions"
        " WHERE deleted_at IS NULL AND head IS NOT NULL AND title LIKE ? ESCAPE '\\' AND holds(title, ?)"
        " ORDER BY updated_at DESC",
        (title_pattern(" ".join(wanted)), " ".join(wanted)),
    )
    for row in rows:
        snippet, matches = _snippet(row["title"], patterns)
        yield Hit(row["id"], row["title"], None, None, row["updated_at"] / 1000, snippet, matches)


def _messages(
    connection: sqlite3.Connection, wanted: tuple[str, ...], patterns: list[re.Pattern[str]]
) -> Iterator[Hit]:
    for row in _candidates(connection, wanted):
        content = row["content"]
        if all(pattern.search(content) for pattern in patterns):
            snippet, matches = _snippet(content, patterns)
            role, created_at = Role(row["role"]), row["created_at"] / 1000
            yield Hit(row["session_id"], row["title"], row["id"], role, created_at, snippet, matches)


_BY_TRIGRAMS = """
    SELECT living_messages.* FROM messages_index
    CROSS JOIN living_messages ON living_messages.id = messages_index.rowid
    WHERE messages_index MATCH ? ORDER BY messages_index.rowid DESC
"""
_NEWEST = "SELECT * FROM living_messages ORDER BY id DESC LIMIT ?"
_RANGE_SIZE = """
    SELECT count(*) FROM (SELECT 1 FROM messages_trigrams WHERE term >= ? AND term < ? LIMIT ?)
"""
_BY_RANGE = """
    SELECT * FROM living_messages
    WHERE id IN (SELECT doc FROM messages_trigrams WHERE term >= ? AND term < ?) AND id < ?
    ORDER BY id DESC
"""
_ANY_ID = 1 << 62


def _candidates(connection: sqlite3.Connection, wanted: tuple[str, ...]) -> Iterator[sqlite3.Row]:
    """Messages among which are all that hold the words, the newest ones first."""
    ranges = [_range(word) for word in wanted if len(word) < _TRIGRAM]
    sizes = [connection.execute(_RANGE_SIZE, (*range_, _FEW)).fetchone()[0] for range_ in ranges]
    size, rarest = min(zip(sizes, ranges, strict=True), default=(_FEW, ("", "")))
    long = [word for word in wanted if len(word) >= _TRIGRAM]
    if long and size == _FEW:
        yield from connection.execute(_BY_TRIGRAMS, (_match(long),))
        return
    oldest = _ANY_ID
    if size == _FEW:
        for row in connection.execute(_NEWEST, (_WINDOW,)):
            oldest = row["id"]
            yield row
    yield from connection.execute(_BY_RANGE, (*rarest, oldest))


def _match(words: list[str]) -> str:
    """A query of the index for messages that hold each trigram of `words`, or of their beginnings."""
    trigrams = dict.fromkeys(word[at : at + _TRIGRAM] for word in words for at in range(len(word) - 2))
    quoted = ('"' + trigram.replace('"', '""') + '"' for trigram in islice(trigrams, _MOST_TRIGRAMS))
    return " AND ".join(quoted)


def _range(word: str) -> tuple[str, str]:
    """Bounds of the trigrams that begin with `word`, folded as the index folds, character by character."""
    first = "".join(lower if len(lower := character.lower()) == 1 else character for character in word)
    return first, first + "\U0010ffff"


def _snippet(text: str, patterns: list[re.Pattern[str]]) -> tuple[str, tuple[tuple[int, int], ...]]:
    first = patterns[0].search(text)
    start, end = first.span() if first is not None else (0, 0)
    left, right = _sentence(text, start, end)
    before, after = "…" * (left > 0), "…" * (right < len(text))
    matches = sorted(
        (match.start() + len(before), match.end() + len(before))
        for pattern in patterns
        for match in pattern.finditer(text[left:right])
    )
    line = "".join(" " if character.isspace() else character for character in text[left:right])
    return before + line + after, tuple(matches)


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The bounds of the sentence around `start` to `end`, or of as much of it as a line can show."""
    left = max(start - _AROUND, 0)
    for border in _SENTENCE_END.finditer(text, left, start):
        left = border.end()
    border_after = _SENTENCE_END.search(text, end, end + _AROUND)
    right = border_after.start() if border_after is not None else min(end + _AROUND, len(text))
    while left < start and text[left].isspace():
        left += 1
    while right > end and text[right - 1].isspace():
        right -= 1
    return left, right
