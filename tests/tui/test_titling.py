"""Titles by the model: only when they are wanted, when nothing else runs, and never over the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from script import Reply, failure
from scripted_server import ScriptedServer
from walk import Walk, walking

from qwentui.tui.titling import WISH, _cleaned

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = Reply(content=("the answer",))


def _asked(server: ScriptedServer) -> list[str]:
    """What the server was asked last, request by request."""
    chats = [request for request in server.requests if request.path == "/api/chat"]
    return [request.json["messages"][-1]["content"] for request in chats]


async def _stored_title(walk: Walk) -> str:
    key = walk.app.chat.live.id
    return (await walk.app.talks.read(lambda store: store.get(key))).title


async def test_no_title_costs_a_call_unless_it_is_wanted(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("订单发货后多久能收到?")
        await walk.answered()
        await walk.pilot.pause()
        assert _asked(server) == ["订单发货后多久能收到?"]
        assert walk.app.chat.live.title == "订单发货后多久能收到?"


async def test_the_model_gives_a_title_after_the_first_reply_and_the_chat_does_not_know(
    tmp_path: Path,
) -> None:
    script = (ANSWER, Reply(content=('"订单\x1b]0;x\x07时效"\n', "and more")), ANSWER)
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url, titles="model") as walk:
        await walk.connected()
        await walk.say("question")
        await walk.until(lambda: walk.app.chat.live.title.startswith("订单"))
        title = await _stored_title(walk)
        assert title == walk.app.chat.live.title
        assert title.endswith("时效")
        assert "\x1b" not in title
        body = server.last("/api/chat").json
        assert [m["content"] for m in body["messages"]] == ["question", "the answer", WISH]
        assert body["think"] is False
        assert body["options"]["num_predict"] == 32
        assert body["options"]["num_ctx"] == 8192
        await walk.say("next")
        await walk.until(lambda: len(_asked(server)) == 3 and not walk.app.chat.busy)
        sent = [m["content"] for m in server.last("/api/chat").json["messages"]]
        assert sent == ["question", "the answer", "next"]
        assert len(walk.app.chat.session.conversation.turns) == 2


async def test_a_prompt_ends_the_question_for_a_title_which_is_asked_again_later(tmp_path: Path) -> None:
    script = (ANSWER, Reply(content=("A", "B"), holds=(1,)), ANSWER, Reply(content=("later title",)))
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url, titles="model") as walk:
        await walk.connected()
        await walk.say("question")
        await walk.until(lambda: server.holding == 1)
        await walk.say("at once")
        await walk.until(lambda: walk.app.chat.live.title == "later title")
        assert _asked(server) == ["question", WISH, "at once", WISH]


async def test_a_title_that_the_user_gave_meanwhile_stays(tmp_path: Path) -> None:
    script = (ANSWER, Reply(content=("A", "B"), holds=(1,)))
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url, titles="model") as walk:
        await walk.connected()
        await walk.say("question")
        await walk.until(lambda: server.holding == 1)
        key = walk.app.chat.live.id
        await walk.app.talks.write(lambda store: store.rename(key, "mine"))
        server.release()
        await walk.until(lambda: walk.app._titles._task is None)
        assert await _stored_title(walk) == "mine"


async def test_a_server_in_trouble_is_asked_once_and_nothing_is_said(tmp_path: Path) -> None:
    script = (ANSWER, failure(503, "busy"))
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url, titles="model") as walk:
        await walk.connected()
        await walk.say("question")
        await walk.until(lambda: len(_asked(server)) == 2 and walk.app._titles._task is None)
        assert walk.app.chat.live.title == "question"
        assert walk.notices == []


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("**Order times**", "Order times"),
        ("《订单时效》\n因为", "订单时效"),
        ("# Title", "Title"),
        ("<think>", ""),
        ("  \n", ""),
        ("w " * 100, "w " * 29 + "w…"),
    ],
)
def test_what_models_put_around_a_title_goes(said: str, title: str) -> None:
    assert _cleaned(said) == title
