"""A reply of the model, finished or on its way: thinking, answer, footer."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from rich.segment import Segment

from qwentui.language import ngettext
from qwentui.tui.transcript.body import BLANK, FOOT, HEAD, TEXT, THINKING, Body, Section, one_line
from qwentui.tui.transcript.folding import LONG_BLOCK, SHOWN_ROWS, Folds, hidden_line, thinking_line
from qwentui.tui.transcript.items import ReplyItem
from qwentui.tui.transcript.pieces import Pieces
from qwentui.tui.transcript.plain import joint_in, text_of
from qwentui.tui.transcript.sink import clean
from qwentui.tui.transcript.wrap import row_cells, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.tui.transcript.markdown import CodeBlock
    from qwentui.tui.transcript.palette import Palette
    from qwentui.tui.transcript.wrap import Row

_EMPHASIS = str.maketrans("", "", "*_`~\\")
_INDENT = 2
_THINKING_GUTTER = Segment(BLANK.text + " " * _INDENT)
# Of the thinking that streams, the end that can make up one row.
_TAIL = 400


class LiveReply:
    """What has arrived of a reply that is still open.

    Attributes:
        model: The name of the model.
        status: What is said beside the reply while it streams.
        thought: How long the model thought, in seconds; None before the answer begins.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self.status = ""
        self.thought: float | None = None
        self._began: float | None = None
        self._content: list[str] = []
        self._thinking: list[str] = []

    @property
    def content(self) -> str:
        """The answer so far."""
        self._content = ["".join(self._content)]
        return self._content[0]

    @property
    def thinking(self) -> str:
        """The thinking so far."""
        self._thinking = ["".join(self._thinking)]
        return self._thinking[0]

    @property
    def has_thinking(self) -> bool:
        """Whether the model thought."""
        return bool(self._thinking)

    @property
    def thinking_tail(self) -> str:
        """The last words of the thinking."""
        tail, size = [], 0
        for text in reversed(self._thinking):
            tail.append(text)
            size += len(text)
            if size >= _TAIL:
                break
        return "".join(reversed(tail))[-_TAIL:]

    @property
    def elapsed(self) -> float | None:
        """How long the model has thought, in seconds; None when it has not."""
        if self.thought is not None or self._began is None:
            return self.thought
        return monotonic() - self._began

    def add_thinking(self, text: str) -> None:
        """More thinking arrived."""
        if self._began is None:
            self._began = monotonic()
        self._thinking.append(text)

    def add_content(self, text: str) -> None:
        """More of the answer arrived."""
        self.thought = self.elapsed
        self._content.append(text)


class ReplyBody(Body):
    """The rows of a reply."""

    def __init__(self, reply: ReplyItem | LiveReply, width: int, palette: Palette, folds: Folds) -> None:
        super().__init__(width, palette)
        self._reply = reply
        self._folds = folds
        self._text = self._markdown(width)
        self._blocks: Sequence[CodeBlock] | None = None
        self._head: tuple[Row, ...] = ()
        self._foot: list[Row] = []
        self._thinking: Pieces | None = None
        self._text.feed(reply.content)
        if isinstance(reply, ReplyItem):
            self._text.end()
        self.fold()

    def _markdown(self, width: int) -> Pieces:
        # The engine takes long to import, and an empty chat is painted without it.
        from qwentui.tui.transcript.markdown import MarkdownFlow

        return Pieces(MarkdownFlow(width, self.palette))

    @property
    def code_blocks(self) -> Sequence[CodeBlock]:
        """The code blocks of the answer; their rows count from the answer's first."""
        if self._text.closed:
            if self._blocks is None:
                self._blocks = self._text.flow.code_blocks
            return self._blocks
        return self._text.flow.code_blocks

    @property
    def has_thinking(self) -> bool:
        """Whether there is a thinking to fold."""
        return self._reply.has_thinking

    def feed_thinking(self, text: str) -> None:
        """More thinking arrived; it is laid out when it is unfolded."""
        if self._thinking is not None:
            self._thinking.feed(text)

    def feed_text(self, text: str) -> None:
        """More of the answer arrived."""
        self._text.feed(text)

    def close(self, item: ReplyItem) -> None:
        """The reply is finished; its text is that of `item`."""
        self._reply = item
        self._text.end()
        if self._thinking is not None:
            self._thinking.end()

    def fold(self) -> None:
        """Follow the reader's folds."""
        if not (self._folds.thinking_open and self._reply.has_thinking):
            self._thinking = None
        elif self._thinking is None:
            self._thinking = self._markdown(self.width - _INDENT)
            self._thinking.feed(self._reply.thinking)
            if isinstance(self._reply, ReplyItem):
                self._thinking.end()
        self._pieces = [self._text] if self._thinking is None else [self._thinking, self._text]
        self.compose()

    def step(self, deadline: float) -> int:
        """Lay out what waits until `deadline` (of `perf_counter`); the first row that changed comes back."""
        head = self._head
        if self._folds.thinking_open and self._thinking is None:
            self.fold()
        thought = (
            self._thinking.step(deadline) if self._thinking is not None and self._thinking.busy else None
        )
        changed = self._text.step(deadline)
        self.compose()
        if self._head != head:
            return len(self._lead)
        if thought is not None:
            return len(self._lead) + len(self._head) + thought
        above = sum(section.size for section in self._sections if section.part < TEXT)
        return above + (0 if self._folds.blocks else changed)

    def sections(self) -> list[Section]:
        """Thinking, answer, footer."""
        self._head, self._foot = self._head_rows(), self._foot_rows()
        thinking = () if self._thinking is None else self._thinking.flow.rows
        gap = 1 if thinking else 0
        return [
            Section(HEAD, BLANK, self._head, 0, len(self._head), 0),
            Section(THINKING, _THINKING_GUTTER, thinking, 0, len(thinking), 0, quiet=True),
            Section(THINKING, BLANK, ((),), 0, gap, len(thinking)),
            *self._text_sections(),
            Section(FOOT, BLANK, self._foot, 0, len(self._foot), 0),
        ]

    def _text_sections(self) -> list[Section]:
        rows = self._text.flow.rows
        sections: list[Section] = []
        start = 0
        for number in sorted(self._folds.blocks) if self._text.closed else ():
            block = self.code_blocks[number]
            shown = block.first_row + SHOWN_ROWS
            hidden = block.last_row + 1 - shown
            line: Row = (Segment(hidden_line(hidden), self.palette.dim),)
            sections += (
                Section(TEXT, BLANK, rows, start, shown - start, start),
                Section(TEXT, BLANK, (line,), 0, 1, shown, fold=number),
            )
            start = block.last_row + 1
        return [*sections, Section(TEXT, BLANK, rows, start, len(rows) - start, start)]

    def joint(self, row: int) -> str:
        """What stands between a row and the one above: what a wrap took away, where that can be known."""
        found = self.at(row)
        if row == 0 or found is None or found[0].part != TEXT or not found[0].part_row + found[1]:
            return "\n"
        above, below = (text_of(self.line(number).row) for number in (row - 1, row))
        source = self._reply.content.translate(_EMPHASIS)
        return joint_in(source, above, below, self.width)

    def can_fold(self, number: int) -> bool:
        """Whether a code block is long enough to fold, in a reply that is finished."""
        if not self._text.closed:
            return False
        block = self.code_blocks[number]
        return block.last_row - block.first_row >= LONG_BLOCK

    def _head_rows(self) -> tuple[Row, ...]:
        reply, dim = self._reply, self.palette.dim
        live = isinstance(reply, LiveReply) and reply.thought is None
        duration: float | None
        if isinstance(reply, LiveReply):
            duration, tokens = reply.elapsed, None
        else:
            duration, tokens = reply.thinking_duration, reply.thinking_tokens
        if not reply.has_thinking:
            return ()
        is_open = self._folds.thinking_open
        head: Row = (Segment(thinking_line(duration, tokens, is_open=is_open, live=live), dim),)
        if live and not is_open and isinstance(reply, LiveReply):
            return head, (Segment(self._preview(reply), dim),)
        return (head,)

    def _preview(self, reply: LiveReply) -> str:
        lines = reply.thinking_tail.rstrip().splitlines()
        return "  " + one_line(lines[-1][-self.width :] if lines else "", self.width - _INDENT)

    def _foot_rows(self) -> list[Row]:
        reply = self._reply
        if isinstance(reply, LiveReply):
            facts = [reply.status]
        else:
            count = self.removed
            told = ngettext(
                "{count:,} unsafe character removed", "{count:,} unsafe characters removed", count
            )
            note = told.format(count=count) if count else ""
            facts = [reply.model, reply.footer, note]
        text, _ = clean(" ".join(" · ".join(fact for fact in facts if fact).split()))
        rows = wrap([Segment(text, self.palette.dim)], self.width) if text else []
        if not rows and isinstance(reply, LiveReply):
            return [()]
        return [(Segment(" " * (self.width - row_cells(row))), *row) for row in rows]
