"""The program in Chinese: no English left on its screens, and pictures of those that say most.

A picture that changed is looked at, and accepted with

    ACCEPT_SNAPSHOTS=1 python -m pytest tests/tui/test_chinese.py
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from script import Reply
from scripted_server import ScriptedServer
from snapshot import assert_looks_as
from svg import picture
from walk import walking

from qwentui import language
from qwentui.store.settings_origin import Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from walk import Walk

SNAPSHOTS = Path(__file__).parent / "snapshots"
ENGLISH = re.compile(r"\b[A-Za-z]?[a-z]{2,} (?:[a-z]{2,} )*[a-z]{2,}\b")
"""Two English words and more in a row."""
NAMES = re.compile(r"qwentui [a-z]+(?: --[a-z]+)?|ollama [a-z]+|def total")
SCREENS = {
    "help": "f1",
    "gauges": "f2",
    "actions": "ctrl+l",
    "models": "ctrl+o",
    "request": "ctrl+p",
    "sessions": "ctrl+s",
    "export": "f4",
    "memory": "f7",
    "personas": "f9",
    "themes": "f10",
    "settings": "f11",
    "compare": "f12",
}
PICTURED = ("help", "personas", "memory")


@pytest.fixture(autouse=True)
def _in_chinese() -> Iterator[None]:
    language.use(language.CHINESE)
    yield
    language.use(language.ENGLISH)


@asynccontextmanager
async def talking(tmp_path: Path) -> AsyncIterator[Walk]:
    """A user with one question answered."""
    script = Reply(thinking=("想一想",), content=("两到四天。",))
    async with (
        ScriptedServer(script) as server,
        walking(tmp_path, server.url, size=(100, 40), origin=Origin(tmp_path / "config.toml", {})) as walk,
    ):
        await walk.connected()
        await walk.say("订单多久能到？")
        await walk.answered()
        yield walk


def shown(walk: Walk) -> str:
    """What stands on the screen."""
    app = walk.app
    width, height = app.size
    lines = app.screen._compositor.render_strips(app.size)
    assert [strip.cell_length for strip in lines] == [width] * height
    return "\n".join(strip.text for strip in lines)


def english(text: str) -> list[str]:
    return ENGLISH.findall(NAMES.sub("", text))


async def test_the_chat_speaks_chinese(tmp_path: Path) -> None:
    async with talking(tmp_path) as walk:
        await walk.until(lambda: "完成" in shown(walk) and "发送" in shown(walk))
        assert english(shown(walk)) == []


@pytest.mark.parametrize("name", SCREENS)
async def test_a_screen_speaks_chinese(name: str, tmp_path: Path) -> None:
    async with talking(tmp_path) as walk:
        chat = walk.app.screen
        await walk.pilot.press(SCREENS[name])
        await walk.until(lambda: walk.app.screen is not chat)
        await walk.pilot.pause(0.1)
        text = shown(walk)
        assert re.search(r"[\u4e00-\u9fff]{2}", text)
        assert english(text) == []


@pytest.mark.parametrize("name", PICTURED)
async def test_a_screen_looks_as_it_did(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    origin = Origin(Path("/home/me/config.toml"), {})
    async with (
        ScriptedServer() as server,
        walking(tmp_path, server.url, size=(80, 30), origin=origin) as walk,
    ):
        await walk.connected()
        walk.app.chat.title_bar.show(host="a10")
        chat = walk.app.screen
        await walk.pilot.press(SCREENS[name])
        await walk.until(lambda: walk.app.screen is not chat)
        await walk.pilot.pause(0.1)
        drawn = picture(walk.app, f"{name}, 80 columns").replace(str(tmp_path), "/home/me")
    assert_looks_as(SNAPSHOTS / f"chinese-{name}.svg", drawn, tmp_path)
