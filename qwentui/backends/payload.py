"""What both protocols put into the body of a request, and the names that they get back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwentui.chat.message import Message

_NAME_LIMIT = 1000
_UNSENDABLE = {0: None} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def messages_payload(messages: Iterable[Message]) -> list[dict[str, str]]:
    """The `messages` array: role and content only, for templates drop the thinking of earlier replies.

    NUL, which ends a string in llama.cpp's C parts, is left out; a lone surrogate, which UTF-8 cannot
    hold, becomes U+FFFD.
    """
    return [
        {"role": message.role.value, "content": message.content.translate(_UNSENDABLE)}
        for message in messages
    ]


def safe_name(name: str) -> str:
    """A model's name as it may be shown; llama.cpp's is a path, so it is not cut where a title would be."""
    return sanitize_line(name, _NAME_LIMIT)
