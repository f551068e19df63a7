from __future__ import annotations

from typing import TYPE_CHECKING

from script import Fault, Model, Reply
from scripted_server import ScriptedServer
from walk import walking

from qwentui.chat.stream import FinishReason
from qwentui.store.prompt_history import load_prompts
from qwentui.store.settings import Retry
from qwentui.tui.screens.model_picker import ModelPicker
from qwentui.tui.screens.no_server import NoServerScreen
from qwentui.tui.transcript.items import UserItem

if TYPE_CHECKING:
    from pathlib import Path


async def test_type_enter_and_the_answer_streams(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("Hel", "lo"))) as server, walking(tmp_path, server.url) as walk:
        assert walk.app.focused is walk.app.chat.composer
        await walk.connected()
        await walk.pilot.press("h", "i", "enter")
        reply = await walk.answered()
        assert walk.items[0] == UserItem("hi")
        assert reply.content == "Hello"
        assert "stop" in reply.footer
        await walk.until(lambda: load_prompts(walk.app.launch.paths.prompt_history) == ["hi"])


async def test_what_is_sent_before_the_server_is_found_waits_for_it(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        await walk.say("early")
        assert (await walk.answered()).content == "ok"


async def test_escape_stops_and_keeps_what_came(tmp_path: Path) -> None:
    script = Reply(content=("one ", "two"), holds=(1,))
    async with ScriptedServer(script) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("go")
        await walk.until(lambda: server.holding == 1 and "one" in walk.shown)
        await walk.pilot.press("escape")
        reply = await walk.answered()
        assert reply.content.strip() == "one"
        assert "stopped by you" in reply.footer
        turn = walk.app.chat.session.conversation.turns[-1]
        assert turn.reply.finish_reason is FinishReason.CANCELLED


async def test_a_broken_reply_stays_with_its_error_beside_it(tmp_path: Path) -> None:
    script = Reply(content=("one ", "two"), fault=Fault.CUT, fault_at=1)
    once = Retry(attempts=0)
    async with ScriptedServer(script) as server, walking(tmp_path, server.url, retry=once) as walk:
        await walk.connected()
        await walk.say("go")
        reply = await walk.answered()
        assert reply.content.strip() == "one"
        assert "broken off" in reply.footer
        assert walk.notices


async def test_thinking_is_folded_and_unfolds(tmp_path: Path) -> None:
    script = Reply(thinking=("deep ", "thought"), content=("answer",))
    async with ScriptedServer(script) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("go")
        reply = await walk.answered()
        assert reply.thinking == "deep thought"
        await walk.until(lambda: "answer" in walk.shown)
        assert "deep" not in walk.shown
        await walk.pilot.press("ctrl+r")
        await walk.until(lambda: "deep thought" in walk.shown)


async def test_a_new_chat_forgets_the_talk_and_keeps_the_model(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("old")
        await walk.answered()
        await walk.pilot.press("ctrl+n")
        await walk.until(lambda: not walk.items)
        await walk.say("new")
        await walk.answered()
        assert [m["content"] for m in server.last("/api/chat").json["messages"]] == ["new"]


async def test_the_model_is_switched_in_the_middle_of_the_talk(tmp_path: Path) -> None:
    models = (Model(name="one:latest"), Model(name="two:latest", digest="c2" * 32))
    async with (
        ScriptedServer(Reply(content=("ok",)), models=models) as server,
        walking(tmp_path, server.url) as walk,
    ):
        await walk.connected()
        await walk.say("first")
        await walk.answered()
        await walk.pilot.press("ctrl+o")
        await walk.until(lambda: isinstance(walk.app.screen, ModelPicker))
        await walk.pilot.press("down", "enter")
        await walk.until(lambda: walk.app.chat.session.model.name == "two:latest")
        await walk.say("second")
        await walk.until(lambda: server.count("/api/chat") == 2)
        await walk.answered()
        body = server.last("/api/chat").json
        assert body["model"] == "two:latest"
        assert [m["content"] for m in body["messages"]] == ["first", "ok", "second"]
        assert any("two" in notice for notice in walk.notices)


async def test_several_fitting_models_are_a_question(tmp_path: Path) -> None:
    models = (Model(name="qwen3:8b"), Model(name="qwen3:32b"), Model(name="llama:1b"))
    async with ScriptedServer(models=models) as server, walking(tmp_path, server.url, name="qwen3") as walk:
        await walk.until(lambda: isinstance(walk.app.screen, ModelPicker))
        await walk.pilot.press("j", "enter")
        await walk.connected()
        assert walk.app.chat.session.model.name == "qwen3:32b"


async def test_think_goes_round_and_is_sent(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        sent = []
        for number in range(1, 4):
            await walk.pilot.press("ctrl+t")
            await walk.say("go")
            await walk.until(
                lambda number=number: server.count("/api/chat") == number and not walk.app.chat.busy
            )
            sent.append(server.last("/api/chat").json.get("think"))
        assert sent == [True, False, None]


async def test_with_no_server_one_screen_says_so_and_the_draft_stays(tmp_path: Path) -> None:
    async with walking(tmp_path, "127.0.0.1:1") as walk:
        walk.app.chat.composer.text = "my draft"
        await walk.until(lambda: isinstance(walk.app.screen, NoServerScreen))
        async with ScriptedServer() as server:
            await walk.pilot.press("a")
            walk.app.screen.query_one("Input").value = server.url
            await walk.pilot.press("enter")
            await walk.connected()
            assert walk.app.chat.composer.text == "my draft"


async def test_a_server_that_comes_up_is_found_by_trying_again(tmp_path: Path) -> None:
    server = ScriptedServer()
    await server.start()
    await server.stop()
    async with walking(tmp_path, server.url) as walk:
        await walk.until(lambda: isinstance(walk.app.screen, NoServerScreen))
        await server.start()
        await walk.pilot.press("r")
        await walk.connected()
    await server.stop()


async def test_a_server_without_models_says_how_to_get_one(tmp_path: Path) -> None:
    async with ScriptedServer(models=()) as server, walking(tmp_path, server.url) as walk:
        await walk.until(lambda: isinstance(walk.app.screen, NoServerScreen))
        assert "ollama pull" in walk.app.screen._hint


async def test_ctrl_c_clears_the_line_then_says_how_to_leave(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        walk.app.chat.composer.text = "draft"
        await walk.pilot.press("ctrl+c")
        assert walk.app.chat.composer.text == ""
        await walk.pilot.press("ctrl+c")
        assert any("Ctrl+Q" in notice for notice in walk.notices)
