from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from store.storing import answer

from qwentui.chat.errors import StoreError
from qwentui.store.database import Database
from qwentui.store.records import new_id
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    """Seconds since 1970 that pass one by one."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        yield SessionStore(database, Clock())


def _said(store: SessionStore, text: str) -> str:
    session = store.create(model="qwen3-32b-local", persona="电商客服")
    store.messages.ask(session, text)
    return session


def test_ids_sort_by_time_and_fit_a_command_line() -> None:
    ids = [new_id(second * 1000, 3) for second in (0, 1, 31, 32, 1_700_000_000, 1_800_000_000)]
    assert ids == sorted(ids)
    assert all(len(found) == 10 and found.isalnum() and found.islower() for found in ids[4:])


def test_a_session_gets_its_title_from_the_first_line_that_is_said(store: SessionStore) -> None:
    session = store.create()
    question = store.messages.ask(session, "\n  订单什么时候\u202e到? \nplease")
    assert store.get(session).title == "订单什么时候到?"
    store.messages.ask(session, "another")
    assert store.get(session).title == "订单什么时候到?"
    store.rename(session, "")
    store.messages.ask(session, "x" * 100, beside=question)
    assert store.get(session).title == "x" * 59 + "…"


def test_the_list_shows_pinned_sessions_then_the_newest_and_no_empty_ones(store: SessionStore) -> None:
    first, second, third = (_said(store, text) for text in ("first", "second", "third"))
    store.create(title="empty")
    store.pin(first, True)
    store.messages.ask(second, "again")
    assert [info.id for info in store.listed()] == [first, second, third]
    assert [info.rounds for info in store.listed()] == [1, 2, 1]
    assert [info.id for info in store.listed(limit=1, offset=1)] == [second]
    assert store.last() == second
    store.pin(first, False)
    assert [info.id for info in store.listed()] == [second, third, first]


def test_the_list_is_filtered_by_words_of_the_title_tag_and_time(store: SessionStore) -> None:
    shop, code = _said(store, "Привет 订单 Docker"), _said(store, "docker compose")
    store.tag(shop, (" shop ", "work", "shop", ""))
    store.tag(code, ("shopping",))
    assert store.get(shop).tags == ("shop", "work")
    assert {info.id for info in store.listed(matching="DOCKER")} == {shop, code}
    assert [info.id for info in store.listed(matching="привет 单")] == [shop]
    assert [info.id for info in store.listed(tag="shop")] == [shop]
    assert [info.id for info in store.listed(since=store.get(code).updated_at)] == [code]
    assert store.listed(matching="%") == ()


def test_a_deleted_session_is_out_of_sight_until_it_is_restored(store: SessionStore) -> None:
    session = _said(store, "secret plan")
    store.delete(session)
    assert store.listed() == ()
    assert store.last() is None
    assert store.search("secret") == ()
    with pytest.raises(StoreError):
        store.resolve(session)
    store.restore(session)
    assert [info.id for info in store.listed()] == [session]
    assert {hit.message is None for hit in store.search("secret")} == {True, False}


def test_purging_takes_away_for_good_what_was_deleted_long_ago(store: SessionStore) -> None:
    gone, kept = _said(store, "gone session"), _said(store, "kept session")
    store.messages.delete(store.messages.ask(kept, "gone message"))
    store.delete(gone)
    assert store.purge(before=1_700_000_000) == 0
    assert store.purge(before=1_800_000_000) == 1
    with pytest.raises(StoreError, match="no session"):
        store.restore(gone)
    texts = [row["content"] for row in store.database.connection.execute("SELECT content FROM messages")]
    assert texts == ["kept session", ""]
    assert store.search("gone") == ()


def test_a_session_is_found_by_the_beginning_or_the_end_of_its_id(store: SessionStore) -> None:
    first, second = (_said(store, text) for text in ("first", "second"))
    assert store.resolve(f" {first.upper()} ") == first
    assert store.resolve(first[-5:]) == first
    with pytest.raises(StoreError, match="More than one"):
        store.resolve(second[:4])
    for nothing in ("", "nothing", "%"):
        with pytest.raises(StoreError, match="no session"):
            store.resolve(nothing)


def test_configuring_changes_what_is_given(store: SessionStore) -> None:
    session = _said(store, "hello")
    store.configure(session, system="Be kind.")
    store.configure(session, model="qwen3:8b")
    store.configure(session)
    loaded = store.load(session)
    assert (loaded.info.model, loaded.info.persona) == ("qwen3:8b", "电商客服")
    assert loaded.conversation.system == "Be kind."


@pytest.mark.parametrize("text", ["lone \ud800 surrogate", "a\0b", "", "\U0010ffff", "x" * 3_000_000])
def test_any_text_can_be_kept(store: SessionStore, text: str) -> None:
    session = _said(store, text)
    (turn,) = store.load(session).conversation.turns
    assert turn.user.content == text.replace("\ud800", "?")


def test_a_session_that_is_not_there_is_one_sentence(store: SessionStore) -> None:
    for call in (store.get, store.load, store.delete):
        with pytest.raises(StoreError, match="There is no session"):
            call("nobody")
    with pytest.raises(StoreError, match="There is no session"):
        store.messages.ask("nobody", "hello")
    for number in (store.messages.show, store.messages.delete):
        with pytest.raises(StoreError, match="There is no message"):
            number(99)
    with pytest.raises(StoreError, match="There is no message"):
        store.messages.append_reply(99, "text")
    with pytest.raises(StoreError, match="There is no message"):
        store.messages.finish_reply(99, answer("text"))


def test_the_list_finds_tags_by_their_beginnings_and_tells_who_streams(store: SessionStore) -> None:
    work, home = _said(store, "at work"), _said(store, "at home")
    store.tag(work, ("work", "a10"))
    store.tag(home, ("homework",))
    assert [info.id for info in store.listed(tags=("wor",))] == [work]
    assert [info.id for info in store.listed(tags=("wor", "a"))] == [work]
    assert not store.listed(tags=("wor", "home"))
    assert store.streaming() == frozenset()
    question = store.messages.ask(home, "go on")
    reply = store.messages.begin_reply(question, model="m")
    assert store.streaming() == {home}
    store.messages.finish_reply(reply, answer("done"))
    assert store.streaming() == frozenset()
