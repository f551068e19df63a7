"""Inline Markdown: the text of one paragraph, heading or cell becomes runs with flags.

The rules are CommonMark's, with strikethrough and bare addresses from GFM, and these differences:

* A link is shown as ``text (address)``; so is an image, with its alt text.
* A reference (``[text][label]``) is shown as written, wherever its definition stands, and so is the
  definition: one that comes later may not change rows that are on the screen.
* Raw HTML is text, whose inside is no Markdown; only ``<br>`` breaks the row, as it must in a table. A tag
  or an autolink has at most 256 characters on one line, the address part of a link at most 1,000.
* CJK punctuation counts as a letter beside ``*`` and ``~~``, so that ``**注意：**请`` is strong although
  no space surrounds it.
* Only a double tilde strikes: a single one is a usual mark of tone and range in Chinese.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qwentui.tui.transcript import sink
from qwentui.tui.transcript.emphasis import EMPHASIS, STRIKE, STRONG, Delimiter, pair, sides
from qwentui.tui.transcript.wrap import joint

if TYPE_CHECKING:
    from collections.abc import Callable

CODE, LINK, URL, HTML = 8, 16, 32, 64
"""Flags of a run beside those of emphasis; they add up."""

__all__ = ["CODE", "EMPHASIS", "HTML", "LINK", "STRIKE", "STRONG", "URL", "Inline", "Run", "parse"]

Run = tuple[str, int]
"""Text and the flags that hold for all of it. A newline in the text is a hard break."""

_SPECIAL = re.compile(r"[\\`*_\[\]<&\n]|~~+|!\[|(?<![A-Za-z0-9])(?:https?://|www\.)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_HARD_BREAK = re.compile(r"\\\n *")
_TICKS = re.compile("`+")
_AUTOLINK = re.compile(
    r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]{0,220}|[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,160})>"
)
_TAG = re.compile(r"<(?:[A-Za-z/?]|![A-Za-z\[-])[^<>\n]{0,253}>")
_LINE_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_OPEN_TAG = re.compile(r"<(?:[A-Za-z/?!][^<>\n]{0,253})?\Z")
_ENTITY = re.compile(r"&(?:#[xX]([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([A-Za-z][A-Za-z0-9]{1,31}));")
_ADDRESS = re.compile(r"(?:https?://|www\.)[!#-;=?-Z_a-z~]+", re.IGNORECASE)
_LINK_TAIL = re.compile(
    r"""\([ \n]*
        (?: <(?P<pointed>(?:[^<>\n\\]|\\.)*+)>
          | (?P<bare>(?:[^\s()<\\]|\\.)(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*+\))*+\))*+
                   | (?:\((?:[^\s()\\]|\\.)*+\))(?:[^\s()\\]|\\.)*+ )?
        )
        (?:[ \n]+(?P<title>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)))?
        [ \n]*\)""",
    re.VERBOSE | re.DOTALL,
)
_LINK_TAIL_LIMIT = 1000
# Two ranges in a class compile at once, more take milliseconds.
_BORDER = re.compile(
    r"(?<=[ \n])(?=[!-~]|[^\W_])|(?<=[\u3041-\u3096\u4e00-\u9fff])(?=[\u3041-\u3096\u4e00-\u9fff])"
)


@dataclass(slots=True)
class _Bracket:
    node: int
    position: int
    bottom: int
    image: bool
    active: bool = True


@dataclass(frozen=True, slots=True)
class Inline:
    """What a text parsed to.

    Attributes:
        runs: The visible text in order.
        removed: Characters that the sink took out of decoded entities.
        open_at: Index of the first mark that text still to come might close, or None.
        spans: Index ranges of the source that a construct covers, from its first mark to its last.
    """

    runs: tuple[Run, ...]
    removed: int
    open_at: int | None
    spans: tuple[tuple[int, int], ...]


def parse(text: str) -> Inline:
    """Parses ``text``; never fails, and shows marks that mean nothing as they are."""
    if _SPECIAL.search(text) is None:
        return Inline(((text, 0),) if text else (), 0, None, ())
    return _Parser(text).parse()


def settled(text: str) -> tuple[int, Inline] | None:
    """The part of ``text`` that parses the same whatever is appended: its length and what it parsed to.

    It ends where both sides are sure to stay what they are, after a space or between two CJK letters, outside
    every construct and before the first mark that might still be closed.
    """
    borders = [match.start() for match in _BORDER.finditer(text)]
    if not borders:
        return None
    parsed = parse(text[: borders[-1]])
    if parsed.open_at is None:
        return borders[-1], parsed
    for border in reversed(borders):
        if border <= parsed.open_at and not any(first < border < last for first, last in parsed.spans):
            return border, parse(text[:border])
    return None


def last_border(text: str, limit: int) -> int:
    """The last index up to ``limit`` at which words or CJK letters part, or 0."""
    border = 0
    for match in _BORDER.finditer(text, max(limit - 256, 0)):
        if match.start() > limit:
            break
        border = match.start()
    return border


@dataclass(slots=True)
class _Parser:
    text: str
    nodes: list[str] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    delimiters: list[Delimiter] = field(default_factory=list)
    brackets: list[_Bracket] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    open_marks: list[int] = field(default_factory=list)
    unclosed_ticks: set[int] = field(default_factory=set)
    removed: int = 0

    def parse(self) -> Inline:
        text, position, size = self.text, 0, len(self.text)
        handlers = self._handlers()
        while position < size:
            match = _SPECIAL.search(text, position)
            if match is None:
                self._push(text[position:])
                break
            start = match.start()
            if start > position:
                self._push(text[position:start])
            position = handlers.get(text[start], self._address)(start)
        self.open_marks.extend(entry.position for entry in self._resolve(0))
        self.open_marks.extend(bracket.position for bracket in self.brackets)
        open_at = min(self.open_marks, default=None)
        return Inline(self._runs(), self.removed, open_at, tuple(self.spans))

    def _handlers(self) -> dict[str, Callable[[int], int]]:
        """What takes a mark at an index and returns the index behind it; addresses have no mark."""
        return {
            "*": self._delimiter,
            "_": self._delimiter,
            "~": self._delimiter,
            "`": self._code,
            "[": self._open_bracket,
            "!": self._open_bracket,
            "]": self._close_bracket,
            "\n": self._newline,
            "\\": self._escape,
            "<": self._angle,
            "&": self._entity,
        }

    def _runs(self) -> tuple[Run, ...]:
        runs: list[Run] = []
        for node, flags in zip(self.nodes, self.flags, strict=True):
            joined = joint(runs[-1][0], node) if runs else 0
            if joined:
                runs[-1] = (runs[-1][0] + node[:joined], runs[-1][1])
            text = node[joined:]
            if not text:
                continue
            if runs and runs[-1][1] == flags:
                runs[-1] = (runs[-1][0] + text, flags)
            else:
                runs.append((text, flags))
        return tuple(runs)

    def _push(self, text: str, flags: int = 0) -> None:
        self.nodes.append(text)
        self.flags.append(flags)

    def _escape(self, start: int) -> int:
        if match := _HARD_BREAK.match(self.text, start):
            self._push("\n")
            return match.end()
        if match := _ESCAPE.match(self.text, start):
            self._push(match[1])
            return match.end()
        self._push("\\")
        return start + 1

    def _newline(self, start: int) -> int:
        hard = self.text.endswith("  ", 0, start)
        if self.nodes and not self.flags[-1]:
            self.nodes[-1] = self.nodes[-1].rstrip(" ")
        self._push("\n" if hard else " ")
        return start + 1

    def _code(self, start: int) -> int:
        ticks = _TICKS.match(self.text, start)
        assert ticks is not None  # noqa: S101 - the caller saw a backtick here
        length, after = len(ticks.group()), ticks.end()
        if length not in self.unclosed_ticks:
            for closing in _TICKS.finditer(self.text, after):
                if len(closing.group()) == length:
                    self._push(_code_text(self.text[after : closing.start()]), CODE)
                    self.spans.append((start, closing.end()))
                    return closing.end()
            self.unclosed_ticks.add(length)
            self.open_marks.append(start)
        self._push(ticks.group())
        return after

    def _angle(self, start: int) -> int:
        if match := _AUTOLINK.match(self.text, start):
            self._push(match[1], LINK)
        elif match := _TAG.match(self.text, start):
            self._push(*(("\n", 0) if _LINE_BREAK.fullmatch(match.group()) else (match.group(), HTML)))
        else:
            if _OPEN_TAG.match(self.text, start):
                self.open_marks.append(start)
            self._push("<")
            return start + 1
        self.spans.append((start, match.end()))
        return match.end()

    def _entity(self, start: int) -> int:
        match = _ENTITY.match(self.text, start)
        decoded = _decoded(match) if match else None
        if match is None or decoded is None:
            self._push("&")
            return start + 1
        shown, removed = sink.clean(decoded)
        self.removed += removed
        self._push(shown.replace("\n", " ").replace("\t", " "))
        return match.end()

    def _address(self, start: int) -> int:
        match = _ADDRESS.match(self.text, start)
        address = _trimmed_address(match.group()) if match else ""
        if not address or address.lower() in {"http://", "https://", "www."}:
            self._push(self.text[start])
            return start + 1
        self._push(address, LINK)
        return start + len(address)

    def _delimiter(self, start: int) -> int:
        text, end = self.text, start
        mark = text[start]
        while end < len(text) and text[end] == mark:
            end += 1
        length = end - start
        self._push(text[start:end])
        if (mark == "~" and length != 2) or text.startswith("\ufe0f", end):  # noqa: PLR2004 - two tildes
            return end
        before, after = text[start - 1] if start else " ", text[end] if end < len(text) else " "
        opens, closes = sides(mark, before, after)
        if opens or closes:
            entry = Delimiter(len(self.nodes) - 1, start, mark, length, length, opens, closes)
            self.delimiters.append(entry)
        return end

    def _open_bracket(self, start: int) -> int:
        image = self.text[start] == "!"
        width = 2 if image else 1
        self._push(self.text[start : start + width])
        self.brackets.append(_Bracket(len(self.nodes) - 1, start, len(self.delimiters), image))
        return start + width

    def _close_bracket(self, start: int) -> int:
        bracket = self.brackets.pop() if self.brackets else None
        tail = None
        if bracket and bracket.active and self.text.startswith("(", start + 1):
            tail = _LINK_TAIL.match(self.text, start + 1, start + 1 + _LINK_TAIL_LIMIT)
            if tail is None and len(self.text) - start <= _LINK_TAIL_LIMIT:
                self.open_marks.append(bracket.position)
        empty = tail is not None and tail.group() == "()" and self.text[start - 1] == "["
        if bracket is None or tail is None or empty:
            # An empty link is shown as written: there is nothing else to see of it.
            self._push("]")
            return start + 1
        self._link(bracket, tail)
        self.spans.append((bracket.position, tail.end()))
        return tail.end()

    def _link(self, bracket: _Bracket, tail: re.Match[str]) -> None:
        self._resolve(bracket.bottom)
        self.nodes[bracket.node] = ""
        for index in range(bracket.node + 1, len(self.nodes)):
            self.flags[index] |= LINK
        address, removed = _unescaped(tail["pointed"] if tail["pointed"] is not None else tail["bare"] or "")
        self.removed += removed
        shown = "".join(self.nodes[bracket.node + 1 :])
        title = f" {tail['title']}" if tail["title"] else ""
        if address != shown or title:
            clean_title, removed = _unescaped(title)
            self.removed += removed
            self._push(f" ({address}{clean_title})".replace("\n", " "), URL)
        if not bracket.image:
            for earlier in self.brackets:
                earlier.active = earlier.active and earlier.image

    def _resolve(self, bottom: int) -> list[Delimiter]:
        """Pairs the delimiters from index ``bottom`` on and forgets them; returns those still open."""
        pairs, still_open = pair(self.delimiters[bottom:])
        del self.delimiters[bottom:]
        for found in pairs:
            opener, closer = found.opener, found.closer
            for index in range(opener.node + 1, closer.node):
                self.flags[index] |= found.flag
            for entry in (opener, closer):
                self.nodes[entry.node] = entry.mark * entry.left
            self.spans.append((opener.position, closer.position + closer.length))
        return still_open


def _code_text(text: str) -> str:
    text = text.replace("\n", " ").replace("\t", " ")
    if text[:1] == " " == text[-1:] and text.strip(" "):
        return text[1:-1]
    return text


def _decoded(match: re.Match[str]) -> str | None:
    """The character of an entity, or None if there is no such entity."""
    if match[3]:
        from html.entities import html5

        return html5.get(f"{match[3]};")
    code = int(match[1], 16) if match[1] else int(match[2])
    if not code or code > 0x10FFFF:  # noqa: PLR2004 - the last code point
        return "\ufffd"
    return chr(code)


def _unescaped(text: str) -> tuple[str, int]:
    """``text`` without backslash escapes and with entities decoded, and what the sink took out of those."""
    removed = 0

    def decode(match: re.Match[str]) -> str:
        nonlocal removed
        decoded = _decoded(match)
        if decoded is None:
            return match.group()
        shown, count = sink.clean(decoded)
        removed += count
        return shown

    return _ENTITY.sub(decode, _ESCAPE.sub(r"\1", text)), removed


def _trimmed_address(address: str) -> str:
    """A bare address without the punctuation of the sentence around it."""
    while address:
        last = address[-1]
        unpaired = last == ")" and address.count(")") > address.count("(")
        if not unpaired and last not in "?!.,:;*_~'":
            break
        address = address[:-1]
    return address
