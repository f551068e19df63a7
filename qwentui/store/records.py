"""What the store keeps, as values."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qwentui.chat.conversation import Reply
from qwentui.chat.message import Message, Part, Role
from qwentui.chat.sanitize import sanitize_line
from qwentui.chat.stream import FinishReason
from qwentui.chat.usage import ServerUsage, Usage

if TYPE_CHECKING:
    import sqlite3

    from qwentui.chat.conversation import Conversation
    from qwentui.chat.image import Image

Options = dict[str, float | int | str | bool | list[str]]
"""The `options` object of a request, and what else a reply was asked with."""

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_SECONDS_DIGITS = 7
_TITLE_LENGTH = 60


def new_id(milliseconds: int, random_digits: int) -> str:
    """A text id that sorts by time: seconds since 1970, then chance, in Crockford's base 32 (lower case)."""
    number = milliseconds // 1000 << 5 * random_digits | secrets.randbits(5 * random_digits)
    places = range(_SECONDS_DIGITS + random_digits - 1, -1, -1)
    return "".join(_DIGITS[number >> 5 * place & 31] for place in places)


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session without its messages; times are seconds since 1970.

    `rounds` counts the user's messages in all branches. `streaming` is whether a reply is being written, by
    this process or another one. `origin` tells where an imported session came from.
    """

    id: str
    title: str
    created_at: float
    updated_at: float
    model: str = ""
    persona: str = ""
    origin: str | None = None
    tags: tuple[str, ...] = ()
    pinned: bool = False
    streaming: bool = False
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """What the store knows about a message beyond its text.

    `versions` are the ids of the messages that stand at the same place, this one among them, oldest first:
    edits of a user's message, or regenerated replies.
    """

    id: int
    created_at: float
    versions: tuple[int, ...]
    finished: bool = True
    model_digest: str = ""
    persona: str = ""
    options: Options = field(default_factory=dict)
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """The store's side of a `Turn`; the user's message is None where it was deleted and its reply was not."""

    user: ShownMessage | None
    reply: ShownMessage | None = None


@dataclass(frozen=True, slots=True)
class LoadedSession:
    """A session with the branch that is shown; `turns` runs beside `conversation.turns`."""

    info: SessionInfo
    conversation: Conversation
    turns: tuple[ShownTurn, ...]


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A reply that its program did not live to finish."""

    session: SessionInfo
    message: int


def session_info(row: sqlite3.Row) -> SessionInfo:
    """The value of a row of `session_infos`."""
    key, title, created, updated, model, persona, origin, _, pinned, streaming, rounds = row[:11]
    return SessionInfo(
        key,
        title,
        created,
        updated,
        model,
        persona,
        origin,
        tags_of(row),
        bool(pinned),
        bool(streaming),
        rounds,
    )


def title_from(text: str) -> str:
    """A session's title: the first line of what was said first."""
    return sanitize_line(text.strip().partition("\n")[0], _TITLE_LENGTH)


def tags_of(row: sqlite3.Row) -> tuple[str, ...]:
    """The tags of a session's row."""
    return tuple(filter(None, row["tags"].split("\n")))


def tags_text(tags: tuple[str, ...]) -> str:
    """Tags as the column holds them: sorted, each between newlines; blank ones are left out."""
    words = sorted({" ".join(tag.split()) for tag in tags} - {""})
    return "".join(f"\n{word}" for word in words) + "\n" if words else ""


_CLIENT_COLUMNS = ("ttft", "elapsed", "thinking_duration")
_SERVER_COLUMNS = (
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
    "load_duration",
    "total_duration",
)
USAGE_COLUMNS = (*_CLIENT_COLUMNS, *_SERVER_COLUMNS)
"""The columns that hold a reply's cost, named as the fields of `chat.usage`."""


def message_of(row: sqlite3.Row, images: tuple[Image, ...] = ()) -> Message:
    """The message of a row of `messages`; what a reply came in is no part of what was said."""
    role = Role(row["role"])
    parts = parts_of(row) if role is Role.USER else ()
    return Message(role, row["content"], row["thinking"], images, parts)


def reply_of(row: sqlite3.Row) -> Reply:
    """The reply of an assistant's row of `messages`; one that has no end yet counts as interrupted."""
    server = ServerUsage(**{name: row[name] for name in _SERVER_COLUMNS})
    usage = Usage(**{name: row[name] for name in _CLIENT_COLUMNS}, server=server)
    return Reply(message_of(row), finish_of(row), row["model"], usage, row["removed"])


def finish_of(row: sqlite3.Row) -> FinishReason:
    """Why the reply of a row ended; interrupted where it has no end yet, or none that is known."""
    with suppress(ValueError):
        return FinishReason(row["finish_reason"])
    return FinishReason.INTERRUPTED


def shown_message(row: sqlite3.Row, versions: tuple[int, ...]) -> ShownMessage:
    """What a row of `messages` tells beyond its text."""
    return ShownMessage(
        id=row["id"],
        created_at=row["created_at"] / 1000,
        versions=versions,
        finished=row["role"] == Role.USER or row["finish_reason"] is not None,
        model_digest=row["model_digest"],
        persona=row["persona"],
        options=options_of(row),
        parts=parts_of(row),
    )


def usage_values(usage: Usage) -> dict[str, float | int | None]:
    """A reply's cost, by the names of the columns that keep it."""
    values = {name: getattr(usage, name) for name in _CLIENT_COLUMNS}
    return values | {name: getattr(usage.server, name) for name in _SERVER_COLUMNS}


def options_of(row: sqlite3.Row) -> Options:
    """The options of a row of `messages`."""
    options: Options = json.loads(row["options"])
    return options


def parts_of(row: sqlite3.Row) -> tuple[Part, ...]:
    """The parts of a row of `messages`."""
    return tuple(Part(*part) for part in json.loads(row["parts"]))


def json_text(value: object) -> str:
    """Options or parts as their columns hold them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parts_text(parts: tuple[Part, ...]) -> str:
    """Parts as the column holds them."""
    return json_text([[part.source, part.start, part.end] for part in parts])
