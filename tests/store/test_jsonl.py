from __future__ import annotations

import json
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store.storing import answer

from qwentui.chat.conversation import Reply
from qwentui.chat.errors import StoreError
from qwentui.chat.message import Message, Part, Role
from qwentui.chat.sanitize import sanitize, sanitize_line
from qwentui.chat.stream import FinishReason
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.store.database import Database
from qwentui.store.imports import import_file
from qwentui.store.jsonl import Format, exported, session_ids
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        yield SessionStore(database)


def _all(store: SessionStore, form: Format = Format.JSONL) -> bytes:
    return b"".join(exported(store.database, session_ids(store.database), form))


TEXT = st.text(st.characters(codec="utf-8"), max_size=40).map(lambda text: sanitize(text).text)
LINE = TEXT.map(sanitize_line)
SECONDS = st.none() | st.floats(0, 1e6)
COUNT = st.none() | st.integers(0, 1 << 40)
OPTIONS = st.dictionaries(
    LINE,
    st.integers(-(1 << 60), 1 << 60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | TEXT
    | st.lists(TEXT, max_size=2),
    max_size=3,
)
REPLY = st.builds(
    Reply,
    st.builds(Message, st.just(Role.ASSISTANT), TEXT, TEXT),
    st.sampled_from(FinishReason),
    LINE,
    st.builds(
        Usage,
        SECONDS,
        st.floats(0, 1e6),
        SECONDS,
        st.builds(ServerUsage, COUNT, SECONDS, COUNT, SECONDS, SECONDS, SECONDS),
    ),
    st.integers(0, 1000),
)
PARTS = st.lists(st.builds(Part, LINE, st.integers(0, 99), st.integers(0, 99)), max_size=2).map(tuple)


def _grow(store: SessionStore, data: st.DataObject) -> None:
    """A session with a random tree: questions, edits, replies, deletions, another branch shown."""
    session = store.create(system=data.draw(TEXT), persona=data.draw(LINE), title=data.draw(LINE))
    messages = [store.messages.ask(session, data.draw(TEXT), parts=data.draw(PARTS))]
    for _ in range(data.draw(st.integers(0, 6))):
        chosen = data.draw(st.sampled_from(messages))
        match data.draw(st.sampled_from(["ask", "edit", "reply", "delete", "show", "break"])):
            case "ask":
                messages.append(store.messages.ask(session, data.draw(TEXT)))
            case "edit":
                messages.append(store.messages.ask(session, data.draw(TEXT), beside=chosen))
            case "reply":
                reply = store.messages.begin_reply(
                    chosen, model=data.draw(LINE), persona=data.draw(LINE), options=data.draw(OPTIONS)
                )
                store.messages.finish_reply(reply, data.draw(REPLY), data.draw(PARTS))
                messages.append(reply)
            case "delete":
                store.messages.delete(chosen)
            case "show":
                store.messages.show(chosen)
            case "break":
                reply = store.messages.begin_reply(chosen, model="m")
                store.messages.append_reply(reply, data.draw(TEXT))
    store.pin(session, data.draw(st.booleans()))
    store.tag(session, data.draw(st.lists(LINE, max_size=3).map(tuple)))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_export_import_export_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("round")
    with (
        closing(Database.open(folder / "first.db")) as first,
        closing(Database.open(folder / "second.db")) as second,
    ):
        store = SessionStore(first)
        for _ in range(data.draw(st.integers(1, 3))):
            _grow(store, data)
        out = _all(store)
        (folder / "out.jsonl").write_bytes(out)
        other = SessionStore(second)
        result = import_file(other, folder / "out.jsonl")
        assert result.problems == ()
        assert result.sessions + result.messages == out.count(b"\n")
        assert _all(other) == out
        again = import_file(other, folder / "out.jsonl")
        assert (again.sessions, again.messages, again.present) == (0, 0, result.messages)
        assert _all(other) == out


def test_each_line_stands_alone(store: SessionStore) -> None:
    session = store.create(title="titel", tags=("a", "b"))
    question = store.messages.ask(session, "line\none\u2028two")
    store.messages.finish_reply(
        store.messages.begin_reply(question, model="qwen3", options={"seed": 7}), answer("yes")
    )
    lines = [json.loads(line) for line in _all(store).split(b"\n")[:-1]]
    assert [line["type"] for line in lines] == ["session", "message", "message"]
    assert lines[0]["tags"] == ["a", "b"]
    assert lines[0]["head"] == lines[2]["id"]
    assert lines[2]["parent"] == lines[1]["id"]
    assert all(line["session"] == session for line in lines[1:])
    assert lines[1]["content"] == "line\none\u2028two"
    assert (lines[1]["usage"], lines[1]["finish_reason"]) == (None, None)
    assert (lines[2]["options"], lines[2]["finish_reason"]) == ({"seed": 7}, "stop")


def test_what_was_deleted_does_not_leave(store: SessionStore) -> None:
    session, gone = store.create(), store.create()
    store.messages.ask(gone, "secret session")
    store.delete(gone)
    empty = store.create()
    store.messages.delete(store.messages.ask(empty, "secret and alone"))
    first = store.messages.ask(session, "first")
    secret = store.messages.ask(session, "secret message")
    store.messages.ask(session, "last")
    store.messages.delete(secret)
    out = _all(store)
    assert b"secret" not in out.replace(b'"title":"secret', b"")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line.get("content") for line in lines] == [None, "first", "last"]
    assert lines[2]["parent"] == lines[1]["id"]
    assert store.messages.versions(first) == (first,)


def test_sessions_are_chosen_by_time_and_tag(tmp_path: Path) -> None:
    times = iter(range(1_000, 100_000, 1_000))
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        store = SessionStore(database, lambda: next(times))
        old, new = store.create(tags=("shop",)), store.create()
        store.messages.ask(old, "old")
        store.messages.ask(new, "new")
        assert session_ids(database) == (old, new)
        assert session_ids(database, tag="shop") == (old,)
        assert session_ids(database, since=store.get(new).updated_at) == (new,)


def test_openai_lines_hold_the_branch_that_is_shown(store: SessionStore) -> None:
    session = store.create(system="Be brief.")
    question = store.messages.ask(session, "你好")
    for text in ("first", "second"):
        store.messages.finish_reply(
            store.messages.begin_reply(question, model="m"), answer(text, thinking="hm")
        )
    store.messages.ask(store.create(), "nobody answered")
    expected = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "你好"},
        {"role": "assistant", "content": "second"},
    ]
    assert [json.loads(line) for line in _all(store, Format.OPENAI).splitlines()] == [{"messages": expected}]


def test_markdown_is_for_people(store: SessionStore) -> None:
    session = store.create(system="Be brief.", model="qwen3")
    question = store.messages.ask(session, "你好")
    reply = store.messages.begin_reply(question, model="qwen3:32b")
    store.messages.finish_reply(reply, answer("Hello **you", FinishReason.CANCELLED))
    text = _all(store, Format.MARKDOWN).decode()
    assert text.startswith("# 你好\n\n")
    assert "## System\n\nBe brief.\n" in text
    assert "## You\n\n你好\n" in text
    assert text.endswith("Hello **you\n\n*cancelled*\n\n")


def test_an_unknown_session_is_one_sentence(store: SessionStore) -> None:
    with pytest.raises(StoreError, match="There is no session"):
        list(exported(store.database, ["nobody"], Format.JSONL))


def test_a_big_session_leaves_in_bounded_memory(store: SessionStore) -> None:
    session = store.create()
    with store.database.transaction():
        for number in range(300):
            store.messages.ask(session, f"{number} " * 5_000)
    tracemalloc.start()
    size = sum(map(len, exported(store.database, [session], Format.JSONL)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 5_000_000
    assert peak < 1_000_000


def test_other_tools_see_one_kind_of_value_in_each_field(store: SessionStore) -> None:
    session = store.create()
    for options in ({}, {"temperature": 0.5}):
        question = store.messages.ask(session, "q")
        store.messages.finish_reply(
            store.messages.begin_reply(question, model="m", options=options), answer("a")
        )
    kinds: dict[tuple[str, str], set[type[Any]]] = {}
    for line in map(json.loads, _all(store).splitlines()):
        for name, value in line.items():
            kinds.setdefault((line["type"], name), set()).add(type(value))
    assert all(len(found - {type(None)}) <= 1 for found in kinds.values())
