"""What a transcript holds: one frozen value for each thing that stands in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from qwentui.language import ngettext

if TYPE_CHECKING:
    from qwentui.chat.attachment import Block
    from qwentui.chat.message import Message

Severity = Literal["info", "warning", "error"]
"""How much a notice matters."""


class Attached(NamedTuple):
    """A file in what the user said: the line that stands for it, and which characters it is."""

    line: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class UserItem:
    """What the user said, shown as it was typed.

    Attributes:
        text: All of it, the files that go along at its end.
        footer: What is to say about it.
        said: How many characters the user wrote; None where no file goes along.
        files: The files behind those.
    """

    text: str
    footer: str = ""
    said: int | None = None
    files: tuple[Attached, ...] = ()

    @classmethod
    def of(cls, message: Message, version: str = "") -> Self:
        """How a user's message stands in a transcript; `version` says which of several it is."""
        if not (message.parts or message.images):
            return cls(message.content, version)
        # Few messages have files, and a start has none.
        from qwentui.chat.attachment import blocks_of, said

        count = len(message.images)
        images = ngettext("{count} image", "{count} images", count).format(count=count) if count else ""
        footer = " · ".join(filter(None, (images, version)))
        blocks = blocks_of(message)
        if not blocks:
            return cls(message.content, footer)
        return cls(message.content, footer, len(said(message)), tuple(map(_attached, blocks)))


@dataclass(frozen=True, slots=True)
class ReplyItem:
    """A finished reply of the model.

    Attributes:
        content: The answer, Markdown.
        thinking: What the model thought before it; empty when it did not.
        thinking_duration: How long it thought, in seconds, where that is known.
        thinking_tokens: How many tokens that took, where that is known.
        footer: What is to say about the reply: speed, tokens, why it ended.
        model: The name of the model; it leads the footer.
    """

    content: str
    thinking: str = ""
    thinking_duration: float | None = None
    thinking_tokens: int | None = None
    footer: str = ""
    model: str = ""

    @property
    def has_thinking(self) -> bool:
        """Whether the model thought."""
        return bool(self.thinking)


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """A line about the talk: an error, a warning, a piece of news."""

    text: str
    severity: Severity = "info"


@dataclass(frozen=True, slots=True)
class MarkItem:
    """A rule across the transcript, with a label in it."""

    text: str


Item = UserItem | ReplyItem | NoticeItem | MarkItem
"""Anything that a transcript shows."""


def _attached(block: Block) -> Attached:
    count = block.text.count("\n")
    lines = ngettext("{n:,} line", "{n:,} lines", count).format(n=count)
    return Attached(f"{block.name} · {lines}", block.start, block.end)


def source(item: Item) -> str:
    """The text of an item as it was written: what is copied, searched and paged."""
    return item.content if isinstance(item, ReplyItem) else item.text


def estimate(item: Item, width: int) -> int:
    """About how many rows an item takes at `width` columns, in constant time.

    The length alone is looked at. Prose and code of a model average some 40 characters a row of 80 columns,
    for lines end early and paragraphs stand apart.
    """
    if isinstance(item, MarkItem):
        return 2
    frame = 1
    if isinstance(item, ReplyItem):
        frame = 2 + bool(item.thinking)
    length = len(source(item))
    if isinstance(item, UserItem):
        frame = 1 + bool(item.footer) + len(item.files)
        length = length if item.said is None else item.said
    return frame + 1 + length * 2 // max(width, 1)
