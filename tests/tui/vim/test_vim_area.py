"""Vim's normal mode in the composer of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from script import Reply
from scripted_server import ScriptedServer
from textual.widgets import Static
from walk import walking

from qwentui.tui.vim.normal import Normal

if TYPE_CHECKING:
    from pathlib import Path

    from walk import Walk

KEYS = {" ": "space", "$": "dollar_sign", "^": "circumflex_accent", ".": "full_stop"}


async def typed(walk: Walk, text: str) -> str:
    """What stands in the composer after some keys; ␛ is Escape, ⏎ Enter."""
    for key in text:
        await walk.pilot.press({"␛": "escape", "⏎": "enter"}.get(key) or KEYS.get(key, key))
    return walk.app.chat.composer.text


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("hello world␛", "hello world"),
        ("hello world␛bcwthere", "hello there"),
        ("hello world␛0dwA!", "world!"),
        ("one two three␛2bD", "one "),
        ("ab 你好世界␛bx", "ab 好世界"),
        ("one␛otwo␛ggddp", "two\none"),
        ("one␛yyPu", "one"),
        ("a b c␛ddu", "a b c"),
        ("abc␛0fbrX", "aXc"),
        ("abc␛qz3x", "ab"),
        ("word␛d␛x", "wor"),
    ],
)
async def test_keys_do_what_vim_does(keys: str, text: str, tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        walk.app.chat.composer.vim = True
        assert await typed(walk, keys) == text


async def test_without_the_setting_escape_leads_nowhere(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        assert await typed(walk, "abc␛x") == "abcx"


async def test_enter_sends_and_text_is_text_again_and_k_recalls_it(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        walk.app.chat.composer.vim = True
        sign = walk.app.chat.query_one("#prompt", Static)
        await typed(walk, "question␛")
        await walk.until(lambda: str(sign.render()).startswith("N"))
        await typed(walk, "⏎")
        await walk.answered()
        await walk.until(lambda: str(sign.render()).startswith("›"))
        assert server.last("/api/chat").json["messages"][-1]["content"] == "question"
        assert await typed(walk, "x␛xk") == "question"


async def test_escape_in_normal_mode_stops_the_reply(tmp_path: Path) -> None:
    script = Reply(content=("one", "two"), holds=(1,))
    async with ScriptedServer(script) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        walk.app.chat.composer.vim = True
        await walk.say("question")
        await walk.until(lambda: server.holding == 1)
        await typed(walk, "next␛")
        assert walk.app.chat.busy
        await typed(walk, "␛")
        await walk.until(lambda: not walk.app.chat.busy)
        assert walk.app.chat.composer.text == "next"


@settings(max_examples=200, deadline=None)
@given(
    st.text("ab .你\n", max_size=20), st.text("23hjklwbeWBE0^$gGfFtTdcyiaIAoOxXDCsSrupP.q好 ", max_size=30)
)
def test_any_keys_leave_a_cursor_in_the_text(text: str, keys: str) -> None:
    normal, at = Normal(), 0
    for key in keys:
        deed = normal.press(key, text, at)
        if deed is not None:
            if deed.text is not None:
                assert 0 <= deed.start <= deed.end <= len(text)
                text = text[: deed.start] + deed.text + text[deed.end :]
            at = deed.cursor
            assert 0 <= at <= len(text)
        text = text[:5_000]
        at = min(at, len(text))
