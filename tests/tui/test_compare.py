"""One prompt to two personas, as a user asks it: what is sent, when, what is shown, and what is kept."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from script import Fault, Model, Reply, failure
from scripted_server import Request, ScriptedServer
from textual.widgets import OptionList, Static
from walk import Walk, walking

from qwentui.store.prompt_history import load_prompts
from qwentui.store.settings import Log
from qwentui.tui.screens.compare import CompareScreen
from qwentui.tui.screens.pair_picker import PairPicker
from qwentui.tui.transcript.items import NoticeItem, ReplyItem

if TYPE_CHECKING:
    from pathlib import Path

    from qwentui.tui.transcript.items import Item
    from qwentui.tui.transcript.reply import LiveReply

HELD = Reply(content=("one ", "two"), holds=(1,))
FIRST = Reply(content=("from ", "the first"), prompt_eval_count=40)
SECOND = Reply(content=("from the ", "second ", "one"), prompt_eval_count=300)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "config" / "personas"
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text(
        'name = "电商客服"\nsystem = "你是客服。"\ntemperature = 0.25\nthink = "off"\n', encoding="utf-8"
    )
    (folder / "teacher.toml").write_text('system = "Ask {nothing}."\nnum_ctx = 4096\nmodel = "llama"\n')
    return tmp_path


def chats(server: ScriptedServer) -> list[Request]:
    return [request for request in server.requests if request.path == "/api/chat"]


def screen(walk: Walk) -> CompareScreen:
    found = walk.app.screen
    assert isinstance(found, CompareScreen)
    return found


def items(walk: Walk, side: int) -> list[Item | LiveReply]:
    return list(screen(walk).columns[side].transcript.items)


def answer(walk: Walk, side: int) -> str:
    return next(item.content for item in reversed(items(walk, side)) if isinstance(item, ReplyItem))


def told(walk: Walk, side: int) -> list[str]:
    return [item.text for item in items(walk, side) if isinstance(item, NoticeItem)]


def line(walk: Walk, name: str) -> str:
    return str(walk.app.screen.query_one(f"#{name}", Static).render())


def head(walk: Walk, side: int) -> str:
    return str(screen(walk).columns[side].query_one(".head", Static).render())


def stored(home: Path, columns: str, table: str = "sessions") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(home / "data" / "sessions.db")) as connection:
        return connection.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()


async def compare(walk: Walk, prompt: str, *keys: str) -> None:
    """Ask two personas by the picker; by default the first two of the list."""
    walk.app.chat.composer.text = prompt
    await walk.pilot.press("f12")
    await walk.until(lambda: isinstance(walk.app.screen, PairPicker))
    await walk.pilot.press(*(keys or ("space", "down", "space")), "enter")
    await walk.until(lambda: isinstance(walk.app.screen, CompareScreen))


async def over(walk: Walk) -> None:
    """Nothing runs any more, and nobody waits to be asked."""
    await walk.until(lambda: screen(walk).comparison.running is None and screen(walk).comparison.next is None)


async def test_the_same_goes_to_both_and_never_at_the_same_time(home: Path) -> None:
    log = Log(file=str(home / "log"))
    async with ScriptedServer(HELD, SECOND) as server, walking(home, server.url, log=log) as walk:
        await walk.connected()
        await compare(walk, "when does it come?")
        await server.until(lambda s: s.holding == 1)
        await walk.until(lambda: "answers" in head(walk, 0))
        assert "B: waits for A" in head(walk, 0) or "waits for A" in head(walk, 1)
        await walk.pilot.pause(0.1)
        assert len(chats(server)) == 1
        server.release()
        await over(walk)
        first, second = chats(server)
        assert first.finished
        assert first.sent_at[-1] < second.received_at
        assert first.json["messages"] == [
            {"role": "system", "content": "你是客服。"},
            {"role": "user", "content": "when does it come?"},
        ]
        assert second.json["messages"] == [
            {"role": "system", "content": "Ask {nothing}."},
            {"role": "user", "content": "when does it come?"},
        ]
        # The persona's own options, and besides that the same ones: above all the same context.
        assert (first.json["options"].pop("temperature"), first.json.pop("think")) == (0.25, False)
        assert second.json.pop("think", None) is not False
        for request in (first, second):
            assert request.json["options"]["num_ctx"] == 8192
        assert first.json["model"] == second.json["model"]
        assert server.loaded == {"qwen3:latest": 8192}
        assert [answer(walk, side) for side in (0, 1)] == ["one two", "from the second one"]
        assert told(walk, 0) == []
        assert told(walk, 1) == [
            "teacher wants 4,096 tokens of context; 8,192 stay, or the model would reload.",
            "teacher wants the model llama; qwen3 answers.",
        ]
    lines = [json.loads(text) for text in (home / "log").read_text(encoding="utf-8").splitlines()]
    assert [entry["persona"] for entry in lines] == ["电商客服", "teacher"]
    assert stored(home, "title, persona, system, tags") == [
        ("电商客服: when does it come?", "电商客服", "你是客服。", "\na/b\n"),
        ("teacher: when does it come?", "teacher", "Ask {nothing}.", "\na/b\n"),
    ]
