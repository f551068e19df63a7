"""The tables of the store, as the ordered list of steps that made them.

`PRAGMA user_version` counts the steps that a file has taken. A step is never changed once released; a new one
is appended.

Times are whole milliseconds since 1970 in UTC, so that they pass through text without a rounding error.
Durations are seconds, counts are tokens. `sessions.tags` holds each tag between newlines, so that one
`instr` finds a tag and nothing that merely contains it. `messages` is a tree: an edited message or a
regenerated reply is one more child of the same parent, and `sessions.head` names the leaf whose branch is
shown. An assistant's message without `finish_reason` is still being written by `owner`; one with both was
given up by a program that was ended, and nobody has been told yet. The long texts stand last: what comes
before them is read without following their overflow pages, and outlives the loss of one.

The full-text index holds every message that can be found. It stores no positions (`detail=none`): that
makes it less than half as large, and a hit has to be located in its text anyway, to be shown. The two
newlines behind each text give every character, also the last, a trigram that begins with it; so a search for
one or two characters is a range of trigrams (see `search`).

`drafts` holds what a chat has not sent: the composer's `text`, and as a JSON list the prompts `waiting`
before it. A draft without `session` belongs to a chat in which nothing has been said.

`images` holds what users showed with their messages, as their files had it, by the order in which it is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError
from qwentui.language import _

if TYPE_CHECKING:
    import sqlite3

_TABLES = (
    """
    CREATE TABLE sessions (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        origin TEXT UNIQUE,
        title TEXT NOT NULL DEFAULT '',
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        model TEXT NOT NULL DEFAULT '',
        persona TEXT NOT NULL DEFAULT '',
        system TEXT NOT NULL DEFAULT '',
        pinned INTEGER NOT NULL DEFAULT 0,
        tags TEXT NOT NULL DEFAULT '',
        head INTEGER REFERENCES messages (id) ON DELETE SET NULL,
        deleted_at INTEGER
    )
    """,
    """
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY,
        uid TEXT NOT NULL,
        session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
        parent INTEGER REFERENCES messages (id) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
        created_at INTEGER NOT NULL,
        finish_reason TEXT,
        owner TEXT,
        model TEXT NOT NULL DEFAULT '',
        model_digest TEXT NOT NULL DEFAULT '',
        persona TEXT NOT NULL DEFAULT '',
        options TEXT NOT NULL DEFAULT '{}',
        parts TEXT NOT NULL DEFAULT '[]',
        removed INTEGER NOT NULL DEFAULT 0,
        ttft REAL,
        elapsed REAL NOT NULL DEFAULT 0,
        thinking_duration REAL,
        prompt_eval_count INTEGER,
        prompt_eval_duration REAL,
        eval_count INTEGER,
        eval_duration REAL,
        load_duration REAL,
        total_duration REAL,
        deleted_at INTEGER,
        content TEXT NOT NULL DEFAULT '',
        thinking TEXT NOT NULL DEFAULT '',
        UNIQUE (session, uid)
    )
    """,
    "CREATE INDEX sessions_newest ON sessions (pinned, updated_at, number) WHERE deleted_at IS NULL",
    "CREATE INDEX sessions_head ON sessions (head)",
    "CREATE INDEX messages_tree ON messages (session, parent, role)",
    "CREATE INDEX messages_parent ON messages (parent)",
    """
    CREATE INDEX messages_open ON messages (session, owner)
    WHERE finish_reason IS NULL AND role = 'assistant'
    """,
    "CREATE INDEX messages_rounds ON messages (session) WHERE role = 'user' AND deleted_at IS NULL",
    """
    CREATE VIEW session_infos (
        id, title, created, updated, model, persona, origin, tags, pinned, streaming, rounds,
        number, updated_at, head, deleted_at
    ) AS
    SELECT
        id, title, created_at / 1000.0, updated_at / 1000.0, model, persona, origin, tags, pinned,
        EXISTS (
            SELECT 1 FROM messages
            WHERE session = number AND role = 'assistant' AND finish_reason IS NULL
        ),
        (
            SELECT count(*) FROM messages
            WHERE session = number AND role = 'user' AND messages.deleted_at IS NULL
        ),
        number, updated_at, head, deleted_at
    FROM sessions
    """,
    """
    CREATE VIEW living_messages AS
    SELECT
        messages.id, messages.role, messages.content, messages.created_at,
        sessions.id AS session_id, sessions.title
    FROM messages CROSS JOIN sessions ON sessions.number = messages.session
    WHERE messages.deleted_at IS NULL AND sessions.deleted_at IS NULL
    """,
)

_SEARCH = (
    """
    CREATE VIEW messages_text AS
    SELECT id, content || char(10, 10) AS content FROM messages
    WHERE deleted_at IS NULL AND (role = 'user' OR finish_reason IS NOT NULL)
    """,
    """
    CREATE VIRTUAL TABLE messages_index USING fts5 (
        content, content = 'messages_text', content_rowid = 'id', tokenize = 'trigram', detail = none
    )
    """,
    "CREATE VIRTUAL TABLE messages_trigrams USING fts5vocab ('messages_index', 'instance')",
    """
    CREATE TRIGGER messages_inserted AFTER INSERT ON messages
    WHEN new.deleted_at IS NULL AND (new.role = 'user' OR new.finish_reason IS NOT NULL)
    BEGIN
        INSERT INTO messages_index (rowid, content) VALUES (new.id, new.content || char(10, 10));
    END
    """,
    """
    CREATE TRIGGER messages_deleted AFTER DELETE ON messages
    WHEN old.deleted_at IS NULL AND (old.role = 'user' OR old.finish_reason IS NOT NULL)
    BEGIN
        INSERT INTO messages_index (messages_index, rowid, content)
        VALUES ('delete', old.id, old.content || char(10, 10));
    END
    """,
    """
    CREATE TRIGGER messages_changed AFTER UPDATE OF content, finish_reason, deleted_at ON messages
    BEGIN
        INSERT INTO messages_index (messages_index, rowid, content)
        SELECT 'delete', old.id, old.content || char(10, 10)
        WHERE old.deleted_at IS NULL AND (old.role = 'user' OR old.finish_reason IS NOT NULL);
        INSERT INTO messages_index (rowid, content)
        SELECT new.id, new.content || char(10, 10)
        WHERE new.deleted_at IS NULL AND (new.role = 'user' OR new.finish_reason IS NOT NULL);
    END
    """,
    "INSERT INTO messages_index (messages_index) VALUES ('rebuild')",
)

_UNFINISHED = (
    """
    CREATE TABLE drafts (
        key TEXT NOT NULL PRIMARY KEY,
        session INTEGER REFERENCES sessions (number) ON DELETE CASCADE,
        owner TEXT NOT NULL,
        updated_at INTEGER NOT NULL,
        waiting TEXT NOT NULL,
        text TEXT NOT NULL
    )
    """,
    "CREATE INDEX drafts_session ON drafts (session)",
    "CREATE INDEX messages_owned ON messages (owner) WHERE owner IS NOT NULL",
)

_SHOWN = (
    """
    CREATE TABLE images (
        message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        data BLOB NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX images_message ON images (message, place)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_TABLES, _SEARCH, _UNFINISHED, _SHOWN)
"""The steps, each a list of SQL statements that is applied as a whole or not at all."""


def version(connection: sqlite3.Connection) -> int:
    """How many steps the file behind `connection` has taken; 0 for an empty one."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def migrate(connection: sqlite3.Connection, *, until: int = len(MIGRATIONS)) -> None:
    """Take the steps that are missing, each in its own transaction.

    Another process may do the same at the same time: who comes second waits and finds the step taken.

    Raises:
        StoreError: The file was written by a newer version.
        sqlite3.Error: The file cannot be read or written.
    """
    while (found := version(connection)) < until:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version(connection) == found:
                for statement in MIGRATIONS[found]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {found + 1}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    if found > len(MIGRATIONS):
        raise StoreError(
            _(
                "The sessions on disk were written by a newer qwentui"
                " (store version {found}, known: {known})."
            ).format(found=found, known=until),
            _("Upgrade qwentui, or give it another data directory."),
        )
