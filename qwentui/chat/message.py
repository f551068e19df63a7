"""One message of a conversation, as the wire protocols know it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwentui.chat.image import Image


class Role(StrEnum):
    """Who speaks; the values are those of Ollama's and OpenAI's `role` field."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Part:
    """Where characters `start` to `end` of a message came from: `source` names a file, a quote, a pipe."""

    source: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Message:
    """A finished message.

    `thinking` is what a reasoning model said before its answer (Ollama's `message.thinking`); it is kept
    for the reader and never sent back, for templates drop it. `images` are seen by models that can;
    `parts` tell which stretches of the content are attached files (see `attachment`).
    """

    role: Role
    content: str
    thinking: str = ""
    images: tuple[Image, ...] = ()
    parts: tuple[Part, ...] = ()


def openai_content(message: Message) -> str | list[dict[str, object]]:
    """The `content` field of a message in OpenAI's form: a list of parts where images go with the text."""
    if not message.images:
        return message.content
    text: list[dict[str, object]] = [{"type": "text", "text": message.content}] if message.content else []
    return text + [{"type": "image_url", "image_url": {"url": image.url}} for image in message.images]
