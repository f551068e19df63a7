"""A chat written to a file from the program."""

from __future__ import annotations

import json
from contextlib import chdir
from typing import TYPE_CHECKING

from script import Reply
from scripted_server import ScriptedServer
from walk import Walk, walking

from qwentui.tui.screens.export import ExportScreen, default_name
from qwentui.tui.screens.sessions import SessionsScreen

if TYPE_CHECKING:
    from pathlib import Path


async def _asked_where(walk: Walk) -> ExportScreen:
    await walk.connected()
    await walk.say("订单 question")
    await walk.answered()
    await walk.pilot.press("f4")
    await walk.until(lambda: isinstance(walk.app.screen, ExportScreen))
    screen = walk.app.screen
    assert isinstance(screen, ExportScreen)
    return screen


async def test_the_chat_lies_where_the_notice_says(tmp_path: Path) -> None:
    script = Reply(content=("the answer",))
    async with ScriptedServer(script) as server, walking(tmp_path, server.url) as walk:
        with chdir(tmp_path):
            screen = await _asked_where(walk)
        await walk.pilot.press("enter")
        await walk.until(lambda: any("Exported as markdown" in notice for notice in walk.notices))
        path = tmp_path / screen._file.value
        assert path.name.endswith("-订单-question.md")
        assert str(path) in walk.notices[-1]
        text = path.read_text(encoding="utf-8")
        assert "订单 question" in text
        assert "the answer" in text
        assert path.stat().st_mode & 0o777 == 0o600


async def test_every_form_has_its_ending_and_a_file_is_replaced_only_when_asked_twice(tmp_path: Path) -> None:
    async with (
        ScriptedServer(Reply(content=("the answer",))) as server,
        walking(tmp_path, server.url) as walk,
    ):
        screen = await _asked_where(walk)
        await walk.pilot.press("tab")
        assert screen._file.value.endswith("订单-question.jsonl")
        await walk.pilot.press("tab")
        assert screen._file.value.endswith("订单-question.openai.jsonl")
        path = tmp_path / "lines.jsonl"
        path.write_text("precious")
        screen._file.value = str(path)
        await walk.pilot.press("enter")
        await walk.until(lambda: "already" in str(screen._message.render()))
        assert path.read_text() == "precious"
        await walk.pilot.press("enter")
        await walk.until(lambda: bool(walk.notices))
        (line,) = path.read_text(encoding="utf-8").splitlines()
        assert [m["content"] for m in json.loads(line)["messages"]] == ["订单 question", "the answer"]


async def test_what_cannot_be_written_is_said_and_the_name_can_be_mended(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        screen = await _asked_where(walk)
        screen._file.value = str(tmp_path / "nowhere" / "x.md")
        await walk.pilot.press("enter")
        await walk.until(lambda: "cannot be written" in str(screen._message.render()))
        screen._file.value = "  "
        await walk.pilot.press("enter")
        assert "needs a name" in str(screen._message.render())
        await walk.pilot.press("escape")
        await walk.until(lambda: walk.app.screen is walk.app.chat)


async def test_a_chat_without_messages_is_not_exported(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("/export")
        await walk.until(lambda: walk.notices == ["Nothing has been said in this chat yet."])


async def test_a_listed_chat_is_exported_too(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("listed")
        await walk.answered()
        await walk.pilot.press("ctrl+s")
        await walk.until(
            lambda: isinstance(walk.app.screen, SessionsScreen) and bool(walk.app.screen.list.rows)
        )
        await walk.pilot.press("e")
        await walk.until(lambda: isinstance(walk.app.screen, ExportScreen))
        walk.app.screen._file.value = str(tmp_path / "listed.md")
        await walk.pilot.press("enter")
        await walk.until(lambda: isinstance(walk.app.screen, SessionsScreen))
        assert "Exported as markdown" in str(walk.app.screen.last_line.render())


def test_names_are_plain_whatever_the_title() -> None:
    assert default_name("../a/b: 订单?", "2026-11-26") == "2026-11-26-a-b-订单"
    assert default_name("", "2026-11-26") == "2026-11-26"
    assert len(default_name("word " * 50, "2026-11-26")) <= 51
