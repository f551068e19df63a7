"""One message of a conversation, as the wire protocols know it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Who speaks; the values are those of Ollama's and OpenAI's `role` field."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """A finished message.

    `thinking` is what a reasoning model said before its answer (Ollama's `message.thinking`); it is kept
    for the reader and never sent back, for templates drop it.
    """

    role: Role
    content: str
    thinking: str = ""
