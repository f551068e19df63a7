"""Talks that fork, several side by side: what belongs to one chat stays with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from script import Reply
from scripted_server import ScriptedServer
from walk import walking

from qwentui.store.settings import Context
from qwentui.tui.transcript.items import NoticeItem, ReplyItem, UserItem

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = Reply(content=("A",))
HELD = Reply(content=("one ", "two"), holds=(1,))


async def test_an_open_edit_does_not_come_along_to_another_chat(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("first")
        await walk.answered()
        first = walk.app.chat.live
        walk.app.chat.composer.text = "my draft"
        await walk.pilot.press("tab", "K", "K", "e", "x")
        assert walk.app.chat.draft == "my draft"
        await walk.new_chat()
        assert not walk.app.chat.editing
        assert walk.app.chat.composer.text == ""
        walk.app.chat.show_chat(first)
        assert walk.app.chat.composer.text == "my draft"


async def test_what_was_deleted_is_remembered_by_chat(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("first")
        await walk.answered()
        first = walk.app.chat.live
        await walk.pilot.press("tab", "d")
        await walk.until(lambda: walk.items == [])
        walk.app.chat.show_chat(walk.app.new_chat())
        await walk.say("second")
        await walk.answered()
        await walk.pilot.press("tab", "u")
        assert "nothing was deleted here" in walk.app.chat.title_bar.render_line(0).text
        walk.app.chat.show_chat(first)
        await walk.pilot.press("tab", "u")
        await walk.until(lambda: walk.items[:1] == [UserItem("first")])


async def test_an_edit_that_comes_to_nothing_out_of_sight_is_put_back_there(tmp_path: Path) -> None:
    small = Context(budget=200, reply_room=100)
    async with (
        ScriptedServer(ANSWER, HELD) as server,
        walking(tmp_path, server.url, context=small, parallel=1) as walk,
    ):
        await walk.connected()
        await walk.say("first")
        await walk.answered()
        first = walk.app.chat.live
        await walk.new_chat()
        await walk.say("second")
        await walk.until(lambda: server.count("/api/chat") == 2)
        second = walk.app.chat.live
        walk.app.chat.show_chat(first)
        await walk.pilot.press("tab", "K", "K", "e")
        await walk.say("word " * 1_000)
        await walk.until(lambda: first.busy)
        walk.app.chat.show_chat(second)
        server.release()
        await walk.until(lambda: not second.busy and not first.busy and "word" in first.draft)
        walk.app.chat.show_chat(first)
        user, reply, notice = walk.items
        assert user == UserItem("first")
        assert isinstance(reply, ReplyItem)
        assert isinstance(notice, NoticeItem)
        assert "200 fit" in notice.text
        assert walk.app.chat.composer.text == "word " * 1_000
        assert [turn.user.content for turn in first.session.conversation.turns] == ["first"]
