"""Several chats at once: replies go on out of sight, prompts wait for their turn, nothing is mixed up or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from script import Fault, Reply, failure
from scripted_server import ScriptedServer
from walk import Walk, walking

from qwentui.store.prompt_history import load_prompts
from qwentui.tui.transcript.items import ReplyItem, UserItem
from qwentui.tui.transcript.reply import LiveReply

if TYPE_CHECKING:
    from pathlib import Path

    from qwentui.tui.live import LiveChat

HELD = Reply(content=("one ", "two"), holds=(1,))


def _title(walk: Walk) -> str:
    return walk.app.chat.title_bar.render_line(0).text


async def _asked(walk: Walk, server: ScriptedServer, text: str) -> LiveChat:
    """Ask in the chat that is shown; its reply has begun and is held."""
    before = server.count("/api/chat")
    await walk.say(text)
    chat = walk.app.chat.live
    await walk.until(lambda: server.count("/api/chat") == before + 1 and "one" in walk.shown)
    return chat


async def _back(walk: Walk, chat: LiveChat) -> None:
    walk.app.chat.show_chat(chat)
    await walk.pilot.pause()


async def test_a_reply_goes_on_while_another_chat_is_shown(tmp_path: Path) -> None:
    script = Reply(thinking=("hm ",), content=("one ", "two ", "three"), holds=(2, 3))
    async with ScriptedServer(script) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        first = await _asked(walk, server, "first")
        await walk.new_chat()
        assert walk.items == []
        assert "1/3 live" in _title(walk)
        server.release()
        await walk.until(lambda: server.holding == 3)
        assert walk.items == []
        await _back(walk, first)
        await walk.until(lambda: "one two" in walk.shown)
        (user, reply) = walk.items
        assert user == UserItem("first")
        assert isinstance(reply, LiveReply)
        assert (reply.thinking, reply.content.strip()) == ("hm ", "one two")
        assert "answering" in walk.shown
        server.release()
        assert (await walk.answered()).content == "one two three"
        assert "live" not in _title(walk)


async def test_a_reply_that_ends_out_of_sight_says_so_and_is_there_on_return(tmp_path: Path) -> None:
    async with ScriptedServer(HELD) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        first = await _asked(walk, server, "the first")
        await walk.new_chat()
        server.release()
        await walk.until(lambda: not first.busy)
        assert "answered: the first" in _title(walk)
        assert first.unseen
        await _back(walk, first)
        assert not first.unseen
        (_, reply) = walk.items
        assert isinstance(reply, ReplyItem)
        assert reply.content == "one two"
        assert "stop" in reply.footer
        assert "the first" in _title(walk)


async def test_escape_stops_the_reply_that_is_shown_and_no_other(tmp_path: Path) -> None:
    async with ScriptedServer(HELD) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        first = await _asked(walk, server, "first")
        await walk.new_chat()
        second = await _asked(walk, server, "second")
        await walk.pilot.press("escape")
        await walk.until(lambda: not second.busy)
        assert first.busy
        await _back(walk, first)
        await walk.pilot.press("escape")
        await walk.until(lambda: not first.busy)
        assert [request.hung_up for request in server.requests if request.path == "/api/chat"] == [True, True]


async def test_escape_behind_enter_in_one_burst_stops_it_and_the_chat_is_free(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(holds=(0,))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        chat = walk.app.chat
        chat.desk.say(chat.live, "now")
        chat.desk.stop(chat.live)
        await walk.until(lambda: not chat.busy)
        assert not any(isinstance(item, LiveReply) for item in walk.items)


async def test_what_belongs_to_a_chat_comes_and_goes_with_it(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        first = walk.app.chat.live
        await walk.say("first")
        await walk.answered()
        walk.app.chat.notice("about the first")
        walk.app.chat.composer.text = "draft of the first"
        await walk.new_chat()
        assert walk.app.chat.composer.text == ""
        assert walk.notices == []
        assert "TTFT" not in walk.app.chat.gauges.render_line(0).text
        walk.app.chat.composer.text = "draft of the second"
        second = walk.app.chat.live
        await _back(walk, first)
        assert walk.app.chat.composer.text == "draft of the first"
        assert walk.notices == ["about the first"]
        assert "TTFT" in walk.app.chat.gauges.render_line(0).text
        await _back(walk, second)
        assert walk.app.chat.composer.text == "draft of the second"


async def test_a_new_chat_that_holds_nothing_is_not_begun_twice(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("ctrl+n", "ctrl+n")
        assert len(walk.app.desk.chats) == 1


async def test_another_model_in_one_chat_leaves_the_others_alone(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("first")
        await walk.answered()
        first = walk.app.chat.session
        await walk.new_chat()
        second = walk.app.chat.session
        counter = first.planner.counter
        second.use(second.backend, second.model)
        assert first.planner.counter is counter
        assert second.planner.counter is not counter


async def test_prompts_wait_for_the_reply_in_their_chat_and_go_one_by_one(tmp_path: Path) -> None:
    script = (HELD, Reply(content=("second",)), Reply(content=("third",)))
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await _asked(walk, server, "a")
        await walk.say("b")
        await walk.say("c")
        assert " 1 b\n 2 c\n" in walk.above
        assert walk.app.chat.composer.text == ""
        await walk.until(
            lambda: sorted(load_prompts(walk.app.launch.paths.prompt_history)) == ["a", "b", "c"]
        )
        server.release()
        await walk.until(lambda: server.count("/api/chat") == 3 and not walk.app.chat.busy)
        assert walk.above == ""
        sent = [m["content"] for m in server.last("/api/chat").json["messages"]]
        assert sent == ["a", "one two", "b", "second", "c"]
        assert [item.text for item in walk.items if isinstance(item, UserItem)] == ["a", "b", "c"]


async def test_no_more_replies_than_allowed_run_and_the_queue_is_first_come_first_served(
    tmp_path: Path,
) -> None:
    async with ScriptedServer(HELD) as server, walking(tmp_path, server.url, parallel=2) as walk:
        await walk.connected()
        first = await _asked(walk, server, "a")
        await walk.new_chat()
        await _asked(walk, server, "b")
        await walk.say("b2")
        await walk.new_chat()
        await walk.say("c")
        assert " 2 c\n" in walk.above
        assert "2/2 live" in _title(walk)
        await _back(walk, first)
        server.release()
        await walk.until(lambda: server.count("/api/chat") == 3)
        assert not first.busy
        sent = [m["content"] for m in server.last("/api/chat").json["messages"]]
        # The prompt behind b still waits for b; who can go, goes.
        assert sent == ["c"]
        assert walk.app.desk.running == 2


async def test_up_in_an_empty_composer_takes_the_last_waiting_prompt_back(tmp_path: Path) -> None:
    async with ScriptedServer(HELD) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await _asked(walk, server, "a")
        await walk.say("b")
        await walk.say("c")
        await walk.pilot.press("up")
        assert walk.app.chat.composer.text == "c"
        assert "c" not in walk.above.splitlines()[0]
        server.release()
        await walk.until(lambda: server.count("/api/chat") == 2)
        assert server.last("/api/chat").json["messages"][-1]["content"] == "b"


async def test_after_escape_what_waits_is_held_until_enter(tmp_path: Path) -> None:
    script = (HELD, Reply(content=("urgent answer",)), Reply(content=("answer",)))
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await _asked(walk, server, "a")
        await walk.say("b")
        await walk.pilot.press("escape")
        await walk.until(lambda: not walk.app.chat.busy)
        assert "held: enter sends it" in walk.above
        await walk.say("no, this")
        await walk.until(lambda: server.count("/api/chat") == 2 and not walk.app.chat.busy)
        assert "held" in walk.above
        await walk.pilot.press("enter")
        await walk.until(lambda: server.count("/api/chat") == 3 and not walk.app.chat.busy)
        sent = [m["content"] for m in server.last("/api/chat").json["messages"]]
        assert sent == ["a", "one ", "no, this", "urgent answer", "b"]


async def test_after_an_error_what_waits_is_held_too(tmp_path: Path) -> None:
    script = (Reply(content=("one ", "two"), holds=(1,), fault=Fault.CUT), failure(400, "no more of that"))
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await _asked(walk, server, "a")
        await walk.say("b")
        server.release()
        await walk.until(lambda: not walk.app.chat.busy)
        assert "held: enter sends it" in walk.above
        assert all(
            request.json["messages"][0]["content"] == "a" and len(request.json["messages"]) < 3
            for request in server.requests
            if request.path == "/api/chat"
        )


async def test_many_waiting_prompts_take_few_lines(tmp_path: Path) -> None:
    async with ScriptedServer(HELD) as server, walking(tmp_path, server.url, size=(60, 15)) as walk:
        await walk.connected()
        await _asked(walk, server, "a")
        for number in range(6):
            await walk.say(f"订单 [/b] number {number}\nand a second line " * 3)
        lines = walk.above.splitlines()
        assert len(lines) == 3
        assert "[/b] number 0 and a second line" in lines[0]
        assert "+4 more" in lines[-1]
        await walk.until(lambda: walk.app.chat.waiting_list.size.height == 3)


async def test_a_prompt_that_turns_out_too_long_goes_back_to_the_composer(tmp_path: Path) -> None:
    async with ScriptedServer(HELD) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await _asked(walk, server, "a")
        await walk.say("b " * 20_000)
        await walk.say("c")
        server.release()
        await walk.until(lambda: not walk.app.chat.busy and "fit" in " ".join(walk.notices))
        assert walk.app.chat.composer.text.startswith("b b b")
        assert "held" in walk.above
        assert len(walk.app.chat.session.conversation.turns) == len(walk.app.chat.watch_context.items) == 1


async def test_a_known_command_is_obeyed_and_anything_else_with_a_slash_is_sent(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("/etc/hosts")
        await walk.answered()
        assert server.last("/api/chat").json["messages"][-1]["content"] == "/etc/hosts"
        first = walk.app.chat.live
        await walk.say("/new")
        await walk.until(lambda: walk.app.chat.live is not first)
        await walk.say("/help")
        await walk.until(lambda: walk.app.screen is not walk.app.chat)
        assert server.count("/api/chat") == 1


async def test_leaving_stops_every_reply_and_keeps_what_came_and_what_waits(tmp_path: Path) -> None:
    async with ScriptedServer(HELD) as server:
        async with walking(tmp_path, server.url) as walk:
            await walk.connected()
            first = await _asked(walk, server, "a")
            await walk.say("a waits")
            walk.app.chat.composer.text = "a draft"
            await walk.new_chat()
            await _asked(walk, server, "b")
        assert all(request.hung_up for request in server.requests if request.path == "/api/chat")
        async with walking(tmp_path, server.url, resume=first.id) as walk:
            await walk.connected()
            assert isinstance(walk.items[1], ReplyItem)
            assert walk.items[1].content == "one "
            assert "stopped by you" in walk.items[1].footer
            assert walk.app.chat.composer.text == "a draft"
            assert " ‖ a waits\n" in walk.above
            await walk.pilot.press("ctrl+u")
            walk.app.chat.composer.text = ""
            await walk.pilot.press("enter")
            await walk.until(lambda: server.count("/api/chat") == 3)


async def test_a_draft_in_a_chat_without_messages_comes_back_at_the_next_start(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server:
        async with walking(tmp_path, server.url) as walk:
            await walk.connected()
            walk.app.chat.composer.text = "the one"
            await walk.new_chat()
            walk.app.chat.composer.text = "the other"
        async with walking(tmp_path, server.url) as walk:
            await walk.connected()
            await walk.until(lambda: bool(walk.app.chat.composer.text))
            drafts = {walk.app.chat.composer.text, *(chat.draft for chat in walk.app.desk.chats)}
            assert drafts >= {"the one", "the other"}
            walk.app.chat.composer.text = ""
        async with walking(tmp_path, server.url) as walk:
            await walk.connected()
            await walk.until(lambda: bool(walk.app.chat.composer.text))
            assert len(walk.app.desk.chats) == 1
