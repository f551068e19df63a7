"""The settings screen as a user walks it: what is shown, what is written, and what holds from then on."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from script import Model, Reply
from scripted_server import ScriptedServer
from textual.widgets import OptionList
from walk import Walk, walking

from qwentui.store.settings import read_settings
from qwentui.store.settings_origin import Origin
from qwentui.tui.screens.persona_picker import PersonaPicker
from qwentui.tui.screens.setting_choice import SettingChoice
from qwentui.tui.screens.setting_rows import USUAL
from qwentui.tui.screens.settings import SettingsScreen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

COMMENTED = """\
# what I found out
[model]  # Qwen3-32B
num_ctx = 8192   # more does not fit

temperature = 0.6 # Qwen's own
think = "off"
stop = ["END"]
[screen]
mouse = true  # over SSH
[server]
bearer = 's3cret'
[profile.a10.model]  # the card
num_predict = 2048   # short
"""
ANSWERS = tuple(Reply(content=(f"answer {number}",)) for number in range(6))


@asynccontextmanager
async def at_settings(
    tmp_path: Path,
    *,
    text: str = COMMENTED,
    profile: str | None = None,
    size: tuple[int, int] = (100, 36),
    models: tuple[Model, ...] = (Model(),),
    replies: tuple[Reply, ...] = ANSWERS,
    **environ: str,
) -> AsyncIterator[tuple[Walk, ScriptedServer, Path]]:
    """A user who has a settings file, connected, with the settings on the screen."""
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    async with (
        ScriptedServer(*replies, models=models) as server,
        walking(tmp_path, server.url, origin=Origin(path, environ, profile), size=size) as walk,
    ):
        await walk.connected()
        await opened(walk)
        yield walk, server, path


async def opened(walk: Walk) -> None:
    await walk.pilot.press("f11")
    await shown(walk)


async def shown(walk: Walk) -> None:
    await walk.until(lambda: isinstance(walk.app.screen, SettingsScreen) and bool(screen(walk).list.keys))
    await walk.until(lambda: walk.app.focused is screen(walk).list and screen(walk).list.key is not None)


def screen(walk: Walk) -> SettingsScreen:
    assert isinstance(walk.app.screen, SettingsScreen)
    return walk.app.screen


async def to(walk: Walk, key: str) -> None:
    """Put the cursor on a key."""
    if key not in USUAL:
        await walk.pilot.press("a")
    options = screen(walk).list
    options.highlighted = [option.id for option in options.options].index(key)
    await walk.until(lambda: said(walk).startswith(key))


async def write(walk: Walk, text: str) -> None:
    """Enter, the text in place of what stands there, Enter."""
    await walk.pilot.press("enter")
    await walk.until(lambda: walk.app.focused is screen(walk).edit)
    screen(walk).edit.value = text
    await walk.pilot.press("enter")
    await walk.pilot.pause()


async def written(walk: Walk, key: str, text: str) -> None:
    """The key has another value, and the list the cursor again."""
    await to(walk, key)
    await write(walk, text)
    await walk.until(lambda: walk.app.focused is screen(walk).list)


async def choose(walk: Walk, key: str, choice: str) -> None:
    """Enter, and one of the list that opens."""
    await to(walk, key)
    await walk.pilot.press("enter")
    await walk.until(lambda: isinstance(walk.app.screen, SettingChoice))
    options = walk.app.screen.query_one(OptionList)
    options.highlighted = [str(option.prompt) for option in options.options].index(choice)
    await walk.pilot.press("enter")
    await walk.until(lambda: isinstance(walk.app.screen, SettingsScreen))
    await walk.pilot.pause()


def said(walk: Walk) -> str:
    return str(screen(walk).about.render())


def lines(walk: Walk) -> list[str]:
    options = screen(walk).list
    return [options.render_line(y).text for y in range(options.size.height)]


def row(walk: Walk, name: str) -> list[str]:
    """The columns of a key that is in view."""
    return next(line.split() for line in lines(walk) if line.split()[:1] == [name])


async def asked(walk: Walk, server: ScriptedServer, text: str) -> dict[str, Any]:
    """What the next request holds."""
    await walk.pilot.press("q")
    before = server.count("/api/chat")
    await walk.say(text)
    await walk.until(lambda: server.count("/api/chat") == before + 1 and not walk.app.chat.busy)
    body: dict[str, Any] = server.last("/api/chat").json
    return body


async def test_every_value_is_shown_with_what_it_means_and_where_it_comes_from(tmp_path: Path) -> None:
    async with at_settings(tmp_path, profile="a10", QWENTUI_MODEL_TOP_K="30") as (walk, _, path):
        assert str(path) in str(screen(walk).query_one("#heading").render())
        assert "profile a10" in str(screen(walk).query_one("#heading").render())
        assert row(walk, "num_ctx") == ["num_ctx", "8192", "file"]
        assert row(walk, "num_predict") == ["num_predict", "2048", "profile", "a10"]
        assert row(walk, "top_k") == ["top_k", "30", "QWENTUI_MODEL_TOP_K"]
        assert row(walk, "keep_alive") == ["keep_alive", "5m", "default"]
        assert row(walk, "top_p") == ["top_p", "unset", "default"]
        assert row(walk, "name") == ["name", '""', "next", "start", "default"]
        assert row(walk, "host")[2:] == ["next", "start", "--host"]
        await to(walk, "chat.parallel")
        assert "replies that run at once" in said(walk)
        assert "It is a whole number, 1 or more. The default is 3. A change holds at once." in said(walk)


async def test_a_number_is_written_into_its_line_and_nothing_else_changes(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, _, path):
        await written(walk, "model.num_ctx", "4096")
        assert path.read_text() == COMMENTED.replace("num_ctx = 8192 ", "num_ctx = 4096 ")
        assert row(walk, "num_ctx") == ["num_ctx", "4096", "file"]
        assert f"model.num_ctx is 4096 in {path} [model] now." in said(walk).replace("\n", " ")


@pytest.mark.parametrize(
    ("key", "text", "line", "now"),
    [
        ("model.keep_alive", "-1", 'keep_alive = "-1"', "-1"),
        ("model.temperature", "0.25", "temperature = 0.25 # Qwen's own", "0.25"),
        ("model.stop", '["a", "b"]', 'stop = ["a", "b"]', '["a", "b"]'),
        ("screen.fps", "10", "fps = 10", "10"),
    ],
)
async def test_each_kind_of_text_is_written_as_toml_has_it(
    key: str, text: str, line: str, now: str, tmp_path: Path
) -> None:
    async with at_settings(tmp_path) as (walk, _, path):
        await written(walk, key, text)
        assert line in path.read_text().splitlines()
        assert f"{key} is {now} in" in said(walk)
        name = key.partition(".")[2]
        kept = [line for line in COMMENTED.splitlines() if not line.startswith(name)]
        assert [line for line in path.read_text().splitlines() if line in kept] == kept


async def test_choices_go_round_or_open_a_list(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, _, path):
        await to(walk, "screen.mouse")
        await walk.pilot.press("enter")
        await walk.until(lambda: "mouse = false  # over SSH" in path.read_text())
        await walk.pilot.press("enter")
        await walk.until(lambda: path.read_text() == COMMENTED)
        await choose(walk, "model.think", "on")
        assert path.read_text() == COMMENTED.replace('"off"', '"on"')
        await choose(walk, "model.preload", "off")
        assert path.read_text() == COMMENTED.replace('"off"', '"on"')


async def test_a_value_that_cannot_be_is_one_sentence_and_the_line_stays_open(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, _, path):
        await to(walk, "model.num_ctx")
        await walk.pilot.press("enter")
        for wrong in ("0", "many", "1.5", "true", "'8'", "[]"):
            screen(walk).edit.value = wrong
            await walk.pilot.press("enter")
            await walk.until(lambda wrong=wrong: f"model.num_ctx cannot be {wrong}." in said(walk))
            assert "It is a whole number, 1 or more." in said(walk)
            assert (screen(walk).edit.value, path.read_text()) == (wrong, COMMENTED)
        await walk.pilot.press("escape")
        assert walk.app.focused is screen(walk).list
        assert said(walk).startswith("model.num_ctx: tokens")


async def test_d_goes_back_to_the_default_and_an_empty_number_does_too(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, _, path):
        await to(walk, "model.num_ctx")
        await walk.pilot.press("d")
        await walk.until(lambda: "num_ctx" not in path.read_text())
        assert "now it is 8192, by default" in said(walk)
        await to(walk, "model.temperature")
        await write(walk, "")
        await walk.until(lambda: "temperature" not in path.read_text())
        assert row(walk, "temperature") == ["temperature", "unset", "default"]
        await walk.pilot.press("d")
        await walk.until(lambda: "model.temperature is not set in the file." in said(walk))


@pytest.mark.parametrize("press", ["enter", "d"])
async def test_what_a_variable_or_a_flag_decides_is_said_and_not_changed(press: str, tmp_path: Path) -> None:
    async with at_settings(tmp_path, QWENTUI_MODEL_NUM_CTX="6000") as (walk, _, path):
        await to(walk, "model.num_ctx")
        assert "QWENTUI_MODEL_NUM_CTX decides model.num_ctx." in said(walk)
        await walk.pilot.press("j", "k", press)
        await walk.pilot.pause()
        assert "QWENTUI_MODEL_NUM_CTX decides model.num_ctx." in said(walk)
        await to(walk, "server.host")
        await walk.pilot.press("enter")
        await walk.until(lambda: said(walk).startswith("--host decides server.host. Change it there"))
        assert not screen(walk).edit.display
        assert path.read_text() == COMMENTED


async def test_a_value_of_the_profile_is_changed_there(tmp_path: Path) -> None:
    async with at_settings(tmp_path, profile="a10") as (walk, _, path):
        await written(walk, "model.num_predict", "512")
        assert path.read_text() == COMMENTED.replace("2048", "512")
        assert "[profile.a10.model]" in said(walk)
        await written(walk, "model.num_ctx", "4096")
        assert path.read_text() == COMMENTED.replace("2048", "512").replace("8192", "4096")
        assert f"in {path} [model]" in said(walk).replace("\n", " ")


async def test_nothing_that_lets_someone_in_is_shown(tmp_path: Path) -> None:
    text = COMMENTED + "[server.headers]\nKey = 's3cret'\n"
    async with at_settings(tmp_path, text=text, size=(100, 80)) as (walk, _, path):
        await to(walk, "server.bearer")
        assert row(walk, "bearer")[:2] == ["bearer", "***"]
        assert "s3cret" not in walk.app.export_screenshot()
        await walk.pilot.press("enter", *"n3w")
        assert "n3w" not in walk.app.export_screenshot()
        await walk.pilot.press("enter")
        await walk.until(lambda: 'bearer = "n3w"' in path.read_text())
        assert "server.bearer is *** in" in said(walk)
        await walk.pilot.press("enter", "enter")
        await walk.pilot.pause()
        assert 'bearer = "n3w"' in path.read_text()


async def test_what_an_editor_writes_meanwhile_is_shown_and_stays(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, _, path):
        changed = COMMENTED.replace("0.6", "0.7") + "[chat] # new\nparallel = 1\n"
        path.write_text(changed)
        await written(walk, "model.num_ctx", "4096")
        assert path.read_text() == changed.replace("8192", "4096")
        assert row(walk, "temperature") == ["temperature", "0.7", "file"]
        assert walk.app.desk.parallel == 1
        await to(walk, "model.num_ctx")
        await walk.pilot.press("enter")
        await walk.until(lambda: screen(walk).edit.value == "4096")
        path.write_text(changed.replace("8192", "1024"))
        screen(walk).edit.value = "2048"
        await walk.pilot.press("enter")
        await walk.until(lambda: "was changed meanwhile" in said(walk).replace("\n", " "))
        assert path.read_text() == changed.replace("8192", "1024")
        assert row(walk, "num_ctx") == ["num_ctx", "1024", "file"]


async def test_what_the_file_says_by_now_holds_when_the_screen_opens(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, _, path):
        await walk.pilot.press("q")
        path.write_text(COMMENTED + "[chat]\nparallel = 5\n")
        await walk.say("/settings")
        await shown(walk)
        assert said(walk).startswith("The file was changed meanwhile")
        assert row(walk, "parallel") == ["parallel", "5", "file"]
        assert walk.app.desk.parallel == 5
        await walk.pilot.press("j")
        await walk.until(lambda: said(walk).startswith("model.think:"))


async def test_a_click_goes_to_a_key_and_another_one_changes_it(tmp_path: Path) -> None:
    async with at_settings(tmp_path, size=(100, 60)) as (walk, _, path):
        place = next(y for y, line in enumerate(lines(walk)) if "mouse" in line)
        await walk.pilot.click(screen(walk).list, offset=(4, place))
        await walk.until(lambda: screen(walk).list.key == "screen.mouse")
        await walk.pilot.pause()
        assert path.read_text() == COMMENTED
        await walk.pilot.click(screen(walk).list, offset=(4, place))
        await walk.until(lambda: "mouse = false" in path.read_text())


async def test_a_broken_file_is_named_with_its_place_and_left_alone(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, _, path):
        await to(walk, "screen.mouse")
        path.write_text("[model]\nnum_ctx = \n")
        await walk.pilot.press("enter")
        await walk.until(lambda: "is not valid TOML" in said(walk).replace("\n", " "))
        assert "line 2" in said(walk)
        path.write_text("[model]\nnum_ctx = 0\n")
        await walk.pilot.press("enter")
        await walk.until(lambda: "config.toml, model.num_ctx:" in said(walk).replace("\n", " "))
        await walk.pilot.press("q")
        await walk.pilot.press("f11")
        await walk.until(lambda: any("config.toml, model.num_ctx:" in notice for notice in walk.notices))
        assert path.read_text() == "[model]\nnum_ctx = 0\n"


async def test_the_next_request_goes_by_what_was_changed(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, server, _):
        await choose(walk, "model.think", "on")
        for key, text in (
            ("model.num_ctx", "6144"),
            ("model.num_predict", "300"),
            ("model.keep_alive", "1h"),
            ("model.top_p", "0.9"),
            ("context.budget", "2000"),
            ("retry.attempts", "0"),
        ):
            await written(walk, key, text)
        body = await asked(walk, server, "hello")
        assert (body["think"], body["keep_alive"]) == (True, "1h")
        options = body["options"]
        assert (options["num_ctx"], options["num_predict"]) == (6144, 300)
        assert (options["temperature"], options["top_p"]) == (0.6, 0.9)
        session = walk.app.chat.session
        assert session is not None
        assert (session.planner.policy.limit, session.policy.attempts) == (2000, 0)
        await walk.new_chat()
        await opened(walk)
        await written(walk, "model.system", "Be brief.")
        body = await asked(walk, server, "again")
        assert body["messages"][0] == {"role": "system", "content": "Be brief."}
        assert body["options"]["num_ctx"] == 6144


async def test_what_was_set_in_the_chat_stays_when_something_else_is_changed(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, server, _):
        await walk.pilot.press("q", "ctrl+t")
        await walk.until(lambda: any("Thinking from the next message on" in n for n in walk.notices))
        session = walk.app.chat.session
        assert session is not None
        toggled = session.options.think
        await walk.say("/set top_k 9")
        await walk.say("/trim 3000")
        await walk.until(lambda: session.planner.policy.budget == 3000)
        await opened(walk)
        await written(walk, "model.temperature", "0.1")
        await written(walk, "context.drop_rounds", "1")
        body = await asked(walk, server, "hello")
        assert session.options.think == toggled
        assert (body["options"]["temperature"], body["options"]["top_k"]) == (0.1, 9)
        assert (session.planner.policy.budget, session.planner.policy.drop_rounds) == (3000, 1)


async def test_a_persona_goes_before_what_is_changed_and_the_user_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "personas"
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text("name = '电商客服'\nsystem = 'Sell.'\ntemperature = 0.25\n")
    async with at_settings(tmp_path) as (walk, server, _):
        await walk.pilot.press("q", "f9")
        await walk.until(lambda: isinstance(walk.app.screen, PersonaPicker))
        await walk.pilot.press(*"电商", "enter")
        await walk.until(lambda: any("From here on: 电商客服" in notice for notice in walk.notices))
        await opened(walk)
        await written(walk, "model.temperature", "0.9")
        assert "The persona 电商客服 of this chat has its own." in said(walk).replace("\n", " ")
        await written(walk, "model.top_k", "7")
        options = (await asked(walk, server, "hello"))["options"]
        assert (options["temperature"], options["top_k"]) == (0.25, 7)


async def test_more_replies_run_as_soon_as_more_may(tmp_path: Path) -> None:
    held = Reply(content=("one ", "two"), holds=(1,))
    text = "[chat]\nparallel = 1\n"
    async with at_settings(tmp_path, text=text, replies=(held,)) as (walk, server, _):
        await walk.pilot.press("q")
        await walk.say("first")
        await walk.until(lambda: server.count("/api/chat") == 1)
        await walk.new_chat()
        await walk.say("second")
        await walk.until(lambda: bool(walk.above))
        await opened(walk)
        await written(walk, "chat.parallel", "2")
        await walk.until(lambda: server.count("/api/chat") == 2)
        assert not walk.app.desk.waiting
        server.release()
        server.release()
        await walk.until(lambda: not walk.app.desk.running)


async def test_the_looks_the_gauges_and_the_titles_follow_at_once(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, _, path):
        app = walk.app
        before = app.chat.transcript.palette
        await choose(walk, "screen.theme", "qwentui-light")
        await walk.until(lambda: app.chat.transcript.palette != before)
        assert app.theming.theme.name == "qwentui-light"
        await written(walk, "screen.fps", "7")
        await written(walk, "gauges.vram_gib", "22.2")
        assert app.chat.transcript.fps == 7
        assert app.watch_gauges is not None
        assert app.watch_gauges.vram_gib == 22.2
        await to(walk, "chat.titles")
        await walk.pilot.press("enter")
        await walk.until(lambda: app.launch.settings.chat.titles == "model")
        assert (
            app.launch.settings
            == read_settings(path, {"QWENTUI_SERVER_HOST": app.launch.settings.server.host}).settings
        )


async def test_a_theme_that_is_broken_is_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("dark = 3")
    async with at_settings(tmp_path) as (walk, _, path):
        await choose(walk, "screen.theme", "mine")
        await walk.until(lambda: "dark is 3" in said(walk).replace("\n", " "))
        assert path.read_text() == COMMENTED
        assert walk.app.theming.theme.name == "qwentui-dark"


async def test_another_context_tells_what_it_costs_before_it_is_kept(tmp_path: Path) -> None:
    info = {
        "general.architecture": "qwen3",
        "qwen3.context_length": 40960,
        "qwen3.block_count": 64,
        "qwen3.attention.head_count": 64,
        "qwen3.attention.head_count_kv": 8,
        "qwen3.attention.key_length": 128,
        "qwen3.attention.value_length": 128,
        "qwen3.embedding_length": 5120,
    }
    async with at_settings(tmp_path, models=(Model(model_info=info),)) as (walk, _, path):
        await to(walk, "model.num_ctx")
        assert "for another value reloads the model" in said(walk).replace("\n", " ")
        await walk.pilot.press("enter")
        screen(walk).edit.value = "16384"
        await walk.until(lambda: "GiB with 16,384 tokens of context" in said(walk).replace("\n", " "))
        assert "(the KV cache 4.0)" in said(walk).replace("\n", " ")
        assert path.read_text() == COMMENTED
        screen(walk).edit.value = "much"
        await walk.until(lambda: said(walk).startswith("model.num_ctx: tokens"))


async def test_a_lists_the_rest_and_the_filter_finds_every_key(tmp_path: Path) -> None:
    async with at_settings(tmp_path) as (walk, _, _path):
        assert set(screen(walk).list.keys) == USUAL
        await walk.pilot.press("slash", *"reply")
        await walk.until(lambda: "context.reply_room" in screen(walk).list.keys)
        assert "model.num_predict" in screen(walk).list.keys
        await walk.pilot.press(*" kept")
        await walk.until(lambda: screen(walk).list.keys == ["context.reply_room"])
        await walk.pilot.press("enter")
        await walk.until(lambda: walk.app.focused is screen(walk).edit)
        await walk.pilot.press(*"0", "enter")
        await walk.until(lambda: walk.app.launch.settings.context.reply_room == 5120)
        await walk.pilot.press("slash", *"xyzzy")
        await walk.until(lambda: said(walk) == "No key fits.")
        await walk.pilot.press("enter", "escape", "d", "enter", "q")
        await walk.until(lambda: walk.app.screen is walk.app.chat)


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (200, 50)])
async def test_every_line_fits_whatever_stands_in_the_file(size: tuple[int, int], tmp_path: Path) -> None:
    system = r"[red]x[/]\u001b]0;pwned\u0007" + "e\u0301" * 90 + r"\nline"
    text = f"[model]\nkeep_alive = '{'通义千问' * 30}'\nsystem = \"{system}\"\n"
    async with at_settings(tmp_path, text=text, size=size) as (walk, _, path):
        await walk.pilot.press("a")
        await walk.pilot.pause()
        assert max(map(cell_len, lines(walk))) <= size[0]
        assert screen(walk).list.virtual_size.height == screen(walk).list.option_count
        assert "\x1b" not in "".join(lines(walk))
        assert cell_len(str(screen(walk).last_line.render())) <= size[0]
        await walk.pilot.press("j", "j", "enter")
        await walk.until(lambda: "It has several lines" in said(walk))
        assert path.read_text() == text
