"""The colours as a user changes them: tried on in the picker, kept in the settings, saved in an editor."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from script import Reply
from scripted_server import ScriptedServer
from textual.widgets import Input, OptionList, Static
from walk import Walk, walking

from qwentui.store.paths import shipped
from qwentui.store.settings_origin import Origin
from qwentui.store.themes import load_theme
from qwentui.tui.screens.theme_picker import ThemePicker
from qwentui.tui.theme import Uncolored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

OURS = shipped("themes")
LONG = "# Heading\n\n" + "".join(f"Paragraph {n} with `code`.\n\n" for n in range(60))
MINE = '[colors]\nbackground = "#101418"\nforeground = "#e0e4e8"\nprimary = "{primary}"\n'


@asynccontextmanager
async def dressed(
    home: Path, environ: Mapping[str, str] | None = None, size: tuple[int, int] = (100, 30)
) -> AsyncIterator[Walk]:
    """A user at the program, whose settings lie in a file."""
    async with ScriptedServer(Reply(content=(LONG,))) as server:
        origin = Origin(home / "config" / "config.toml", environ or {})
        async with walking(home, server.url, size=size, origin=origin) as walk:
            await walk.connected()
            yield walk


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "config" / "themes").mkdir(parents=True)
    return tmp_path


def mine(home: Path, text: str, name: str = "mine") -> Path:
    path = home / "config" / "themes" / f"{name}.toml"
    path.write_text(text)
    return path


async def pick(walk: Walk) -> ThemePicker:
    await walk.pilot.press("f10")
    await walk.until(lambda: isinstance(walk.app.screen, ThemePicker))
    screen = walk.app.screen
    assert isinstance(screen, ThemePicker)
    await walk.until(lambda: screen.query_one(OptionList).option_count > 0)
    return screen


def ink(walk: Walk, text: str) -> str:
    """The colour in which `text` stands in the transcript."""
    transcript = walk.app.chat.transcript
    for y in range(transcript.size.height):
        for segment in transcript.render_line(y):
            if text in segment.text and segment.style is not None and segment.style.color is not None:
                return segment.style.color.name
    raise AssertionError(f"{text!r} is not in view:\n{walk.shown}")


def back(walk: Walk) -> str:
    return walk.app.chat.styles.background.hex.lower()


async def test_the_program_wears_what_the_cursor_is_at_and_escape_goes_back(home: Path) -> None:
    light, dark = load_theme("qwentui-light", [OURS]), load_theme("qwentui-dark", [OURS])
    async with dressed(home) as walk:
        await walk.say("hello")
        await walk.answered()
        walk.app.chat.transcript.scroll_home()
        await walk.pilot.pause()
        assert ink(walk, "Heading") == dark.colors.primary
        screen = await pick(walk)
        options = screen.query_one(OptionList)
        assert screen.shown[options.highlighted or 0].name == "qwentui-dark"
        await walk.pilot.press("l", "g", "h", "t")
        await walk.until(lambda: back(walk) == light.colors.background)
        assert walk.app.theming.theme.name == "qwentui-light"
        assert ink(walk, "Heading") == light.colors.primary
        assert "Heading" in str(screen.query_one("#sample", Static).render())
        await walk.pilot.press("escape")
        await walk.until(lambda: back(walk) == dark.colors.background)
        assert ink(walk, "Heading") == dark.colors.primary
        assert walk.app.screen is walk.app.chat
    assert not (home / "config" / "config.toml").exists()


async def test_the_reader_stays_at_the_place_and_so_does_a_reply_that_streams(home: Path) -> None:
    parts = tuple(f"Line {n} of `it`.\n\n" for n in range(40))
    async with (
        ScriptedServer(Reply(content=(LONG,)), Reply(content=parts, holds=(20,))) as server,
        walking(home, server.url) as walk,
    ):
        await walk.connected()
        await walk.say("one")
        await walk.answered()
        transcript = walk.app.chat.transcript
        transcript.scroll_to(y=31)
        await walk.pilot.pause()
        before = walk.shown
        assert "Paragraph" in before
        walk.app.theming.wear(load_theme("qwentui-paper", [OURS]))
        await walk.until(lambda: back(walk) == "#f6efe0")
        assert walk.shown == before
        assert not transcript.following
        await walk.say("two")
        await walk.until(lambda: server.holding == 20 and "Line 19" in walk.shown)
        walk.app.theming.wear(load_theme("qwentui-dusk", [OURS]))
        await walk.until(lambda: ink(walk, "it") == "#d9b48f")
        assert transcript.following
        server.release()
        await walk.until(lambda: "Line 39" in walk.shown)


async def test_enter_keeps_it_in_the_settings_with_their_comments(home: Path) -> None:
    config = home / "config" / "config.toml"
    config.write_text("# mine\n[screen]\nfps = 20  # slow link\n")
    async with dressed(home) as walk:
        await pick(walk)
        await walk.pilot.press("p", "p", "r", "enter")
        await walk.until(lambda: "qwentui-paper" in config.read_text())
        assert config.read_text() == '# mine\n[screen]\nfps = 20  # slow link\ntheme = "qwentui-paper"\n'
        await walk.until(lambda: "theme: qwentui-paper" in walk.app.chat.title_bar.render_line(0).text)
        await pick(walk)
        await walk.pilot.press("d", "s", "k", "enter")
        await walk.until(lambda: 'theme = "qwentui-dusk"' in config.read_text())
        assert walk.notices == []


async def test_what_decides_otherwise_is_said_and_nothing_is_written(home: Path) -> None:
    async with dressed(home, {"QWENTUI_SCREEN_THEME": "qwentui-dark"}) as walk:
        await pick(walk)
        await walk.pilot.press("p", "p", "r", "enter")
        await walk.until(lambda: bool(walk.notices))
        assert walk.notices == [
            "QWENTUI_SCREEN_THEME decides screen.theme. qwentui-paper stays until the program ends."
        ]
        assert walk.app.theming.theme.name == "qwentui-paper"
    assert not (home / "config" / "config.toml").exists()


async def test_settings_that_cannot_be_changed_are_a_sentence(home: Path) -> None:
    async with dressed(home) as walk:
        (home / "config" / "config.toml").write_text("[screen\n")
        await pick(walk)
        await walk.pilot.press("p", "p", "r", "enter")
        await walk.until(lambda: bool(walk.notices))
        assert "config.toml is not valid TOML" in walk.notices[0]


@pytest.mark.parametrize("size", [(60, 15), (80, 24)])
async def test_a_broken_theme_stands_in_the_list_with_its_reason(home: Path, size: tuple[int, int]) -> None:
    mine(home, MINE.format(primary="#40c0ff"))
    mine(home, '[colors]\ndim = "gray"\n', "bad")
    async with dressed(home, size=size) as walk:
        screen = await pick(walk)
        options = screen.query_one(OptionList)
        assert "mine" in [theme.name for theme in screen.shown]
        last = options.get_option_at_index(options.option_count - 1)
        assert last.disabled
        assert "bad.toml, line 2: colors.dim" in str(last.prompt)
        assert options.region.height > 2
        assert screen.query_one("#sample", Static).region.bottom <= size[1]
        assert screen.query_one("#hint", Static).region.bottom <= size[1]
        await walk.pilot.press("up")
        await walk.pilot.press("up")
        screen.query_one(Input).value = "zzz"
        await walk.until(lambda: "None fits." in str(screen.query_one("#sample", Static).render()))
        await walk.pilot.press("enter")
        assert walk.app.screen is screen


async def test_a_theme_that_is_saved_is_taken_up_and_a_broken_one_is_told_once(home: Path) -> None:
    path = mine(home, MINE.format(primary="#40c0ff"))
    async with dressed(home) as walk:
        theming = walk.app.theming
        await walk.say("hello")
        await walk.answered()
        walk.app.chat.transcript.scroll_home()
        theming.wear(load_theme("mine", [path.parent]))
        await walk.until(lambda: ink(walk, "Heading") == "#40c0ff")
        theming.look()
        mine(home, MINE.format(primary="#ffd000"))
        theming.look()
        await walk.until(lambda: ink(walk, "Heading") == "#ffd000")
        mine(home, MINE.format(primary="gold"))
        theming.look()
        assert walk.notices == []
        theming.look()
        assert "mine.toml, line 4: colors.primary" in walk.notices[0]
        assert walk.notices[0].endswith("The colours stay as they were.")
        theming.look()
        os.utime(path, ns=(1, 1))
        theming.look()
        theming.look()
        assert len(walk.notices) == 1
        assert ink(walk, "Heading") == "#ffd000"
        path.unlink()
        theming.look()
        mine(home, MINE.format(primary="#00ff80"))
        theming.look()
        await walk.until(lambda: ink(walk, "Heading") == "#00ff80")
        mine(home, MINE.format(primary="#00ff80") + 'dimm = "#888"\n')
        theming.look()
        theming.look()
        assert walk.notices[1].endswith("line 5: colors.dimm is unknown; did you mean colors.dim?")


async def test_only_a_file_of_the_users_own_is_looked_at(home: Path) -> None:
    path = mine(home, MINE.format(primary="#40c0ff"))
    async with dressed(home) as walk:
        theming = walk.app.theming
        await walk.until(lambda: theming._timer is not None)
        timer = theming._timer
        assert timer is not None
        assert not timer._active.is_set()
        theming.wear(load_theme("mine", [path.parent]))
        assert timer._active.is_set()
        theming.wear(load_theme("qwentui-dark", [OURS]))
        assert not timer._active.is_set()


async def test_a_name_that_is_no_identifier_can_be_worn(home: Path) -> None:
    path = mine(home, MINE.format(primary="#40c0ff"), "我的 主题 [b]")
    async with dressed(home) as walk:
        screen = await pick(walk)
        screen.query_one(Input).value = "主题"
        await walk.until(lambda: walk.app.theming.theme.path == path)
        await walk.pilot.press("enter")
        await walk.until((home / "config" / "config.toml").exists)
        assert 'theme = "我的 主题 [b]"' in (home / "config" / "config.toml").read_text()


def test_what_takes_the_colours_leaves_the_rest() -> None:
    from rich.segment import Segment
    from rich.style import Style
    from textual.color import Color as Background

    style = Style(color="red", bgcolor="#123456", bold=True, reverse=True, underline=True)
    (segment,) = Uncolored().apply([Segment("x", style)], Background(0, 0, 0))
    assert segment.style == Style(bold=True, reverse=True, underline=True)
