from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from store.storing import answer

from qwentui.store import search as searching
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAID = (
    "订单发货后多久能收到?同城一般一天内送达。",
    "跨省一般 2–4 天, 以物流页为准。\n预售商品以商品页的发货时间为准。",
    "Use Docker Compose: `docker compose up -d`. Then open http://localhost:8080/ in Firefox.",
    'print("hello") AND NOT (x OR y) NEAR* ^foo col:bar "unbalanced',
    "Привет, мир. Ещё раз!",
    "ab",
    "龘",
    "50% off, a_b \\ 'quoted'",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionStore]:
    with closing(Database.open(tmp_path_factory.mktemp("search") / "sessions.db")) as database:
        store = SessionStore(database)
        session = store.create(title="说过的话")
        for text in SAID:
            store.messages.ask(session, text)
        yield store


def _found(store: SessionStore, query: str) -> list[str]:
    """The messages that are found, each with its matches cut out of the snippet checked."""
    texts = []
    for hit in store.search(query):
        assert hit.matches
        for start, end in hit.matches:
            assert any(word.lower() == hit.snippet[start:end].lower() for word in query.split())
        if hit.message is not None:
            row = store.database.connection.execute(
                "SELECT content FROM messages WHERE id = ?", (hit.message,)
            )
            texts.append(row.fetchone()[0])
    return texts


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("天", (1, 0)),
        ("龘", (6,)),
        ("达", (0,)),
        ("达。", (0,)),
        ("。", (1, 0)),
        ("送达", (0,)),
        ("发货", (1, 0)),
        ("以商品", (1,)),
        ("发货时间", (1,)),
        ("一般 天", (1, 0)),
        ("一般 预售商品", (1,)),
        ("AB", (5,)),
        ("b", (7, 5, 3)),
        ("docker", (2,)),
        ("COMPOSE docker", (2,)),
        ("firefox 天", ()),
        ("localhost:8080/", (2,)),
        ("привет", (4,)),
        ("ЕЩЁ", (4,)),
        ("пр", (4,)),
        ('"hello")', (3,)),
        ("near*", (3,)),
        ("col:bar", (3,)),
        ("^foo", (3,)),
        ('"', (3,)),
        ("%", (7,)),
        ("a_b", (7,)),
        ("\\", (7,)),
        ("'quoted'", (7,)),
        ("–4", (1,)),
        ("nothing of the kind", ()),
        ("", ()),
        (" \t ", ()),
        ("\0", ()),
    ],
)
def test_each_word_is_found_wherever_it_stands(
    store: SessionStore, query: str, expected: tuple[int, ...]
) -> None:
    assert _found(store, query) == [SAID[number] for number in expected]


def test_a_title_is_found_too(store: SessionStore) -> None:
    (hit,) = store.search("过的")
    assert (hit.message, hit.snippet, hit.matches) == (None, "说过的话", ((1, 3),))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_every_piece_of_every_message_is_found(store: SessionStore, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(SAID))
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    if text[start:end].strip():
        assert text in _found(store, text[start:end])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=8))
@example("lone \ud800 surrogate")
@example("x" * 10_000)
@example("many " + " ".join(map(str, range(1000))))
def test_no_query_is_an_error(store: SessionStore, query: str) -> None:
    store.search(query)


def test_a_hit_is_shown_in_its_sentence(store: SessionStore) -> None:
    session = store.create(title="-")
    store.messages.ask(session, "One. Two is here! Three\nfour. " + "x" * 300 + " needle " + "y" * 300)
    snippets = {query: store.search(query)[0].snippet for query in ("two", "three", "needle", "同城")}
    assert snippets["同城"] == "…同城一般一天内送达。"
    assert snippets["two"] == "…Two is here!…"
    assert snippets["three"] == "…Three…"
    assert snippets["needle"] == "…" + "x" * 79 + " needle " + "y" * 79 + "…"
    store.delete(session)


def test_what_is_common_what_is_rare_and_both_together_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_WINDOW", 10)
    monkeypatch.setattr(searching, "_FEW", 10)
    with closing(Database.open(tmp_path / "sessions.db")) as database, database.transaction():
        store = SessionStore(database)
        session = store.create(title="-")
        ids = [store.messages.ask(session, f"的 common 了 {number}") for number in range(50)]
        rare = store.messages.ask(session, "的 龘 common")
        for query, expected in {
            "的": [rare, *ids[:30:-1]],
            "了": ids[:29:-1],
            "龘": [rare],
            "龘 的": [rare],
            "common 龘": [rare],
            "common 的": [rare, *ids[:30:-1]],
            "了 龘": [],
        }.items():
            assert [hit.message for hit in store.search(query, limit=20)] == expected, query


def test_a_reply_is_found_once_it_has_ended_by_its_final_text(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        store = SessionStore(database)
        reply = store.messages.begin_reply(store.messages.ask(store.create(), "question"), model="m")
        store.messages.append_reply(reply, "draft")
        store.messages.finish_reply(reply, answer("final"))
        assert store.search("draft") == ()
        assert [hit.message for hit in store.search("final")] == [reply]
        store.messages.resume_reply(reply)
        store.messages.finish_reply(reply, answer("last"))
        assert store.search("final") == ()
        assert [hit.message for hit in store.search("la")] == [reply]
        database.connection.execute("INSERT INTO messages_index (messages_index) VALUES ('integrity-check')")
