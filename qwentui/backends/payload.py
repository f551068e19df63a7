"""What both protocols put into the body of a request, and the names that they get back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwentui.chat.message import openai_content
from qwentui.chat.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwentui.chat.message import Message

_NAME_LIMIT = 1000
_UNSENDABLE = {0: None} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def messages_payload(messages: Iterable[Message]) -> list[dict[str, object]]:
    """Ollama's `messages` array, without the thinking of earlier replies, which templates drop.

    NUL, which ends a string in llama.cpp's C parts, is left out; a lone surrogate, which UTF-8 cannot
    hold, becomes U+FFFD.
    """
    return [
        {"role": message.role.value, "content": message.content.translate(_UNSENDABLE)}
        | ({"images": [image.base64 for image in message.images]} if message.images else {})
        for message in messages
    ]


def openai_messages(messages: Iterable[Message]) -> list[dict[str, object]]:
    """OpenAI's `messages` array; as for `messages_payload`, with images as parts of the content."""
    return [
        {
            "role": message.role.value,
            "content": openai_content(replace(message, content=message.content.translate(_UNSENDABLE))),
        }
        for message in messages
    ]


def safe_name(name: str) -> str:
    """A model's name as it may be shown; llama.cpp's is a path, so it is not cut where a title would be."""
    return sanitize_line(name, _NAME_LIMIT)
