"""Images of messages on disk: kept as they were, out of the search, out of a chat with it, and in and out of files."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from pictures import gif, png
from store.storing import answer

from qwentui.chat.attachment import TextFile, blocks_of, composed, said
from qwentui.chat.image import image_of
from qwentui.store.database import Database
from qwentui.store.imports import import_file
from qwentui.store.jsonl import Format, exported, session_ids
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGES = (image_of(png(4, 3)), image_of(gif(2, 1)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        yield SessionStore(database)


def _asked(store: SessionStore) -> str:
    """A chat of two rounds, the first with a file and two images."""
    session = store.create()
    message = composed("see @notes.md", [TextFile("notes.md", "milk\n")])
    ask = store.messages.ask
    question = ask(session, message.content, parts=message.parts, images=IMAGES)
    store.messages.finish_reply(store.messages.begin_reply(question, model="m"), answer("ok"))
    again = ask(session, "again")
    store.messages.finish_reply(store.messages.begin_reply(again, model="m"), answer("ok"))
    return session


def _exported(store: SessionStore, form: Format) -> bytes:
    return b"".join(exported(store.database, session_ids(store.database), form))


def test_they_come_back_with_their_message_and_no_other(store: SessionStore) -> None:
    first, second = store.load(_asked(store)).conversation.turns
    assert first.user.images == IMAGES
    assert said(first.user) == "see @notes.md"
    assert [(block.name, block.text) for block in blocks_of(first.user)] == [("notes.md", "milk\n")]
    assert second.user.images == ()
    assert first.reply.message.parts == ()


def test_they_go_with_their_chat(store: SessionStore) -> None:
    session = _asked(store)
    count = "SELECT count(*) FROM images"
    assert store.database.connection.execute(count).fetchone()[0] == 2
    with store.database.transaction() as connection:
        connection.execute("DELETE FROM sessions WHERE id = ?", (session,))
    assert store.database.connection.execute(count).fetchone()[0] == 0


def test_own_lines_take_them_out_and_back(store: SessionStore, tmp_path: Path) -> None:
    session = _asked(store)
    before = store.load(session).conversation
    lines = _exported(store, Format.JSONL)
    record = json.loads(lines.splitlines()[1])
    assert record["images"] == [b64encode(image.data).decode() for image in IMAGES]
    assert record["parts"] == [{"source": "file: notes.md", "start": 15, "end": 44}]
    file = tmp_path / "chats.jsonl"
    file.write_bytes(lines)
    with closing(Database.open(tmp_path / "other.db")) as database:
        other = SessionStore(database)
        assert import_file(other, file).problems == ()
        assert other.load(session).conversation == before
        assert _exported(other, Format.JSONL) == lines


def test_openai_lines_take_them_out_and_back(store: SessionStore, tmp_path: Path) -> None:
    _asked(store)
    lines = _exported(store, Format.OPENAI)
    content = json.loads(lines)["messages"][0]["content"]
    assert [part["type"] for part in content] == ["text", "image_url", "image_url"]
    assert content[1]["image_url"]["url"] == f"data:image/png;base64,{b64encode(png(4, 3)).decode()}"
    file = tmp_path / "chats.jsonl"
    file.write_bytes(lines)
    with closing(Database.open(tmp_path / "other.db")) as database:
        other = SessionStore(database)
        assert import_file(other, file).problems == ()
        [session] = session_ids(database)
        assert other.load(session).conversation.turns[0].user.images == IMAGES


@pytest.mark.parametrize(
    "url", ["https://example.org/a.png", "data:image/png;base64,???", "data:image/png;base64,YWJj", None, 7]
)
def test_what_is_no_image_in_openai_lines_is_left_out(
    store: SessionStore, tmp_path: Path, url: object
) -> None:
    content = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": url}}]
    line = {"messages": [{"role": "user", "content": content}, {"role": "assistant", "content": "ok"}]}
    file = tmp_path / "chats.jsonl"
    file.write_text(json.dumps(line))
    assert import_file(store, file).problems == ()
    [session] = session_ids(store.database)
    user = store.load(session).conversation.turns[0].user
    assert (user.content, user.images) == ("see", ())


def test_bytes_that_are_no_image_are_not_taken_over(store: SessionStore, tmp_path: Path) -> None:
    session = _asked(store)
    lines = _exported(store, Format.JSONL).replace(b64encode(gif(2, 1)), b64encode(b"no image"))
    file = tmp_path / "chats.jsonl"
    file.write_bytes(lines)
    with closing(Database.open(tmp_path / "other.db")) as database:
        import_file(SessionStore(database), file)
        first = SessionStore(database).load(session).conversation.turns[0]
        assert first.user.images == IMAGES[:1]


def test_a_copy_of_a_branch_has_its_images(store: SessionStore) -> None:
    first = _asked(store)
    conversation = store.load(first).conversation
    last = store.load(first).turns[-1].reply
    assert last is not None
    second = store.create(after=last.id)
    assert store.load(second).conversation == conversation
    assert conversation.turns[0].user.images == IMAGES
    store.delete(first)
    store.purge(2e12)
    assert store.load(second).conversation == conversation
