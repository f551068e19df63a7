"""Reading a chat with keys: copy, search, editor, pager, help."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from script import Reply
from scripted_server import ScriptedServer
from walk import Walk, walking

from qwentui.store.settings import Screen
from qwentui.tui.screens.help import HelpScreen

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ANSWER = Reply(content=("Here it is:\n\n", "```python\nprint('hi')\n```\n\n", "And the needle.\n"))
TO_FILE = Screen(clipboard="file")


async def _talked(walk: Walk) -> None:
    await walk.connected()
    await walk.say("show me")
    await walk.answered()


def _copied(tmp_path: Path) -> str:
    path = tmp_path / "state" / "copied.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""


async def test_one_key_copies_the_answer_the_message_or_the_code(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url, screen=TO_FILE) as walk:
        await _talked(walk)
        await walk.pilot.press("ctrl+y")
        await walk.until(lambda: _copied(tmp_path).endswith("And the needle.\n"))
        await walk.pilot.press("tab", "c")
        await walk.until(lambda: _copied(tmp_path) == "print('hi')")
        await walk.pilot.press("K", "K", "y")
        await walk.until(lambda: _copied(tmp_path) == "show me")


async def test_lines_are_selected_with_keys_and_copied(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url, screen=TO_FILE) as walk:
        await _talked(walk)
        await walk.pilot.press("tab", "V", "k", "y")
        await walk.until(lambda: "stop" in _copied(tmp_path))


async def test_the_search_counts_and_goes_to_its_matches(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk)
        await walk.pilot.press("ctrl+f", *"needle")
        bar = walk.app.chat.search_bar
        await walk.until(lambda: bar is not None and "1/1" in str(bar._count.render()))
        await walk.pilot.press("enter", "n", "N", "escape")
        assert bar is not None
        assert not bar.display
        assert walk.app.focused is walk.app.chat.composer


async def test_the_editor_goes_on_with_the_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf " and more" >> "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        # Without a terminal there is nothing to hand over.
        monkeypatch.setattr(walk.app, "suspend", nullcontext)
        walk.app.chat.composer.text = "draft"
        await walk.pilot.press("ctrl+g")
        await walk.until(lambda: walk.app.chat.composer.text == "draft and more")


async def test_the_pager_gets_the_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pager = tmp_path / "pager"
    pager.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/paged\n')
    pager.chmod(0o755)
    monkeypatch.setenv("PAGER", str(pager))
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        monkeypatch.setattr(walk.app, "suspend", nullcontext)
        await _talked(walk)
        await walk.pilot.press("tab", "o")
        await walk.until((tmp_path / "paged").exists)
        assert "needle" in (tmp_path / "paged").read_text()


async def test_what_cannot_be_handed_over_is_said(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        await walk.pilot.press("ctrl+g")
        await walk.until(lambda: any("handed over" in notice for notice in walk.notices))


async def test_the_help_lists_every_key(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        await walk.pilot.press("f1")
        await walk.until(lambda: isinstance(walk.app.screen, HelpScreen))
        await walk.pilot.press("j", "k", "escape")
        await walk.until(lambda: not isinstance(walk.app.screen, HelpScreen))


async def test_the_end_is_followed_when_the_composer_shrinks(tmp_path: Path) -> None:
    script = Reply(content=tuple(f"w{n}\n\n" for n in range(200)), holds=(100,))
    async with ScriptedServer(script) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("one")
        await walk.until(lambda: server.holding == 100)
        await walk.until(lambda: "w99" in walk.shown)
        walk.app.chat.composer.text = "1\n2\n3\n4"
        await walk.until(lambda: walk.app.chat.composer.size.height == 4)
        assert walk.app.chat.transcript.following
        walk.app.chat.composer.text = ""
        await walk.until(lambda: walk.app.chat.composer.size.height == 1)
        await walk.pilot.pause()
        assert walk.app.chat.transcript.following
