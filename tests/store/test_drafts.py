"""Drafts: kept for a chat, held by a living program, taken over from a dead one."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from qwentui.store.database import Database
from qwentui.store.drafts import Draft
from qwentui.store.sessions import SessionStore
from qwentui.store.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def store(path: Path) -> Iterator[SessionStore]:
    with closing(Database.open(path)) as database:
        yield SessionStore(database)


def _said(store: SessionStore) -> str:
    session = store.create()
    store.messages.ask(session, "hello")
    return session


def test_the_next_program_finds_what_was_not_sent_once(store: SessionStore, path: Path) -> None:
    session = _said(store)
    kept = Draft("half a senten\nce", ("订单呢?", "and then"))
    store.drafts.keep("a", session, kept)
    store.database.close()
    with closing(Database.open(path)) as database, closing(Database.open(path)) as other:
        drafts = SessionStore(database).drafts
        assert drafts.take_over("b", session) == kept
        assert SessionStore(other).drafts.take_over("c", session) == Draft()
        drafts.keep("b", session, Draft())
        assert not drafts.take_over("b", session)


def test_what_another_living_program_holds_stays_with_it(store: SessionStore, path: Path) -> None:
    session = _said(store)
    store.drafts.keep("a", session, Draft("mine"))
    store.drafts.keep("b", None, Draft("new chat"))
    with closing(Database.open(path)) as database:
        other = SessionStore(database)
        assert not other.drafts.take_over("x", session)
        assert not other.drafts.take_over("x", None)


def test_a_new_chat_takes_what_a_program_that_is_gone_left_and_not_our_own(
    store: SessionStore, path: Path
) -> None:
    store.drafts.keep("a", None, Draft("orphan"))
    store.database.close()
    with closing(Database.open(path)) as database:
        drafts = SessionStore(database).drafts
        drafts.keep("mine", None, Draft("of another chat here"))
        assert drafts.take_over("new", None) == Draft("orphan")
        assert not drafts.take_over("newer", None)


def test_a_chat_that_is_opened_again_here_gets_its_own_draft(store: SessionStore) -> None:
    session = _said(store)
    store.drafts.keep("a", session, Draft("mine"))
    assert store.drafts.take_over("b", session) == Draft("mine")


def test_a_draft_goes_with_its_session(store: SessionStore) -> None:
    session = _said(store)
    store.drafts.keep("a", session, Draft("mine"))
    store.delete(session)
    store.restore(session)
    assert store.database.connection.execute("SELECT count(*) FROM drafts").fetchone()[0] == 1
    store.delete(session)
    assert store.purge(store.now() / 1000 + 1) == 1
    assert store.database.connection.execute("SELECT count(*) FROM drafts").fetchone()[0] == 0


async def test_what_is_posted_is_on_disk_when_the_writer_closes(path: Path) -> None:
    writer = StoreWriter(path)
    await writer.open()
    writer.post(lambda store: store.drafts.keep("a", None, Draft("last words")))
    writer.post(lambda store: store.drafts.keep("b", "gone", Draft("of a session that is not there")))
    assert writer.close()
    with closing(Database.open(path)) as database:
        assert SessionStore(database).drafts.take_over("b", None) == Draft("last words")
