"""A session that begins with the branch of another one."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from qwentui.chat.conversation import Reply
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import FinishReason
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore
from qwentui.store.statistics import statistics

if TYPE_CHECKING:
    from pathlib import Path


def _round(store: SessionStore, session: str, question: str, answer: str) -> tuple[int, int]:
    asked = store.messages.ask(session, question)
    reply = store.messages.begin_reply(asked, model="m", persona="p", options={"seed": 1})
    usage = Usage(ttft=1.5, elapsed=3.0, server=ServerUsage(eval_count=7, eval_duration=0.5))
    store.messages.finish_reply(
        reply, Reply(Message(Role.ASSISTANT, answer, "hm"), FinishReason.STOP, "m", usage)
    )
    return asked, reply


def test_the_branch_is_copied_and_the_first_session_is_as_it_was(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        store = SessionStore(database)
        first = store.create(model="m", system="Old.")
        _, one = _round(store, first, "question one", "answer one")
        gone, _ = _round(store, first, "question two", "answer two")
        _, three = _round(store, first, "question three", "answer three")
        _round(store, first, "question four", "answer four")
        store.messages.delete(gone)
        before = store.load(first)

        second = store.create(title="T", system="New.", tags=("a/b",), after=three)
        loaded = store.load(second)
        assert (loaded.info.title, loaded.info.tags, loaded.conversation.system) == ("T", ("a/b",), "New.")
        said = [message.content for message in loaded.conversation.messages()[1:]]
        assert said == ["question one", "answer one", "answer two", "question three", "answer three"]
        reply = loaded.conversation.turns[0].reply
        assert reply is not None
        assert (reply.message.thinking, reply.usage.server.eval_count) == ("hm", 7)
        assert loaded.turns[0].reply is not None
        assert (loaded.turns[0].reply.persona, loaded.turns[0].reply.options) == ("p", {"seed": 1})

        store.messages.ask(second, "question five")
        assert store.load(first) == before
        assert [m.content for m in store.load(second).conversation.messages()][-1] == "question five"
        assert {hit.session for hit in store.search("answer one")} == {first, second}
        assert one != loaded.turns[0].reply.id
        # What was timed once is counted once.
        [counted] = statistics(database.connection)
        assert counted.replies == 4
