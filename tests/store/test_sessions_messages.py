from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from store.storing import answer

from qwentui.chat.conversation import Reply
from qwentui.chat.message import Message, Part, Role
from qwentui.chat.stream import FinishReason
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        yield SessionStore(database)


def _answered(store: SessionStore, question: int, text: str) -> int:
    reply = store.messages.begin_reply(question, model="qwen3")
    store.messages.finish_reply(reply, answer(text))
    return reply


def _shown(store: SessionStore, session: str) -> list[str]:
    texts: list[str] = []
    for turn in store.load(session).conversation.turns:
        texts.append(turn.user.content)
        if turn.reply is not None:
            texts.append(turn.reply.message.content)
    return texts


def test_everything_about_a_reply_comes_back(store: SessionStore) -> None:
    session = store.create(system="Be brief.")
    parts = (Part("notes.md", 0, 5),)
    question = store.messages.ask(session, "hello file", parts=parts)
    options = {"temperature": 0.7, "stop": ["<|im_end|>"], "think": False}
    reply = store.messages.begin_reply(
        question, model="qwen3", model_digest="sha256:1", persona="客服", options=options
    )
    server = ServerUsage(12, 0.25, 34, 1.5, 0.125, 2.0)
    whole = Reply(
        Message(Role.ASSISTANT, "answer", "thought"),
        FinishReason.LENGTH,
        "qwen3:32b",
        Usage(0.5, 2.25, 0.75, server),
        removed=3,
    )
    store.messages.finish_reply(reply, whole)
    loaded = store.load(session)
    assert loaded.conversation.system == "Be brief."
    assert loaded.conversation.turns[0].reply == whole
    assert loaded.turns[0].user is not None
    assert loaded.turns[0].user.parts == parts
    known = loaded.turns[0].reply
    assert known is not None
    assert (known.id, known.model_digest, known.persona, known.options) == (
        reply,
        "sha256:1",
        "客服",
        options,
    )
    assert loaded.info.model == "qwen3"


def test_a_reply_grows_piece_by_piece_and_can_be_taken_up_again(store: SessionStore) -> None:
    session = store.create()
    reply = store.messages.begin_reply(store.messages.ask(session, "count"), model="qwen3")
    store.messages.append_reply(reply, thinking="hm")
    store.messages.append_reply(reply, "one ")
    store.messages.append_reply(reply, "two ", "m")
    loaded = store.load(session)
    (turn,) = loaded.conversation.turns
    assert turn.reply is not None
    assert turn.reply.message == Message(Role.ASSISTANT, "one two ", "hmm")
    assert loaded.info.streaming
    assert loaded.turns[0].reply is not None
    assert not loaded.turns[0].reply.finished
    store.messages.give_up()
    assert not store.get(session).streaming
    assert store.messages.interrupted() == ()
    store.messages.resume_reply(reply)
    store.messages.append_reply(reply, "three")
    assert store.get(session).streaming
    assert _shown(store, session) == ["count", "one two three"]


def test_an_edited_message_and_a_regenerated_reply_fork_and_both_branches_stay(store: SessionStore) -> None:
    session = store.create()
    first = store.messages.ask(session, "q1")
    a1 = _answered(store, first, "a1")
    second = store.messages.ask(session, "q2")
    _answered(store, second, "a2")
    again = _answered(store, second, "a2 again")
    assert _shown(store, session) == ["q1", "a1", "q2", "a2 again"]
    edited = store.messages.ask(session, "q1 edited", beside=first)
    _answered(store, edited, "a1 edited")
    assert _shown(store, session) == ["q1 edited", "a1 edited"]
    assert store.messages.versions(edited) == (first, edited)
    store.messages.show(first)
    assert _shown(store, session) == ["q1", "a1", "q2", "a2 again"]
    versions = store.messages.versions(again)
    assert len(versions) == 2
    store.messages.show(versions[0])
    assert _shown(store, session) == ["q1", "a1", "q2", "a2"]
    loaded = store.load(session)
    assert [turn.user.versions for turn in loaded.turns if turn.user] == [(first, edited), (second,)]
    assert [turn.reply.versions for turn in loaded.turns if turn.reply] == [(a1,), versions]
    assert loaded.info.rounds == 3


def test_deleting_a_message_or_a_round_leaves_the_rest_and_can_be_undone(store: SessionStore) -> None:
    session = store.create()
    first = store.messages.ask(session, "q1")
    reply = _answered(store, first, "a1")
    second = store.messages.ask(session, "q2")
    _answered(store, second, "a2")
    _answered(store, second, "a2 again")
    third = store.messages.ask(session, "q3")
    everything = _shown(store, session)
    hidden = store.messages.delete_round(second)
    assert len(hidden) == 3
    assert _shown(store, session) == ["q1", "a1", "q3"]
    assert store.search("a2") == ()
    store.messages.restore(hidden)
    assert _shown(store, session) == everything
    assert len(store.search("a2")) == 2
    assert store.messages.delete(reply) == (reply,)
    assert store.messages.delete(reply) == ()
    assert _shown(store, session) == ["q1", "q2", "a2 again", "q3"]
    store.messages.delete(third)
    store.messages.ask(session, "q4")
    assert _shown(store, session)[-2:] == ["a2 again", "q4"]


def test_a_reply_whose_question_was_deleted_stands_with_an_empty_one(store: SessionStore) -> None:
    session = store.create()
    question = store.messages.ask(session, "q1")
    _answered(store, question, "a1")
    store.messages.delete(question)
    loaded = store.load(session)
    assert loaded.turns[0].user is None
    assert _shown(store, session) == ["", "a1"]


def test_a_long_conversation_loads_in_order(store: SessionStore) -> None:
    session = store.create()
    with store.database.transaction():
        for number in range(3000):
            _answered(store, store.messages.ask(session, f"q{number}"), f"a{number}")
    shown = _shown(store, session)
    assert shown == [f"{who}{number}" for number in range(3000) for who in "qa"]


def test_after_the_last_message_is_deleted_another_version_is_shown_until_it_comes_back(
    store: SessionStore,
) -> None:
    session = store.create()
    first = store.messages.ask(session, "q1")
    _answered(store, first, "a1")
    edited = store.messages.ask(session, "q1 edited", beside=first)
    _answered(store, edited, "a1 edited")
    hidden = store.messages.delete_round(edited)
    assert _shown(store, session) == ["q1", "a1"]
    store.messages.restore(hidden)
    assert _shown(store, session) == ["q1 edited", "a1 edited"]


def test_what_follows_a_deleted_message_stands_beside_its_other_versions(store: SessionStore) -> None:
    session = store.create()
    first = store.messages.ask(session, "q1")
    edited = store.messages.ask(session, "q1 edited", beside=first)
    _answered(store, edited, "a1 edited")
    second = store.messages.ask(session, "q2")
    store.messages.delete_round(edited)
    assert _shown(store, session) == ["q2"]
    assert store.messages.versions(second) == (first, second)
    store.messages.show(first)
    assert _shown(store, session) == ["q1"]
    assert store.messages.versions(first) == (first, second)
