"""Reasoning that leaks into the content of a reply, told apart from the answer.

Servers split `<think>...</think>` off by themselves when they know the model's template. Where they do not
(a template without the tags, `think: false` and a disobedient model, vLLM without a reasoning parser), the
tags stand at the beginning of the content.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from qwentui.chat.stream import TextDelta, ThinkingDelta

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = "<think>"
CLOSE = "</think>"


BLANKS = 64
"""How many blanks may stand before a tag; after more of them the content is taken as text."""


class _State(Enum):
    BEGIN = auto()
    OPENED = auto()
    THINKING = auto()
    CLOSED = auto()
    TEXT = auto()


class ThinkSplitter:
    """Splits content that comes in pieces, cut anywhere, into thinking and text.

    Only the beginning is looked at: `<think>` there opens the thinking, a lone `</think>` is dropped, and
    anything else makes all of it text, so an answer about these tags stays whole. Blanks before and after a
    tag go with it; those before other text stay, for a continued reply may begin with one.
    """

    def __init__(self) -> None:
        self._state = _State.BEGIN
        self._held = ""

    def feed(self, content: str) -> Iterator[ThinkingDelta | TextDelta]:
        """The events that `content` completes, to be taken to the last one before the next call."""
        self._held += content
        if self._state is _State.BEGIN:
            self._begin()
        if self._state is _State.OPENED:
            self._skip_blanks(_State.THINKING)
        if self._state is _State.THINKING:
            yield from self._think()
        if self._state is _State.CLOSED:
            self._skip_blanks(_State.TEXT)
        if self._state is _State.TEXT and self._held:
            yield TextDelta(self._take(len(self._held)))

    def finish(self) -> Iterator[ThinkingDelta | TextDelta]:
        """What was held back for a tag that did not come."""
        if self._held:
            kind = ThinkingDelta if self._state is _State.THINKING else TextDelta
            yield kind(self._take(len(self._held)))

    def _begin(self) -> None:
        rest = self._held.lstrip()
        if len(self._held) - len(rest) > BLANKS:
            self._state = _State.TEXT
        elif rest.startswith(OPEN):
            self._state, self._held = _State.OPENED, rest.removeprefix(OPEN)
        elif rest.startswith(CLOSE):
            self._state, self._held = _State.CLOSED, rest.removeprefix(CLOSE)
        elif not OPEN.startswith(rest) and not CLOSE.startswith(rest):
            self._state = _State.TEXT

    def _think(self) -> Iterator[ThinkingDelta]:
        end = self._held.find(CLOSE)
        length = end if end >= 0 else len(self._held) - _overlap(self._held)
        if length:
            yield ThinkingDelta(self._take(length))
        if end >= 0:
            self._state, self._held = _State.CLOSED, self._held.removeprefix(CLOSE)

    def _skip_blanks(self, following: _State) -> None:
        self._held = self._held.lstrip()
        if self._held:
            self._state = following

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        return taken


def _overlap(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of the closing tag."""
    return next(n for n in range(len(CLOSE) - 1, -1, -1) if text.endswith(CLOSE[:n]))
