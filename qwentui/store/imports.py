"""Sessions from files: qwentui's own lines, `{"messages": [...]}` lines, and ChatGPT's `conversations.json`.

Everything becomes the records of the own format (see `jsonl`) and goes one way into the store: through the
sanitizer, below its parent, and only if its session does not hold it yet. So a file may be imported twice, or
again when it has grown.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from qwentui.chat.image import image_of
from qwentui.chat.message import Part, Role
from qwentui.chat.sanitize import sanitize, sanitize_line
from qwentui.chat.stream import FinishReason
from qwentui.language import _, ngettext
from qwentui.store.foreign import Left, from_chatgpt, from_openai
from qwentui.store.images import keep_images
from qwentui.store.jsonl import VERSION, MessageRecord, SessionRecord, UsageRecord, milliseconds_of
from qwentui.store.records import USAGE_COLUMNS, json_text, parts_text, tags_text, title_from
from qwentui.store.statements import insert, update

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from qwentui.store.foreign import Record
    from qwentui.store.sessions import SessionStore
    from qwentui.store.statements import Column

_BATCH = 200
_MOST_REASON = 300


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be taken over: the number of its line (or conversation), and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought: how much is new, how many messages were there already, and what went wrong."""

    sessions: int
    messages: int
    present: int
    problems: tuple[Problem, ...]


def import_file(
    store: SessionStore, path: Path, progress: Callable[[int], None] = lambda _: None
) -> Imported:
    """Take over the sessions in a file of any known kind; what is bad in it is passed over and told.

    Args:
        store: Where they go; other programs may use it meanwhile.
        path: JSON lines, or ChatGPT's `conversations.json`, which is read as a whole.
        progress: Called now and then with the number of lines, or conversations, that are done.

    Raises:
        OSError: The file cannot be read.
        StoreError: The store cannot be written; what was reported to `progress` is in it.
    """
    intake = _Intake(store)
    with path.open("rb") as file:
        array = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
        file.seek(0)
        items = enumerate(_conversations(file.read()) if array else file, 1)
        take = intake.take_conversation if array else intake.take_line
        done = 0
        while batch := list(islice(items, _BATCH)):
            with store.database.transaction() as connection:
                for number, item in batch:
                    take(connection, number, item)
                intake.settle(connection)
            done += len(batch)
            progress(done)
    return intake.report()


def _conversations(data: bytes) -> Iterator[bytes]:
    try:
        yield from map(bytes, msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=list[msgspec.Raw]))
    except msgspec.DecodeError:
        # Not an array after all: one bad conversation.
        yield data[:1024]


class _Kind(msgspec.Struct):
    """What tells the kinds of lines apart."""

    qwentui: int | None = None
    messages: msgspec.Raw = msgspec.Raw()


@dataclass(slots=True)
class _Place:
    """A session of the file in the store: its number, the head it wants, and the last message put there."""

    number: int
    fresh: bool
    head: str | None = None
    last: int | None = None


class _Intake:
    """One import as it goes on: where the file's sessions are in the store, and what to report."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._now = store.now() / 1000
        self._places: dict[str, _Place] = {}
        self._touched: dict[int, _Place] = {}
        self._sessions = self._messages = self._present = 0
        self._problems: list[Problem] = []
        self._record = msgspec.json.Decoder(SessionRecord | MessageRecord)

    def take_line(self, connection: sqlite3.Connection, number: int, line: bytes) -> None:
        """Take over one line of either kind; a blank one is nothing."""
        if line.strip():
            self._take(connection, number, lambda: self._records(line.removeprefix(b"\xef\xbb\xbf")))

    def take_conversation(self, connection: sqlite3.Connection, number: int, raw: bytes) -> None:
        """Take over one conversation of ChatGPT's."""
        self._take(connection, number, lambda: from_chatgpt(raw, self._now))

    def settle(self, connection: sqlite3.Connection) -> None:
        """Let each session that got something show a branch, so that none is invisible if this ends here."""
        for place in self._touched.values():
            wanted = _message(connection, place.number, place.head)
            update(connection, "sessions", "number", place.number, {"head": wanted or place.last})
        self._touched.clear()

    def report(self) -> Imported:
        """What has come of it so far."""
        return Imported(self._sessions, self._messages, self._present, tuple(self._problems))

    def _records(self, line: bytes) -> Iterable[Record]:
        kind = msgspec.json.decode(line, type=_Kind)
        if kind.qwentui is None and bytes(kind.messages):
            return from_openai(line, self._now)
        if kind.qwentui is not None and kind.qwentui > VERSION:
            newer = _("written by a newer qwentui (version {version})").format(version=kind.qwentui)
            raise msgspec.ValidationError(newer)
        return (self._record.decode(line),)

    def _take(
        self, connection: sqlite3.Connection, number: int, records: Callable[[], Iterable[Record]]
    ) -> None:
        try:
            found = tuple(records())
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._tell(number, str(error))
            return
        for record in found:
            match record:
                case SessionRecord():
                    self._take_session(connection, record)
                case MessageRecord():
                    self._take_message(connection, number, record)
                case Left(messages) if messages:
                    left_out = ngettext(
                        "left out {count} message that is no text of user or model",
                        "left out {count} messages that are no text of user or model",
                        messages,
                    )
                    self._tell(number, left_out.format(count=messages))

    def _tell(self, number: int, reason: str) -> None:
        self._problems.append(Problem(number, sanitize_line(reason, _MOST_REASON)))

    def _take_session(self, connection: sqlite3.Connection, record: SessionRecord) -> None:
        origin = None if record.origin is None else sanitize_line(record.origin)
        row = connection.execute(
            "SELECT number, head FROM sessions WHERE id = ? OR origin = ?", (record.id, origin)
        ).fetchone()
        if row is None:
            number = insert(connection, "sessions", self._session_values(connection, record, origin))
            self._places[record.id] = _Place(number, fresh=True, head=record.head)
            self._sessions += 1
            return
        # To import what was deleted is to want it back.
        connection.execute(
            "UPDATE sessions SET deleted_at = NULL, updated_at = max(updated_at, ?) WHERE number = ?",
            (milliseconds_of(record.updated_at), row["number"]),
        )
        self._places[record.id] = _Place(row["number"], fresh=row["head"] is None, head=record.head)

    def _session_values(
        self, connection: sqlite3.Connection, record: SessionRecord, origin: str | None
    ) -> dict[str, Column]:
        return {
            "id": record.id if record.id != origin else self._store.fresh_id(connection),
            "origin": origin,
            "title": sanitize_line(record.title),
            "created_at": milliseconds_of(record.created_at),
            "updated_at": milliseconds_of(record.updated_at),
            "model": sanitize_line(record.model),
            "persona": sanitize_line(record.persona),
            "system": sanitize(record.system).text,
            "pinned": int(record.pinned),
            "tags": tags_text(tuple(map(sanitize_line, record.tags))),
        }

    def _take_message(self, connection: sqlite3.Connection, line: int, record: MessageRecord) -> None:
        if record.session not in self._places:
            self._take_session(connection, _session_around(record))
        place = self._places[record.session]
        if (found := _message(connection, place.number, record.id)) is not None:
            place.last = found
            self._present += 1
            return
        parent = _message(connection, place.number, record.parent)
        if record.parent is not None and parent is None:
            parent = place.last
            self._tell(line, _("the message before this one is missing; it follows the one before that"))
        place.last = insert(connection, "messages", _message_values(record, place.number, parent))
        keep_images(connection, place.last, filter(image_of, record.images))
        self._messages += 1
        if place.fresh:
            self._touched[place.number] = place


def _message(connection: sqlite3.Connection, session: int, uid: str | None) -> int | None:
    row = connection.execute(
        "SELECT id FROM messages WHERE session = ? AND uid = ?", (session, uid)
    ).fetchone()
    return row["id"] if row is not None else None


def _session_around(record: MessageRecord) -> SessionRecord:
    """The session of a message whose own record is missing or bad."""
    return SessionRecord(
        qwentui=VERSION,
        id=record.session,
        title=title_from(record.content),
        created_at=record.created_at,
        updated_at=record.created_at,
        model=record.model,
        persona=record.persona,
    )


def _message_values(record: MessageRecord, session: int, parent: int | None) -> dict[str, Column]:
    content, thinking = sanitize(record.content), sanitize(record.thinking)
    answered = record.role == Role.ASSISTANT
    usage = record.usage or UsageRecord()
    parts = tuple(Part(sanitize_line(part.source), part.start, part.end) for part in record.parts)
    return {
        "uid": record.id,
        "session": session,
        "parent": parent,
        "role": record.role,
        "content": content.text,
        "thinking": thinking.text,
        "created_at": milliseconds_of(record.created_at),
        "finish_reason": (record.finish_reason or FinishReason.INTERRUPTED) if answered else None,
        "model": sanitize_line(record.model),
        "model_digest": sanitize_line(record.model_digest),
        "persona": sanitize_line(record.persona),
        "options": json_text(record.options),
        "parts": parts_text(parts),
        "removed": record.removed + content.removed + thinking.removed,
        **{name: getattr(usage, name) for name in USAGE_COLUMNS},
    }
