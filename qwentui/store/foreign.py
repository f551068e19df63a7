"""Other programs' conversations as records of the own format.

Such a record names its session by where it came from (`SessionRecord.origin`), so that the same conversation
is known again.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from qwentui.chat.image import image_of
from qwentui.chat.message import Role
from qwentui.chat.stream import FinishReason
from qwentui.store.jsonl import VERSION, MessageRecord, SessionRecord
from qwentui.store.records import title_from

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Left:
    """How many messages of a conversation were left out: tools' output, pictures, calls."""

    messages: int


Record = SessionRecord | MessageRecord | Left


class _Content(msgspec.Struct):
    """`content_type` is "text", "multimodal_text", or one of many that are no speech."""

    content_type: str = ""
    parts: list[Any] | None = None


class _Author(msgspec.Struct):
    role: str = ""


class _Metadata(msgspec.Struct):
    model_slug: str | None = None
    is_visually_hidden_from_conversation: bool | None = None


class _ChatMessage(msgspec.Struct):
    author: _Author = msgspec.field(default_factory=_Author)
    content: _Content = msgspec.field(default_factory=_Content)
    create_time: float | None = None
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Node(msgspec.Struct):
    message: _ChatMessage | None = None
    parent: str | None = None


class _Conversation(msgspec.Struct):
    mapping: dict[str, _Node]
    title: str | None = None
    create_time: float | None = None
    update_time: float | None = None
    current_node: str | None = None
    conversation_id: str | None = None
    id: str | None = None


def from_chatgpt(raw: bytes, now: float) -> Iterator[Record]:
    """One conversation of ChatGPT's data export: a tree of nodes by id, of which some are spoken messages.

    Args:
        raw: Its JSON object.
        now: Seconds since 1970, for what bears no time.

    Raises:
        msgspec.DecodeError: It is none.
    """
    found = msgspec.json.decode(raw, type=_Conversation)
    origin = f"chatgpt:{found.conversation_id or found.id or _digest(raw)}"
    created = found.create_time or now
    spoken: dict[str | None, str | None] = {}
    messages: list[MessageRecord] = []
    left = 0
    for key, node in _parents_first(found.mapping):
        parent = spoken.get(node.parent)
        text = _text(node.message)
        spoken[key] = parent
        if node.message is not None and text:
            uid = _digest(key.encode())
            spoken[key] = uid
            messages.append(
                _record(node.message, origin=origin, uid=uid, parent=parent, text=text, created=created)
            )
        left += node.message is not None and text is None
    if messages:
        yield SessionRecord(
            qwentui=VERSION,
            id=origin,
            title=found.title or title_from(messages[0].content),
            created_at=_time(created),
            updated_at=_time(found.update_time or created),
            model=next((record.model for record in reversed(messages) if record.model), ""),
            head=spoken.get(found.current_node),
            origin=origin,
        )
        yield from messages
    yield Left(left)


def _parents_first(mapping: dict[str, _Node]) -> Iterator[tuple[str, _Node]]:
    children: dict[str | None, list[str]] = {}
    for key, node in mapping.items():
        children.setdefault(node.parent if node.parent in mapping else None, []).append(key)
    waiting = children.get(None, [])[::-1]
    while waiting:
        key = waiting.pop()
        yield key, mapping[key]
        waiting += reversed(children.get(key, []))


def _text(message: _ChatMessage | None) -> str | None:
    """What a node says; "" where nobody speaks, None where somebody does, but not in words."""
    if message is None or message.author.role not in {Role.USER, Role.ASSISTANT}:
        return ""
    if message.metadata.is_visually_hidden_from_conversation:
        return ""
    parts = message.content.parts
    if message.content.content_type not in {"text", "multimodal_text"} or parts is None:
        return None
    words = "\n\n".join(part for part in parts if isinstance(part, str) and part)
    return words or (None if any(parts) else "")


def _record(
    message: _ChatMessage, *, origin: str, uid: str, parent: str | None, text: str, created: float
) -> MessageRecord:
    answered = message.author.role == Role.ASSISTANT
    return MessageRecord(
        qwentui=VERSION,
        session=origin,
        id=uid,
        parent=parent,
        role=Role(message.author.role),
        content=text,
        created_at=_time(message.create_time or created),
        finish_reason=FinishReason.STOP if answered else None,
        model=(message.metadata.model_slug or "") if answered else "",
    )


class _Said(msgspec.Struct):
    """A message as fine-tuning files hold it; the content is text, or parts of which some are text."""

    role: str
    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None


class _Dialogue(msgspec.Struct):
    messages: list[_Said]


def from_openai(line: bytes, now: float) -> Iterator[Record]:
    """One `{"messages": [{"role": ..., "content": ...}, ...]}`; a leading system message is the prompt.

    Args:
        line: Its JSON object.
        now: Seconds since 1970; the line bears no times.

    Raises:
        msgspec.DecodeError: It is none.
    """
    said = msgspec.json.decode(line, type=_Dialogue).messages
    origin = f"openai:{_digest(msgspec.json.encode(said))}"
    system = ""
    if said and said[0].role in {Role.SYSTEM, "developer"}:
        system = _plain(said[0])
        said = said[1:]
    messages: list[MessageRecord] = []
    for number, message in enumerate(said):
        if message.role in {Role.USER, Role.ASSISTANT} and (text := _plain(message)):
            answered = message.role == Role.ASSISTANT
            messages.append(
                MessageRecord(
                    qwentui=VERSION,
                    session=origin,
                    id=f"m{number}",
                    parent=messages[-1].id if messages else None,
                    role=Role(message.role),
                    content=text,
                    created_at=_time(now),
                    thinking=message.reasoning_content or "",
                    images=tuple(_images(message)),
                    finish_reason=FinishReason.STOP if answered else None,
                )
            )
    if messages:
        yield SessionRecord(
            qwentui=VERSION,
            id=origin,
            title=title_from(messages[0].content),
            created_at=_time(now),
            updated_at=_time(now),
            system=system,
            head=messages[-1].id,
            origin=origin,
        )
        yield from messages
    yield Left(len(said) - len(messages))


def _plain(message: _Said) -> str:
    if isinstance(message.content, str):
        return message.content
    texts = (part.get("text") for part in message.content or ())
    return "\n\n".join(text for text in texts if isinstance(text, str))


def _images(message: _Said) -> Iterator[bytes]:
    """The images that stand in a message as data URLs; those that lie elsewhere stay there."""
    for part in message.content if isinstance(message.content, list) else ():
        source = part.get("image_url")
        url = source.get("url") if isinstance(source, dict) else source
        if isinstance(url, str) and url.startswith("data:image/") and ";base64," in url:
            with suppress(ValueError):
                data = b64decode(url.partition(";base64,")[2], validate=True)
                if image_of(data) is not None:
                    yield data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _time(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)
