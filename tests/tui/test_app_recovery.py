"""A reply that breaks on the screen: taken up by itself, by a key, after a restart; and the model's memory."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from script import Fault, Model, Plain, Reply, failure
from scripted_server import ScriptedServer
from walk import Walk, walking

from qwentui.store.settings import Log, Retry
from qwentui.tui import phrases

if TYPE_CHECKING:
    from pathlib import Path

TEXT = ("The ", "quick ", "brown ", "fox.")
AT_ONCE = Retry(delay=0.0, busy_delay=0.0)
NEVER = Retry(attempts=0)


def _status(walk: Walk) -> str:
    return walk.shown


async def test_a_broken_reply_goes_on_and_says_so_once(tmp_path: Path) -> None:
    whole = Reply(TEXT)
    script = (
        replace(whole, fault=Fault.CUT, fault_at=2),
        replace(whole, fault=Fault.ERROR, fault_at=1),
        whole,
    )
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url, retry=AT_ONCE) as walk:
        await walk.connected()
        await walk.say("hello")
        reply = await walk.answered()
        assert reply.content == "".join(TEXT)
        told = [notice for notice in walk.notices if phrases.RESTORING in notice]
        assert len(told) == 1


async def test_a_pause_is_counted_down_and_escape_ends_it(tmp_path: Path) -> None:
    retry = Retry(delay=300.0, jitter=0.0)
    async with (
        ScriptedServer(failure(500, "CUDA error")) as server,
        walking(tmp_path, server.url, retry=retry) as walk,
    ):
        await walk.connected()
        await walk.say("hello")
        await walk.until(lambda: "(1 of 2) · esc stops" in _status(walk))
        assert "trying again in " in _status(walk)
        await walk.pilot.press("escape")
        await walk.until(lambda: not walk.app.chat.busy)
        assert server.count("/api/chat") == 1


async def test_a_server_that_is_gone_is_waited_for_in_sight(tmp_path: Path) -> None:
    retry = Retry(delay=0.01, restart_pause=0.05, restart_wait=60.0)
    script = (Reply(TEXT, holds=(2,)), Reply(TEXT))
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url, retry=retry) as walk:
        await walk.connected()
        await walk.say("hello")
        await server.until(lambda s: s.holding == 2)
        await server.stop()
        await walk.until(lambda: "the server is gone; waiting for it" in _status(walk))
        await server.start()
        assert (await walk.answered()).content == "".join(TEXT)


async def test_a_key_lets_a_stopped_reply_go_on(tmp_path: Path) -> None:
    script = (Reply(TEXT, thinking=("hm",), holds=(3,)), Reply(TEXT))
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("hello")
        await walk.until(lambda: "quick" in walk.shown)
        await walk.pilot.press("escape")
        await walk.until(lambda: not walk.app.chat.busy)
        assert (await walk.answered()).content == "The quick "
        await walk.pilot.press("f6")
        await walk.until(lambda: server.count("/api/chat") >= 2 and not walk.app.chat.busy)
        reply = await walk.answered()
        assert (reply.content, reply.thinking) == ("".join(TEXT), "hm")
        assert server.last("/api/chat").json["messages"][-1]["content"] == "The quick"
        await walk.pilot.press("f6")
        assert "complete" in walk.app.chat.title_bar.render_line(0).text


async def test_a_failure_names_the_key_that_goes_on(tmp_path: Path) -> None:
    script = (Reply(TEXT, fault=Fault.CUT, fault_at=2), Reply(TEXT))
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url, retry=NEVER) as walk:
        await walk.connected()
        await walk.say("hello")
        await walk.until(lambda: any("F6 lets the reply go on." in notice for notice in walk.notices))
        await walk.pilot.press("f6")
        await walk.until(lambda: server.count("/api/chat") >= 2 and not walk.app.chat.busy)
        assert (await walk.answered()).content == "".join(TEXT)


async def test_where_the_turn_is_closed_the_key_says_so_and_changes_nothing(tmp_path: Path) -> None:
    script = (Reply(TEXT, done_reason="length"),)
    models = (Model(leaves_open=False),)
    async with ScriptedServer(*script, models=models) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("hello")
        await walk.answered()
        await walk.pilot.press("f6")
        await walk.until(lambda: any("closes the turn" in notice for notice in walk.notices))
        assert (await walk.answered()).content == "".join(TEXT)
        assert walk.app.chat.session is not None
        assert len(walk.app.chat.session.conversation.turns) == 1


async def test_an_interrupted_reply_is_offered_and_finished_by_the_next_program(tmp_path: Path) -> None:
    script = (Reply(TEXT, holds=(2,)), Reply(TEXT))
    async with ScriptedServer(*script) as server:
        async with walking(tmp_path, server.url) as walk:
            await walk.connected()
            await walk.say("hello")
            await walk.until(lambda: "quick" in walk.shown)
            walk.app.talks.close()  # as a hang-up does
        async with walking(tmp_path, server.url, resume="") as walk:
            await walk.connected()
            assert phrases.GO_ON.format(key="F6") in walk.notices
            await walk.pilot.press("f6")
            await walk.until(lambda: server.count("/api/chat") >= 2 and not walk.app.chat.busy)
            assert (await walk.answered()).content == "".join(TEXT)


async def test_a_model_that_was_made_anew_is_told_of(tmp_path: Path) -> None:
    old = {"name": "qwen3:latest", "model": "qwen3:latest", "digest": "b1" * 32, "size": 1, "size_vram": 1}
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        server.at["/api/ps"] = Plain(body=json.dumps({"models": [old]}).encode())
        server.models = (Model(digest="c2" * 32),)
        await walk.say("hello")
        await walk.until(lambda: any("was made anew" in notice for notice in walk.notices))
        assert any("F7 unloads it" in notice for notice in walk.notices)


async def test_the_model_is_loaded_kept_and_unloaded_by_a_key(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("f7", "k")
        await walk.until(lambda: any("stays until it is unloaded" in notice for notice in walk.notices))
        sent = server.last("/api/generate").json
        assert (sent["keep_alive"], sent["options"]) == (-1, {"num_ctx": 8192})
        await walk.say("hello")
        await walk.answered()
        assert server.last("/api/chat").json["keep_alive"] == -1
        await walk.pilot.press("f7", "u")
        await walk.until(lambda: any("leaves the memory" in notice for notice in walk.notices))
        assert server.last("/api/generate").json["keep_alive"] == 0
        await walk.pilot.press("f7", "escape")
        assert walk.app.screen is walk.app.chat


async def test_typing_loads_the_model_once(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url, preload="typing") as walk:
        await walk.connected()
        assert server.count("/api/generate") == 0
        await walk.pilot.press("h", "i")
        await walk.until(lambda: server.count("/api/generate") == 1)
        await walk.pilot.press("enter")
        await walk.answered()
        assert server.count("/api/generate") == 1
        assert server.last("/api/generate").json["options"] == {"num_ctx": 8192}
        assert server.last("/api/chat").json["options"]["num_ctx"] == 8192


async def test_each_exchange_is_in_the_usage_log(tmp_path: Path) -> None:
    path = tmp_path / "chat.log"
    script = (failure(500, "CUDA error"), Reply(TEXT))
    log = Log(file=str(path), log_prompts=True)
    async with (
        ScriptedServer(*script) as server,
        walking(tmp_path, server.url, retry=AT_ONCE, log=log) as walk,
    ):
        await walk.connected()
        await walk.say("hello")
        await walk.answered()
        await walk.new_chat()
        await walk.say("again")
        await walk.answered()
    first, second = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert (first["prompt"], first["retries"], first["finish_reason"]) == ("hello", 1, "stop")
    assert (second["prompt"], second["retries"]) == ("again", 0)


async def test_a_log_that_cannot_be_one_is_said(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url, log=Log(file=str(tmp_path))) as walk:
        await walk.until(lambda: any("is a folder" in notice for notice in walk.notices))
