"""Sessions as JSON lines: qwentui's own format, and the ways out to other tools.

Own format, version 1: a record for a session, then one for each of its messages in the order of writing, a
parent always before its children. Every line is a JSON object that stands alone. Times are RFC 3339 text in
UTC with milliseconds, durations are seconds, counts are tokens. A message names its session, itself and its
parent by text ids that stay the same wherever it is imported. What was deleted does not leave the store: its
children go to its parent. A reply that is still being written leaves as an interrupted one. `jq` and DuckDB
read such a file as it is; Hugging Face `datasets` infers types from the first 10 MB unless it is loaded with
`load_dataset("json", data_files=..., chunksize=1 << 30)`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import msgspec

from qwentui.chat.message import Role, openai_content
from qwentui.chat.stream import FinishReason
from qwentui.language import pgettext
from qwentui.store import branches
from qwentui.store.images import images_of, messages_with_images
from qwentui.store.records import USAGE_COLUMNS, finish_of, options_of, parts_of, tags_of
from qwentui.store.statements import session_row

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from qwentui.chat.image import Image
    from qwentui.store.database import Database

VERSION = 1
"""The version of the own format; a reader refuses lines of a later one."""

SessionId = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-z]{1,32}\Z")]
MessageId = Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Za-z_-]{1,64}\Z")]
Time = Annotated[datetime, msgspec.Meta(tz=True)]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Format(StrEnum):
    """What sessions can leave as."""

    JSONL = "jsonl"
    OPENAI = "openai"
    MARKDOWN = "markdown"


class PartRecord(msgspec.Struct, frozen=True):
    """Where characters `start` to `end` of the content came from."""

    source: str
    start: int
    end: int


class UsageRecord(msgspec.Struct, frozen=True):
    """A reply's cost; see `chat.usage`."""

    ttft: float | None = None
    elapsed: float = 0.0
    thinking_duration: float | None = None
    prompt_eval_count: int | None = None
    prompt_eval_duration: float | None = None
    eval_count: int | None = None
    eval_duration: float | None = None
    load_duration: float | None = None
    total_duration: float | None = None


class SessionRecord(msgspec.Struct, frozen=True, tag_field="type", tag="session"):
    """A session; `head` is the message whose branch is shown."""

    qwentui: int
    id: SessionId
    title: str
    created_at: Time
    updated_at: Time
    model: str = ""
    persona: str = ""
    system: str = ""
    pinned: bool = False
    tags: tuple[str, ...] = ()
    head: MessageId | None = None
    origin: str | None = None


class MessageRecord(msgspec.Struct, frozen=True, tag_field="type", tag="message"):
    """A message of `session`; `finish_reason` and `usage` are None for the user's.

    `images` are base64 in the line.
    """

    qwentui: int
    session: SessionId
    id: MessageId
    parent: MessageId | None
    role: Role
    content: str
    created_at: Time
    thinking: str = ""
    finish_reason: FinishReason | None = None
    model: str = ""
    model_digest: str = ""
    persona: str = ""
    options: dict[str, bool | int | float | str | list[str]] = {}
    usage: UsageRecord | None = None
    removed: int = 0
    parts: tuple[PartRecord, ...] = ()
    images: tuple[bytes, ...] = ()


def time_of(milliseconds: int) -> datetime:
    """A column's milliseconds since 1970 as a time in UTC.

    Raises:
        OverflowError: It lies beyond the year 9999.
    """
    return _EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds_of(time: datetime) -> int:
    """A time as the columns hold it."""
    return (time - _EPOCH) // timedelta(milliseconds=1)


def session_ids(database: Database, *, since: float = 0.0, tag: str = "") -> tuple[str, ...]:
    """The ids of the sessions that hold anything, the oldest first.

    Args:
        database: An open store.
        since: Seconds since 1970 since when something has to have happened in them.
        tag: A tag that they have to bear.

    Raises:
        StoreError: The store cannot be read.
    """
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT id FROM sessions WHERE deleted_at IS NULL AND updated_at >= :since"
            " AND (:tag = '' OR instr(tags, char(10) || :tag || char(10))) AND EXISTS"
            " (SELECT 1 FROM messages WHERE session = number AND messages.deleted_at IS NULL)"
            " ORDER BY created_at, id",
            {"since": round(since * 1000), "tag": tag},
        )
        return tuple(row["id"] for row in rows)


def exported(database: Database, sessions: Iterable[str], form: Format) -> Iterator[bytes]:
    """The sessions in one format, in pieces that end with a newline: a line, or a message for people.

    The own format needs memory for one message at a time, the others for one session's shown branch.

    Raises:
        StoreError: There is no such session, or the store cannot be read.
    """
    pieces = {Format.JSONL: _records, Format.OPENAI: _openai, Format.MARKDOWN: _markdown}[form]
    for session in sessions:
        with database.reading() as connection:
            yield from pieces(connection, session_row(connection, session))


_KEPT = """
    WITH RECURSIVE above (id, parent, uid, deleted_at) AS (
        SELECT id, parent, uid, deleted_at FROM messages WHERE id = ?
        UNION ALL
        SELECT next.id, next.parent, next.uid, next.deleted_at FROM above JOIN messages AS next
        ON next.id = above.parent AND next.id < above.id WHERE above.deleted_at IS NOT NULL
    )
    SELECT uid FROM above WHERE deleted_at IS NULL
"""


def _records(connection: sqlite3.Connection, session: sqlite3.Row) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    yield encoder.encode(_session_record(connection, session)) + b"\n"
    seen = messages_with_images(connection, session["number"])
    for row in connection.execute(
        """
        SELECT messages.*, above.uid AS parent_uid, above.deleted_at IS NOT NULL AS parent_deleted
        FROM messages LEFT JOIN messages AS above ON above.id = messages.parent
        WHERE messages.session = ? AND messages.deleted_at IS NULL ORDER BY messages.id
        """,
        (session["number"],),
    ):
        parent = _kept(connection, row["parent"]) if row["parent_deleted"] else row["parent_uid"]
        images = images_of(connection, row["id"]) if row["id"] in seen else ()
        yield encoder.encode(_message_record(session["id"], parent, row, images)) + b"\n"


def _kept(connection: sqlite3.Connection, message: int | None) -> str | None:
    """The text id of `message`, or of the nearest one above it that is not deleted."""
    row = connection.execute(_KEPT, (message,)).fetchone()
    return row["uid"] if row is not None else None


def _newest(connection: sqlite3.Connection, session: int) -> str | None:
    """The text id of the last message that is not deleted, for a session that shows none."""
    row = connection.execute(
        "SELECT uid FROM messages WHERE session = ? AND deleted_at IS NULL ORDER BY id DESC", (session,)
    ).fetchone()
    return row["uid"] if row is not None else None


def _session_record(connection: sqlite3.Connection, row: sqlite3.Row) -> SessionRecord:
    return SessionRecord(
        qwentui=VERSION,
        id=row["id"],
        title=row["title"],
        created_at=time_of(row["created_at"]),
        updated_at=time_of(row["updated_at"]),
        model=row["model"],
        persona=row["persona"],
        system=row["system"],
        pinned=bool(row["pinned"]),
        tags=tags_of(row),
        head=_kept(connection, row["head"]) or _newest(connection, row["number"]),
        origin=row["origin"],
    )


def _message_record(
    session: str, parent: str | None, row: sqlite3.Row, images: tuple[Image, ...]
) -> MessageRecord:
    answered = row["role"] == Role.ASSISTANT
    return MessageRecord(
        qwentui=VERSION,
        session=session,
        id=row["uid"],
        parent=parent,
        role=Role(row["role"]),
        content=row["content"],
        created_at=time_of(row["created_at"]),
        thinking=row["thinking"],
        finish_reason=finish_of(row) if answered else None,
        model=row["model"],
        model_digest=row["model_digest"],
        persona=row["persona"],
        options=options_of(row),
        usage=UsageRecord(**{name: row[name] for name in USAGE_COLUMNS}) if answered else None,
        removed=row["removed"],
        parts=tuple(PartRecord(part.source, part.start, part.end) for part in parts_of(row)),
        images=tuple(image.data for image in images),
    )


def _openai(connection: sqlite3.Connection, row: sqlite3.Row) -> Iterator[bytes]:
    conversation, _turns = branches.shown(connection, row["number"], row["system"], row["head"])
    messages = conversation.messages()
    if any(message.role == Role.ASSISTANT for message in messages):
        spoken = [{"role": message.role, "content": openai_content(message)} for message in messages]
        yield msgspec.json.encode({"messages": spoken}) + b"\n"


def _markdown(connection: sqlite3.Connection, row: sqlite3.Row) -> Iterator[bytes]:
    conversation, _turns = branches.shown(connection, row["number"], row["system"], row["head"])
    created = time_of(row["created_at"]).strftime("%Y-%m-%d %H:%M UTC")
    about = " · ".join(filter(None, (created, row["model"], row["persona"], row["id"])))
    yield f"# {row['title']}\n\n{about}\n\n".encode()
    if conversation.system:
        speaker = pgettext("speaker", "System")
        yield f"## {speaker}\n\n{conversation.system}\n\n".encode()
    for turn in conversation.turns:
        speaker = pgettext("speaker", "You")
        yield f"## {speaker}\n\n{turn.user.content}\n\n".encode()
        if turn.reply is not None:
            end = "" if turn.reply.finish_reason is FinishReason.STOP else f"\n\n*{turn.reply.finish_reason}*"
            speaker = turn.reply.model or pgettext("speaker", "Model")
            yield f"## {speaker}\n\n{turn.reply.message.content}{end}\n\n".encode()
