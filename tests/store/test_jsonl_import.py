from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store.storing import answer

from qwentui.store.database import Database
from qwentui.store.imports import Imported, import_file
from qwentui.store.jsonl import Format, exported, session_ids
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        yield SessionStore(database)


def _imported(store: SessionStore, tmp_path: Path, data: bytes) -> Imported:
    file = tmp_path / "file"
    file.write_bytes(data)
    return import_file(store, file)


def _lines(tmp_path: Path, *texts: str) -> list[bytes]:
    """A session of another store, as own lines: its record, then a question and its answer for each text."""
    with closing(Database.open(tmp_path / "other.db")) as database:
        other = SessionStore(database)
        session = other.create(title="elsewhere")
        for text in texts:
            question = other.messages.ask(session, text)
            other.messages.finish_reply(other.messages.begin_reply(question, model="m"), answer(f"re {text}"))
        return list(exported(database, session_ids(database), Format.JSONL))


def _shown(store: SessionStore, session: str) -> list[str]:
    turns = store.load(session).conversation.turns
    return [
        text
        for turn in turns
        for text in (turn.user.content, turn.reply.message.content if turn.reply else "")
    ]


def test_bad_lines_are_told_by_number_and_the_rest_is_taken_over(store: SessionStore, tmp_path: Path) -> None:
    lines = _lines(tmp_path, "one", "two")
    newer = lines[1].replace(b'"qwentui":1', b'"qwentui":2')
    bad = [
        b"{\n",
        b"\xff\xfe\n",
        b'{"type":"weather"}\n',
        b"[1]\n",
        b'"text"\n',
        b"null\n",
        b'{"qwentui":1}\n',
        newer,
    ]
    result = _imported(store, tmp_path, b"\n".join([b"\xef\xbb\xbf" + lines[0], *bad, *lines[1:]]))
    assert (result.sessions, result.messages) == (1, 4)
    assert len(result.problems) == len(bad)
    assert all(problem.reason for problem in result.problems)
    assert result.problems[-1].reason.startswith("written by a newer qwentui")
    numbers = [problem.line for problem in result.problems]
    assert numbers == sorted(numbers)
    assert _shown(store, store.listed()[0].id) == ["one", "re one", "two", "re two"]


def test_a_message_whose_parent_is_missing_follows_the_one_before(
    store: SessionStore, tmp_path: Path
) -> None:
    lines = _lines(tmp_path, "one", "two")
    del lines[2]
    result = _imported(store, tmp_path, b"".join(lines))
    assert [problem.line for problem in result.problems] == [3]
    assert _shown(store, store.listed()[0].id) == ["one", "", "two", "re two"]


def test_messages_without_their_session_make_one(store: SessionStore, tmp_path: Path) -> None:
    assert _imported(store, tmp_path, b"".join(_lines(tmp_path, "one")[1:])).problems == ()
    assert [info.title for info in store.listed()] == ["one"]


def test_a_file_that_has_grown_adds_what_is_new(store: SessionStore, tmp_path: Path) -> None:
    lines = _lines(tmp_path, "one", "two")
    _imported(store, tmp_path, b"".join(lines[:3]))
    result = _imported(store, tmp_path, b"".join(lines))
    assert (result.sessions, result.messages, result.present) == (0, 2, 2)
    store.messages.show(4)
    assert _shown(store, store.listed()[0].id) == ["one", "re one", "two", "re two"]


def test_a_session_that_was_deleted_comes_back(store: SessionStore, tmp_path: Path) -> None:
    data = b"".join(_lines(tmp_path, "one"))
    _imported(store, tmp_path, data)
    store.delete(store.listed()[0].id)
    assert _imported(store, tmp_path, data).present == 2
    assert len(store.listed()) == 1


def test_hostile_text_is_made_safe_and_counted(store: SessionStore, tmp_path: Path) -> None:
    lines = _lines(tmp_path, "one")
    lines[0] = lines[0].replace(b"elsewhere", b"else\\u001b[2Jwhere\\u202e")
    lines[2] = lines[2].replace(b"re one", b"re\\u001b]0;owned\\u0007\\u200b one")
    _imported(store, tmp_path, b"".join(lines))
    (info,) = store.listed()
    assert info.title == "else␛[2Jwhere"
    (turn,) = store.load(info.id).conversation.turns
    assert turn.reply is not None
    assert turn.reply.message.content == "re␛]0;owned␇ one"
    assert turn.reply.removed == 3


@pytest.mark.parametrize("name", [b"--help", b"../x", b"", b"x\\n", b"A" * 40])
def test_an_id_that_is_no_id_is_a_bad_line(store: SessionStore, tmp_path: Path, name: bytes) -> None:
    lines = _lines(tmp_path, "one")
    own = json.loads(lines[0])["id"].encode()
    result = _imported(store, tmp_path, b"".join(lines).replace(own + b'"', name + b'"'))
    assert result.sessions == 0
    assert [problem.line for problem in result.problems] == [1, 2, 3]


def test_openai_lines_become_sessions_once(store: SessionStore, tmp_path: Path) -> None:
    dialogues: list[list[dict[str, Any]]] = [
        [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "你好"}, {"type": "image_url", "image_url": {}}],
            },
            {"role": "assistant", "content": "Hi", "reasoning_content": "greet"},
            {"role": "tool", "content": "42", "tool_call_id": "x"},
            {"role": "user", "content": "bye"},
        ],
        [{"role": "assistant", "content": "I begin"}],
        [],
    ]
    data = b"".join(json.dumps({"messages": found}).encode() + b"\n" for found in dialogues)
    result = _imported(store, tmp_path, data)
    assert (result.sessions, result.messages) == (2, 4)
    assert [(problem.line, problem.reason.split()[2]) for problem in result.problems] == [(1, "1")]
    assert {info.title for info in store.listed()} == {"你好", "I begin"}
    loaded = store.load(next(info.id for info in store.listed() if info.title == "你好"))
    assert loaded.conversation.system == "Be brief."
    assert loaded.conversation.turns[0].reply is not None
    assert loaded.conversation.turns[0].reply.message.thinking == "greet"
    again = _imported(store, tmp_path, data)
    assert (again.sessions, again.messages, again.present) == (0, 0, 4)


def _node(key: str, parent: str | None, role: str, *parts: Any, **more: Any) -> dict[str, Any]:
    content = {"content_type": more.pop("content_type", "text"), "parts": list(parts)}
    message = {
        "id": key,
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": 1_700_000_000.25,
        "content": content,
        "status": "finished_successfully",
        "metadata": {"model_slug": "gpt-4o", **more},
        "recipient": "all",
    }
    return {"id": key, "message": message, "parent": parent, "children": []}


def _conversation() -> dict[str, Any]:
    nodes = [
        {"id": "root", "message": None, "parent": None, "children": ["sys"]},
        _node("sys", "root", "system", "", is_visually_hidden_from_conversation=True),
        _node("u1", "sys", "user", "question"),
        _node("a1", "u1", "assistant", "answer one"),
        _node("a1b", "u1", "assistant", "answer two"),
        _node("code", "a1b", "assistant", content_type="code"),
        _node("tool", "code", "tool", "output"),
        _node(
            "u2",
            "tool",
            "user",
            {"content_type": "image_asset_pointer"},
            "look",
            content_type="multimodal_text",
        ),
    ]
    return {
        "title": "ChatGPT's own title",
        "create_time": 1_700_000_000.0,
        "update_time": 1_700_000_100.5,
        "mapping": {node["id"]: node for node in reversed(nodes)},
        "current_node": "u2",
        "conversation_id": "3f0c-1",
    }


def test_chatgpts_conversations_become_sessions_with_their_branches(
    store: SessionStore, tmp_path: Path
) -> None:
    data = json.dumps([_conversation(), {"title": "broken"}, 7], indent=1).encode()
    result = _imported(store, tmp_path, data)
    assert (result.sessions, result.messages) == (1, 4)
    assert [problem.line for problem in result.problems] == [1, 2, 3]
    (info,) = store.listed()
    assert (info.title, info.model) == ("ChatGPT's own title", "gpt-4o")
    assert (info.created_at, info.updated_at) == (1_700_000_000.0, 1_700_000_100.5)
    assert info.origin == "chatgpt:3f0c-1"
    loaded = store.load(info.id)
    assert _shown(store, info.id) == ["question", "answer two", "look", ""]
    assert loaded.turns[0].reply is not None
    assert len(loaded.turns[0].reply.versions) == 2
    assert loaded.turns[0].reply.created_at == 1_700_000_000.25
    again = _imported(store, tmp_path, data)
    assert (again.sessions, again.messages, again.present) == (0, 0, 4)


def test_a_foreign_session_is_known_again_in_an_export_of_another_store(
    store: SessionStore, tmp_path: Path
) -> None:
    data = json.dumps([_conversation()]).encode()
    _imported(store, tmp_path, data)
    with closing(Database.open(tmp_path / "other.db")) as database:
        other = SessionStore(database)
        _imported(other, tmp_path, data)
        out = b"".join(exported(database, session_ids(database), Format.JSONL))
    result = _imported(store, tmp_path, out)
    assert (result.sessions, result.messages, result.present) == (0, 0, 4)


def test_progress_is_told_and_what_was_told_is_kept(store: SessionStore, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_bytes(b"".join(_lines(tmp_path, *map(str, range(200)))))
    done: list[int] = []
    import_file(store, file, done.append)
    assert done == [200, 400, 401]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["messages", "mapping", "role", "content", "type", "qwentui", "a", "parent", "message"]
                ),
                inner | st.sampled_from(["user", "assistant", "session", "message", 1, "a"]),
                max_size=4,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_file_is_an_error(store: SessionStore, tmp_path: Path, data: bytes) -> None:
    _imported(store, tmp_path, data)
