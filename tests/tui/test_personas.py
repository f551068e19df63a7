"""Who the model is, as a user chooses it: what is sent, what is shown, what is kept."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from script import Model, Reply
from scripted_server import ScriptedServer
from textual.widgets import Input, OptionList, Static
from walk import Walk, walking

from qwentui.chat.persona import Persona
from qwentui.chat.sampling import Sampling
from qwentui.store.settings import Log
from qwentui.tui.screens.persona_picker import PersonaPicker

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = tuple(Reply(content=(f"answer {number}",)) for number in range(6))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "config" / "personas"
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text(
        'name = "电商客服"\nsystem = "你是客服。"\ntemperature = 0.25\nthink = "off"\ngreeting = "您好！"\n',
        encoding="utf-8",
    )
    (folder / "teacher.toml").write_text('system = "Ask {nothing}."\nnum_ctx = 4096\n')
    (folder / "broken.toml").write_text("system = 3")
    return tmp_path


async def choose(walk: Walk, letters: str) -> None:
    await walk.pilot.press("f9")
    await walk.until(lambda: isinstance(walk.app.screen, PersonaPicker))
    walk.app.screen.query_one(Input).value = letters
    options = walk.app.screen.query_one(OptionList)
    await walk.until(lambda: options.option_count == 1)
    await walk.pilot.press("enter")
    await walk.until(lambda: any("From here on" in notice for notice in walk.notices))


async def say(walk: Walk, server: ScriptedServer, text: str) -> dict[str, Any]:
    before = server.count("/api/chat")
    await walk.say(text)
    await walk.until(lambda: server.count("/api/chat") == before + 1 and not walk.app.chat.busy)
    sent: dict[str, Any] = server.last("/api/chat").json
    return sent


def title(walk: Walk) -> str:
    return walk.app.chat.title_bar.render_line(0).text


def stored(home: Path, columns: str, table: str) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(home / "data" / "sessions.db")
    try:
        return connection.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()
    finally:
        connection.close()


async def test_in_the_middle_of_a_chat_it_applies_from_the_next_request(home: Path) -> None:
    log = Log(file=str(home / "log"))
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url, log=log) as walk:
        await walk.connected()
        first = await say(walk, server, "one")
        assert first["messages"] == [{"role": "user", "content": "one"}]
        await choose(walk, "客")
        second = await say(walk, server, "two")
        assert second["messages"][0] == {"role": "system", "content": "你是客服。"}
        assert [message["content"] for message in second["messages"][1:]] == ["one", "answer 0", "two"]
        assert (second["options"]["temperature"], second["think"]) == (0.25, False)
        assert "From here on: 电商客服." in walk.notices
        assert "您好！" not in walk.notices
        assert "· 电商客服" in title(walk)
        assert stored(home, "persona, system", "sessions") == [("电商客服", "你是客服。")]
        assert [row[0] for row in stored(home, "persona", "messages")][1::2] == ["", "电商客服"]
    lines = (home / "log").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["persona"] for line in lines] == ["", "电商客服"]


async def test_a_new_chat_keeps_it_and_no_persona_goes_back_to_the_settings(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url, system="Settings.") as walk:
        await walk.connected()
        await choose(walk, "shop")
        assert walk.notices[-1] == "您好！"
        await say(walk, server, "one")
        (home / "config" / "personas" / "shop.toml").write_text('name = "电商客服"\nsystem = "new prompt"')
        await walk.new_chat()
        assert (await say(walk, server, "two"))["messages"][0]["content"] == "new prompt"
        await walk.pilot.press("f9")
        await walk.until(lambda: isinstance(walk.app.screen, PersonaPicker))
        options = walk.app.screen.query(OptionList)
        await walk.until(lambda: bool(options) and options.first().highlighted == 0)
        await walk.pilot.press("down", "down", "enter")
        await walk.until(lambda: "From here on: no persona." in walk.notices)
        sent = await say(walk, server, "three")
        assert sent["messages"][0]["content"] == "Settings."
        assert "temperature" not in sent["options"]
        assert "电商客服" not in title(walk)


async def test_a_chat_that_is_taken_up_has_its_prompt_as_it_was_stored(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server:
        async with walking(home, server.url) as walk:
            await walk.connected()
            await choose(walk, "shop")
            await say(walk, server, "one")
        (home / "config" / "personas" / "shop.toml").write_text(
            'name = "电商客服"\nsystem = "changed"\ntop_k = 7'
        )
        async with walking(home, server.url, resume="") as walk:
            await walk.connected()
            assert "电商客服" in title(walk)
            sent = await say(walk, server, "two")
            assert sent["messages"][0]["content"] == "你是客服。"
            assert sent["options"]["top_k"] == 7
        (home / "config" / "personas" / "shop.toml").unlink()
        async with walking(home, server.url) as walk:
            await walk.connected()
            walk.app.open_session(str(stored(home, "id", "sessions")[0][0]))
            await walk.until(lambda: walk.app.chat.live.said)
            assert "电商客服" in title(walk)
            assert (await say(walk, server, "three"))["messages"][0]["content"] == "你是客服。"


async def test_the_command_line_goes_before_what_was_stored(home: Path) -> None:
    persona = Persona("guide", "You guide.", sampling=Sampling(seed=5), greeting="Welcome.")
    async with ScriptedServer(*ANSWERS) as server:
        async with walking(home, server.url) as walk:
            await walk.connected()
            await say(walk, server, "one")
        async with walking(home, server.url, resume="", persona=persona) as walk:
            await walk.connected()
            sent = await say(walk, server, "two")
            assert (sent["messages"][0]["content"], sent["options"]["seed"]) == ("You guide.", 5)
            assert "Welcome." not in walk.notices
        assert stored(home, "persona, system", "sessions") == [("guide", "You guide.")]
        async with walking(home, server.url, persona=persona) as walk:
            await walk.connected()
            assert walk.notices == ["Welcome."]
            assert (await say(walk, server, "three"))["messages"][0]["content"] == "You guide."


async def test_another_context_is_warned_of_and_asked_for(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await choose(walk, "tchr")
        assert "4,096 tokens of context instead of 8,192: the model is loaded again." in walk.notices
        sent = await say(walk, server, "one")
        assert sent["options"]["num_ctx"] == 4096
        assert sent["messages"][0]["content"] == "Ask {nothing}."


async def test_the_model_that_it_wants_is_used_or_its_lack_is_said(home: Path) -> None:
    folder = home / "config" / "personas"
    (folder / "small.toml").write_text('system = "x"\nmodel = "llama"')
    (folder / "large.toml").write_text('system = "x"\nmodel = "nowhere"')
    models = (Model(), Model(name="llama3.2:3b", digest="c2" * 32))
    async with (
        ScriptedServer(*ANSWERS, models=models) as server,
        walking(home, server.url, name="qwen3") as walk,
    ):
        await walk.connected()
        await choose(walk, "large")
        await walk.until(
            lambda: any("wants the model 'nowhere', which is not here" in n for n in walk.notices)
        )
        await choose(walk, "small")
        await walk.until(lambda: "llama3.2:3b @" in title(walk))
        assert (await say(walk, server, "one"))["model"] == "llama3.2:3b"


@pytest.mark.parametrize("size", [(60, 15), (80, 24)])
async def test_the_picker_shows_the_prompt_its_tokens_and_what_is_broken(
    home: Path, size: tuple[int, int]
) -> None:
    async with ScriptedServer() as server, walking(home, server.url, size=size) as walk:
        await walk.connected()
        await walk.pilot.press("f9")
        await walk.until(lambda: isinstance(walk.app.screen, PersonaPicker))
        screen = walk.app.screen
        preview = screen.query_one("#preview", Static)
        await walk.pilot.press("s", "h", "p")
        await walk.until(lambda: "你是客服。" in str(preview.render()))
        assert " tok · " in str(preview.render())
        assert "broken.toml" in str(screen.query_one("#hint", Static).render())
        assert preview.region.height > 0
        assert screen.query_one(OptionList).region.height > 0
        await walk.pilot.press("z")
        await walk.until(lambda: str(preview.render()) == "None fits.")
        await walk.pilot.press("enter")
        assert walk.app.screen is screen
        await walk.pilot.press("escape")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        assert walk.notices == []
