"""Pictures of the settings screen at two sizes, compared with those in `snapshots/`.

A picture that changed is looked at, and accepted with

    ACCEPT_SNAPSHOTS=1 python -m pytest tests/tui/test_settings_snapshots.py
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from snapshot import assert_looks_as
from svg import picture
from textual.app import App

from qwentui.chat.memory_fit import A10
from qwentui.store.paths import shipped
from qwentui.store.settings import Loaded, Model, Screen, Server, Settings
from qwentui.store.settings_origin import Origin
from qwentui.store.themes import load_theme
from qwentui.tui import app as program
from qwentui.tui.screens.settings import SettingsScreen
from qwentui.tui.theme import textual_theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.chat.memory_fit import ModelShape

SNAPSHOTS = Path(__file__).parent / "snapshots"
SETTINGS = Settings(
    server=Server(host="https://me:s3cret@a10", bearer="s3cret"),
    model=Model(name="qwen3-32b-local", system="你是客服。", num_ctx=16384, temperature=0.6, top_k=20),
    screen=Screen(theme="qwentui-light", fps=10),
)
SOURCES = {
    "server.host": "file",
    "server.bearer": "QWENTUI_SERVER_BEARER",
    "model.name": "--model",
    "model.system": "file",
    "model.num_ctx": "profile a10",
    "model.temperature": "file",
    "model.top_k": "QWENTUI_MODEL_TOP_K",
    "screen.theme": "file",
    "screen.fps": "file",
}
STATES = {
    "plain": ("j", "j"),
    "all": ("a", "j", "j", "j"),
    "filtered": ("slash", *"server", "escape"),
}


class Gallery(App[None]):
    """The screen alone, with the program's styles."""

    CSS_PATH: ClassVar[Path] = Path(program.__file__).with_name("qwentui.tcss")

    def __init__(self) -> None:
        super().__init__()
        file = load_theme("qwentui-dark", [shipped("themes")])
        self.register_theme(textual_theme(file))
        self.theme = file.name

    def on_mount(self) -> None:
        origin = Origin(Path("/home/you/.config/qwentui/config.toml"), {}, "a10")
        loaded = Loaded(settings=SETTINGS, warnings=(), sources=SOURCES)
        self.push_screen(SettingsScreen(origin, loaded, self))

    def adopt(self, settings: Settings) -> str:
        raise AssertionError(settings)

    async def shape(self) -> ModelShape | None:
        return None

    def card(self) -> tuple[int, str]:
        return A10, "An A10"

    def theme_folders(self) -> Sequence[Path]:
        return (shipped("themes"),)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["120x36", "80x24"])
@pytest.mark.parametrize("state", STATES)
async def test_the_settings_look_as_they_did(state: str, size: tuple[int, int], tmp_path: Path) -> None:
    gallery = Gallery()
    async with gallery.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*STATES[state])
        await pilot.pause()
        drawn = picture(gallery, f"settings, {state}, {size[0]}x{size[1]}")
    assert_looks_as(SNAPSHOTS / f"settings-{state}-{size[0]}x{size[1]}.svg", drawn, tmp_path)
