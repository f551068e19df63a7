"""Whatever is pressed and written on the settings screen, the file says exactly what is shown."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from store.test_settings_edit import COMMENTED, SETTINGS, argument
from textual.app import App
from textual.widgets import OptionList

from qwentui.chat.memory_fit import A10
from qwentui.store.paths import shipped
from qwentui.store.settings_origin import Origin
from qwentui.tui.screens.setting_choice import SettingChoice
from qwentui.tui.screens.setting_rows import rows_of
from qwentui.tui.screens.settings import SettingsScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.pilot import Pilot

    from qwentui.chat.memory_fit import ModelShape
    from qwentui.store.settings import Settings

EDITS = st.lists(
    st.tuples(
        SETTINGS.map(lambda change: (change[0], argument(change[1]))),
        st.one_of(st.none(), st.text("01.-e\"'[]truefals中 ", max_size=6)),
        st.sampled_from(["write", "write", "default", "leave"]),
    ),
    max_size=5,
)


class Alone(App[None]):
    """The screen with nobody who goes by the settings but the test."""

    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self.settings_screen = SettingsScreen(origin, origin.read(), self)
        self.adopted: Settings | None = None

    def on_mount(self) -> None:
        self.push_screen(self.settings_screen)

    def adopt(self, settings: Settings) -> str:
        self.adopted = settings
        return ""

    async def shape(self) -> ModelShape | None:
        return None

    def card(self) -> tuple[int, str]:
        return A10, "An A10"

    def theme_folders(self) -> Sequence[Path]:
        return (shipped("themes"),)


async def _until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if condition():
            return
        await pilot.pause(0.005)
    raise AssertionError("never came about")


async def _edit(app: Alone, pilot: Pilot[None], key: str, text: str, way: str) -> None:
    screen = app.settings_screen
    screen.list.highlighted = [option.id for option in screen.list.options].index(key)
    await _until(pilot, lambda: screen.list.key == key)
    screen.say("")
    await pilot.press("d" if way == "default" else "enter")
    # Either it is done and said, or it is asked for a value.
    await _until(pilot, lambda: bool(screen._said) or screen.edit.display or app.screen is not screen)
    if isinstance(app.screen, SettingChoice):
        options = app.screen.query_one(OptionList)
        options.highlighted = len(text) % 3
        stays = way != "write" or str(options.options[len(text) % 3].prompt) == screen.rows[key].written
        await pilot.press("enter" if way == "write" else "escape")
        await _until(pilot, lambda: app.screen is screen and (stays or bool(screen._said)))
    elif screen.edit.display:
        screen.edit.value = text
        await pilot.press("enter" if way == "write" else "escape")
        await _until(pilot, lambda: bool(screen._said) or not screen.edit.display)
        if screen.edit.display:
            # It was refused.
            await pilot.press("escape")
            await _until(pilot, lambda: not screen.edit.display)


async def _play(edits: list[tuple[tuple[str, str], str | None, str]], text: str, profile: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(text, encoding="utf-8")
        origin = Origin(path, {"QWENTUI_MODEL_TOP_K": "5"}, profile)
        app = Alone(origin)
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            await pilot.press("a")
            for (key, value), other, way in edits:
                await _edit(app, pilot, key, value if other is None else other, way)
            read = origin.read()
            assert {row.key: row for row in rows_of(read)} == app.settings_screen.rows
            assert app.adopted in (None, read.settings)
            comments = [line for line in text.splitlines() if line.startswith("#")]
            assert [line for line in path.read_text().splitlines() if line.startswith("#")] == comments


@settings(max_examples=6, deadline=None)
@given(EDITS, st.sampled_from(["", COMMENTED]), st.sampled_from(["", "big"]))
def test_after_anything_the_file_says_what_is_shown(
    edits: list[tuple[tuple[str, str], str | None, str]], text: str, profile: str
) -> None:
    asyncio.run(_play(edits, text, profile if "[profile." in text else ""))
