"""Paths behind an `@` in the composer, offered from the disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from scripted_server import ScriptedServer
from walk import Walk, walking

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    (folder / "my notes").mkdir()
    monkeypatch.chdir(folder)
    for name in ("notes.md", "News.txt", ".hidden", "src/app.py", "my notes/a b.md", "no\x1bse"):
        (folder / name).write_text("x\n")
    os.mkfifo(folder / "pipe")
    (folder / "nowhere").symlink_to("none")
    return folder


def _offered(walk: Walk) -> list[str]:
    offer = walk.app.chat.composer.popup.offer
    return [] if offer is None else [candidate.label or candidate.text for candidate in offer.candidates]


async def test_folders_first_hidden_files_behind_a_dot(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("@")
        await walk.until(lambda: _offered(walk) == ["my notes/", "src/", "News.txt", "notes.md"])
        await walk.pilot.press("n")
        await walk.until(lambda: _offered(walk) == ["News.txt", "notes.md"])
        await walk.pilot.press("backspace", ".")
        await walk.until(lambda: _offered(walk) == [".hidden"])
        await walk.pilot.press("x")
        await walk.until(lambda: _offered(walk) == [])


async def test_a_folder_goes_on_and_quotes_where_it_must(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("@", "m")
        await walk.until(lambda: _offered(walk) == ["my notes/"])
        await walk.pilot.press("tab")
        assert walk.app.chat.composer.text == '@"my notes/'
        await walk.until(lambda: _offered(walk) == ["a b.md"])
        await walk.pilot.press("tab")
        assert walk.app.chat.composer.text == '@"my notes/a b.md" '
        await walk.pilot.press("enter")
        await walk.answered()
        [message] = server.last("/api/chat").json["messages"]
        assert message["content"].endswith("```markdown my notes/a b.md\nx\n```")


async def test_a_path_that_is_written_out_is_sent_by_enter(tmp_path: Path, folder: Path) -> None:
    (folder / "notes.md.bak").write_text("x\n")
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press(*"@notes.md")
        await walk.until(lambda: _offered(walk) == ["notes.md", "notes.md.bak"])
        await walk.pilot.press("enter")
        await walk.answered()
        assert server.last("/api/chat").json["messages"][0]["content"].startswith("@notes.md\n\n```")


async def test_what_is_new_in_a_folder_is_offered_and_mail_is_not(tmp_path: Path, folder: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press(*"me@n")
        assert not _offered(walk)
        assert walk.app.chat.path_completion._listings == {}
        await walk.pilot.press("space", "@", *"src/")
        await walk.until(lambda: _offered(walk) == ["app.py"])
        (folder / "src" / "new.py").write_text("")
        listings = walk.app.chat.path_completion._listings
        listings["src/"] = listings["src/"]._replace(until=0.0)
        await walk.pilot.press("n")
        await walk.until(lambda: _offered(walk) == ["new.py"])


async def test_the_command_names_a_file_in_the_composer(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press(*"/file", "space", "m")
        await walk.until(lambda: _offered(walk) == ["my notes/"])
        await walk.pilot.press("tab")
        await walk.until(lambda: _offered(walk) == ["a b.md"])
        await walk.pilot.press("tab", "enter")
        await walk.until(lambda: walk.app.chat.composer.text == '@"my notes/a b.md" ')
        await walk.pilot.press(*"why?", "enter")
        await walk.answered()
        [message] = server.last("/api/chat").json["messages"]
        assert message["content"].startswith('@"my notes/a b.md" why?\n\n```markdown my notes/a b.md\n')


async def test_a_file_that_the_command_cannot_find_is_told(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("/file my notes/a c.md")
        await walk.until(lambda: any("my notes/a b.md comes closest" in notice for notice in walk.notices))
        assert walk.app.chat.composer.text == "/file my notes/a c.md"
