"""Syntax highlighting line by line, with the lexer's state carried from each line to the next.

A pygments ``RegexLexer`` keeps its stack of states inside one call; here its rules are run over one line at a
time with the stack handed in and out, so that a line costs the same wherever it stands. What a lexer matches
with one pattern across lines (the block comments of C and its kin, of CSS and of HTML) is followed beside it.
"""

from __future__ import annotations

import copy
import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from qwentui.tui.transcript.wrap import JOINED, clusters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pygments.lexer import Lexer, LexerContext

TokenType = tuple[str, ...]
Tokens = list[tuple[TokenType, str]]
Checkpoint = tuple[int, int, tuple[str, ...]]
"""An index in a line, the number of tokens before it, and the stack there."""

_TEXT: TokenType = ()
_COMMENT: TokenType = ("Comment",)
_BLOCK_COMMENTS = (("/*", "*/"), ("<!--", "-->"))
_LONGEST_LINE = 1000
_DEEPEST_STACK = 64
_IDLE_STEPS = 64
_UNSURE = 8
_OPENS_COMMENT = re.compile(r"/\*|<!--")


@dataclass(frozen=True, slots=True)
class State:
    """Where a lexer stands at the end of a line.

    Attributes:
        stack: Names of the lexer's states, the innermost last.
        comment: What ends the block comment that is open, or empty.
        context: The context of an ``ExtendedRegexLexer``, never changed once it is here.
    """

    stack: tuple[str, ...] = ("root",)
    comment: str = ""
    context: Any = None


class Highlighter:
    """One language. It holds no state of a text, so one serves all blocks."""

    __slots__ = ("_lexer", "rules", "start")

    def __init__(self, lexer: Lexer) -> None:
        from pygments.lexer import ExtendedRegexLexer, RegexLexer

        self._lexer = lexer
        self.rules: Rules | None = None
        self.start = State()
        if isinstance(lexer, ExtendedRegexLexer):
            self.start = State(context=_first_context(lexer))
        elif isinstance(lexer, RegexLexer):
            self.rules = Rules(lexer, lexer._tokens)  # noqa: SLF001 - pygments offers no public way to its rules
            # A fence marked "php" holds PHP, not a page with PHP in it.
            self.start = State(("root", "php") if lexer.name == "PHP" else ("root",))

    def line(self, text: str, state: State, *, more: bool = False) -> tuple[Tokens, State]:
        """Highlights one line without its newline, or with ``more`` a piece of a line that goes on.

        Returns:
            Token types with their texts, which together are ``text``, and the state for the next line. A line
            of more than 1,000 characters is plain.
        """
        if len(text) > _LONGEST_LINE:
            return [(_TEXT, text)], state
        head: Tokens = []
        if state.comment:
            end = text.find(state.comment)
            if end < 0:
                return [(_COMMENT, text)], state
            end += len(state.comment)
            head, text = [(_COMMENT, text[:end])], text[end:]
            state = replace(state, comment="")
        for opener, closer in _BLOCK_COMMENTS:
            opened = text.rfind(opener)
            if opened >= 0 and text.find(closer, opened + len(opener)) < 0:
                commented = self._commented(text, state, opened, closer)
                if commented:
                    return head + commented[0], commented[1]
        tokens, state = self._lex(text if more else text + "\n", state)
        return head + _exactly(tokens, text), state

    def _commented(self, text: str, state: State, opened: int, closer: str) -> tuple[Tokens, State] | None:
        """The line if it ends inside a comment that begins at ``opened``, which shows by closing it."""
        tokens, after = self._lex(f"{text}\n{closer}", state)
        position = 0
        for index, (kind, part) in enumerate(tokens):
            if kind[:1] == _COMMENT and position <= opened and position + len(part) > len(text):
                return [*tokens[:index], (_COMMENT, text[position:])], replace(after, comment=closer)
            position += len(part)
        return None

    def _lex(self, text: str, state: State) -> tuple[Tokens, State]:
        if self.rules is not None:
            tokens: Tokens = []
            stack, _ = self.rules.run(text, tokens, state.stack)
            return tokens, replace(state, stack=stack)
        if state.context is None:
            return _bare(self._lexer.get_tokens_unprocessed(text)), state
        context = copy.deepcopy(state.context)
        context.text, context.pos, context.end = text, 0, len(text)
        tokens = _bare(self._lexer.get_tokens_unprocessed(context=context))
        del context.stack[1:-_DEEPEST_STACK]
        return tokens, replace(state, context=context)


@lru_cache(maxsize=64)
def highlighter(language: str) -> Highlighter | None:
    """The highlighter of ``language`` (any alias that pygments ships), or None.

    The first call for a language imports its lexer: some 50 ms, safe in any thread.
    """
    name = language.lower()
    if not name or name not in _aliases():
        return None
    from pygments.lexers import get_lexer_by_name

    return Highlighter(get_lexer_by_name(name))


def warm(language: str) -> None:
    """Loads what ``language`` needs, so that its first line does not wait; meant for a thread."""
    highlighter(language)


@lru_cache(maxsize=1)
def _aliases() -> frozenset[str]:
    from pygments.lexers import get_all_lexers

    # Plugins are left out: looking for them reads the metadata of every installed package.
    return frozenset(alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases)


def _first_context(lexer: Lexer) -> LexerContext:
    """The context that ``lexer`` makes for itself; some languages add fields to it."""
    from pygments.lexer import LexerContext
    from pygments.lexers.data import YamlLexer, YamlLexerContext

    return (YamlLexerContext if isinstance(lexer, YamlLexer) else LexerContext)("", 0)


def _bare(tokens: Iterable[tuple[int, TokenType, str]]) -> Tokens:
    return [(kind, text) for _, kind, text in tokens if text]


def _exactly(tokens: Tokens, text: str) -> Tokens:
    """The tokens of ``text`` without its newline; one plain token if the lexer lost or changed some."""
    if tokens and tokens[-1][1].endswith("\n"):
        kind, last = tokens.pop()
        if len(last) > 1:
            tokens.append((kind, last[:-1]))
    if "".join(part for _, part in tokens) != text:
        return [(_TEXT, text)] if text else []
    return tokens if JOINED.search(text) is None else _unbroken(tokens, text)


def _unbroken(tokens: Tokens, text: str) -> Tokens:
    """The tokens, none of which ends inside a cluster, whose parts have another width than the whole."""
    ends = [end for _, end, _ in clusters(text)]
    whole: Tokens = []
    start = reached = 0
    for kind, part in tokens:
        reached += len(part)
        end = ends[bisect_left(ends, reached)]
        if end > start:
            whole.append((kind, text[start:end]))
            start = end
    return whole


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a ``RegexLexer``: for each state what matches, what it is and which states follow."""

    lexer: Any
    states: Any

    def run(
        self, text: str, tokens: Tokens, stack: Sequence[str], position: int = 0, sure: int = -1
    ) -> tuple[tuple[str, ...], Checkpoint]:
        """Appends the tokens of ``text`` from ``position`` on.

        Returns:
            The stack at the end, and the last place up to the index ``sure``.
        """
        states = list(stack)
        size, idle = len(text), 0
        kept = (position, len(tokens), tuple(states))
        while position < size:
            if position <= sure:
                kept = (position, len(tokens), tuple(states))
            end = self._step(text, position, states, tokens)
            idle = idle + 1 if end == position else 0
            if end < 0 or idle >= _IDLE_STEPS:
                # No rule fits, or rules without a text go in circles: a newline leads back to the start.
                if text[position] == "\n":
                    states = list(stack[:1])
                tokens.append((_TEXT, text[position]))
                end, idle = position + 1, 0
            position = end
        del states[1:-_DEEPEST_STACK]
        return tuple(states), kept

    def _step(self, text: str, position: int, states: list[str], tokens: Tokens) -> int:
        """Applies the first rule that matches; returns the index behind the match, or -1."""
        for match_rule, action, change in self.states[states[-1]]:
            match = match_rule(text, position)
            if match is None:
                continue
            end: int = match.end()
            if isinstance(action, tuple):
                if end > position:
                    tokens.append((action, match.group()))
            elif action is not None:
                tokens.extend(_bare(action(self.lexer, match)))
            if change is not None:
                _change(states, change)
            return end
        return -1


class Draft:
    """A line that grows: what was sure at the last look is not highlighted again."""

    __slots__ = ("_kept", "_state", "_text", "_tokens")

    def __init__(self) -> None:
        self._text = ""
        self._state: State | None = None
        self._tokens: Tokens = []
        self._kept: Checkpoint = (0, 0, ())

    def line(self, found: Highlighter, text: str, state: State) -> Tokens:
        """The tokens of ``text`` after ``state``."""
        rules = found.rules
        if rules is None or state.comment or len(text) > _LONGEST_LINE or _OPENS_COMMENT.search(text):
            return found.line(text, state)[0]
        if self._state is not state or not text.startswith(self._text):
            self._state, self._tokens, self._kept = state, [], (0, 0, state.stack)
        position, count, stack = self._kept
        del self._tokens[count:]
        _, self._kept = rules.run(text + "\n", self._tokens, stack, position, len(text) - _UNSURE)
        self._text = text
        return _exactly(self._tokens.copy(), text)


def _change(states: list[str], change: int | str | tuple[str, ...]) -> None:
    """Applies a state transition as pygments' metaclass left it: a number to pop, names, or ``#push``."""
    if isinstance(change, int):
        del states[max(len(states) + change, 1) :]
        return
    for name in (change,) if isinstance(change, str) else change:
        if name == "#pop":
            del states[max(len(states) - 1, 1) :]
        else:
            states.append(states[-1] if name == "#push" else name)
