"""Keys in the program: bound otherwise, named in the last line and in the help, found in the list of actions."""

from __future__ import annotations

import asyncio
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from script import Reply
from scripted_server import ScriptedServer
from textual.widgets import Input, OptionList, Static
from walk import walking

from qwentui import language
from qwentui.keyboard.keymap import DEFAULT, names
from qwentui.keyboard.names import is_certain
from qwentui.keyboard.table import KEYS
from qwentui.store.settings import Screen
from qwentui.tui.screens.actions import ActionsScreen, ranked
from qwentui.tui.screens.gauge_panel import GaugePanel
from qwentui.tui.screens.help import HelpScreen
from qwentui.tui.screens.no_server import NoServerScreen
from qwentui.tui.screens.sessions import SessionsScreen
from qwentui.tui.widgets.key_line import fitted

if TYPE_CHECKING:
    from walk import Walk

ANSWER = Reply(content=("an answer",))
NOWHERE = "127.0.0.1:1"


def last_line(walk: Walk) -> str:
    line = walk.app.chat.key_line
    return line.render_line(0).text.strip() if line.display else ""


async def begun(walk: Walk) -> None:
    """What the start set off runs; a program that ends before that leaves it lying about."""
    await walk.until(lambda: walk.app._restored)


def shown_help(walk: Walk) -> str:
    console = Console(width=100, file=StringIO())
    console.print(walk.app.screen.query_one("#keys", Static).content)
    return "\n".join(line.rstrip() for line in console.file.getvalue().split("\n")).strip()


# Bound otherwise


async def test_keys_of_the_users_own_work_and_the_old_ones_do_not(tmp_path: Path) -> None:
    keys = {"help": "F13", "send": "Ctrl+B", "newline": "Enter", "down": "", "write": "w", "gauges": "Ctrl+X"}
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url, keys=keys) as walk:
        await walk.connected()
        assert walk.notices == []
        await walk.pilot.press("a", "enter", "b", "ctrl+b")
        await walk.answered()
        assert server.last("/api/chat").json["messages"][-1]["content"] == "a\nb"
        await walk.pilot.press("f1")
        assert walk.app.screen is walk.app.chat
        await walk.pilot.press("f13")
        await walk.until(lambda: isinstance(walk.app.screen, HelpScreen))
        await walk.pilot.press("f13")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        await walk.pilot.press("ctrl+x")
        await walk.until(lambda: isinstance(walk.app.screen, GaugePanel))
        await walk.pilot.press("ctrl+x")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        await walk.pilot.press("tab", "i")
        assert walk.app.focused is walk.app.chat.transcript
        await walk.pilot.press("w", "i")
        assert walk.app.chat.composer.text == "i"


async def test_what_the_base_class_does_comes_back_where_a_key_is_taken_away(tmp_path: Path) -> None:
    async with walking(tmp_path, NOWHERE, keys={"leave": "", "editor": "Ctrl+D"}) as walk:
        await begun(walk)
        assert walk.app.chat.composer._bindings.key_to_bindings["ctrl+d"][0].action == "editor"
    async with walking(tmp_path, NOWHERE, keys={"leave": ""}) as walk:
        await begun(walk)
        assert walk.app.chat.composer._bindings.key_to_bindings["ctrl+d"][0].action == "delete_right"
    async with walking(tmp_path, NOWHERE) as walk:
        await begun(walk)
        assert walk.app.chat.composer._bindings.key_to_bindings["ctrl+d"][0].action == "leave"


async def test_a_burst_goes_to_where_its_keys_lead(tmp_path: Path) -> None:
    keys = {"send": "Ctrl+B", "read": "Ctrl+X", "write": "w"}
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url, keys=keys) as walk:
        await walk.connected()
        await walk.pilot.press(*"one", "ctrl+b", *"two")
        await walk.answered()
        assert server.last("/api/chat").json["messages"][-1]["content"] == "one"
        assert walk.app.chat.composer.text == "two"


async def test_troubles_are_told_and_sentences_name_the_users_keys(tmp_path: Path) -> None:
    keys = {"export": "F5", "quit": "Ctrl+B"}
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url, keys=keys) as walk:
        await walk.until(lambda: bool(walk.notices))
        assert walk.notices == ["F5 is bound to keys.export and keys.regenerate_last: keys.export wins."]
        await walk.pilot.press("ctrl+c")
        await walk.until(lambda: "Ctrl+B quits." in walk.notices)
        await walk.pilot.press("ctrl+q")
        assert not walk.app._exit
        await walk.pilot.press("ctrl+b")
        await walk.until(lambda: walk.app._exit)


@settings(max_examples=6, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([key.id for key in KEYS]),
        st.sampled_from(["", "Ctrl+Q", "F1", "Ctrl+I", "x", "no key", "Esc, Tab", "Enter"])
        | st.text(max_size=4),
        min_size=1,
    ).map(lambda keys: {"quit": "", **keys})
)
def test_any_table_of_keys_gives_a_program_that_starts_and_can_be_left(keys: dict[str, str]) -> None:
    async def leave(folder: Path) -> None:
        async with walking(folder, NOWHERE, keys=keys) as walk:
            await walk.until(lambda: isinstance(walk.app.screen, NoServerScreen))
            quitting = next(name for name in names(walk.app.keymap["quit"]) if is_certain(name))
            await walk.pilot.press(quitting)
            await walk.until(lambda: walk.app._exit)

    with TemporaryDirectory() as folder:
        asyncio.run(leave(Path(folder)))


# The last line


async def test_the_last_line_names_the_keys_of_what_is_done(tmp_path: Path) -> None:
    script = Reply(content=("one ", "two"), holds=(1,))
    async with (
        ScriptedServer(script) as server,
        walking(tmp_path, server.url, keys={"stop": "Ctrl+X"}) as walk,
    ):
        await walk.connected()
        assert last_line(walk).startswith("Enter send · F1 keys · Ctrl+L all actions")
        await walk.say("go")
        await walk.until(lambda: server.holding == 1)
        assert last_line(walk).startswith("Ctrl+X stop · ")
        await walk.pilot.press("tab")
        assert last_line(walk).startswith("i write · J next · K before")
        await walk.pilot.press("i", "ctrl+x")
        await walk.answered()
        assert last_line(walk).startswith("Enter send")
        await walk.pilot.press("ctrl+f")
        await walk.until(lambda: last_line(walk) == "Ctrl+X close the search")


@pytest.mark.parametrize("width", [30, 60, 100])
async def test_the_last_line_fits(width: int, tmp_path: Path) -> None:
    async with walking(tmp_path, NOWHERE, size=(width, 24)) as walk:
        await begun(walk)
        line = last_line(walk)
        assert line.startswith("Enter send")
        assert len(line) < width
        assert not line.endswith("·")


async def test_in_a_low_terminal_or_by_the_settings_there_is_no_last_line(tmp_path: Path) -> None:
    async with walking(tmp_path, NOWHERE, size=(80, 11)) as walk:
        await begun(walk)
        assert last_line(walk) == ""
        assert walk.app.chat.gauges.display
    async with walking(tmp_path, NOWHERE, screen=Screen(footer=False)) as walk:
        await begun(walk)
        assert last_line(walk) == ""


async def test_it_is_painted_only_when_something_else_is_done(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        line, painted = walk.app.chat.key_line, []
        refresh = line.refresh
        line.refresh = lambda *regions, **how: (painted.append(1), refresh(*regions, **how))[1]
        await walk.pilot.press(*"some text", "tab", "j", "k", "i")
        assert len(painted) == 2


def test_parts_are_left_out_from_the_end_by_cells_not_by_characters() -> None:
    assert fitted(["F1 帮助", "F2 量表"], 7) == "F1 帮助"
    assert fitted(["F1 帮助", "F2 量表"], 6) == ""
    line = fitted(["F1 帮助", "F2 量表", "F3"], 17)
    assert line == "F1 帮助 · F2 量表"
    assert cell_len(line) == 17


# The help


async def test_the_help_begins_with_where_the_user_is_and_has_the_keys_in_effect(tmp_path: Path) -> None:
    keys = {"fold": "Ctrl+B", "pin": ""}
    async with ScriptedServer() as server, walking(tmp_path, server.url, keys=keys) as walk:
        await walk.connected()
        await walk.pilot.press("f1")
        await walk.until(lambda: isinstance(walk.app.screen, HelpScreen))
        text = shown_help(walk)
        assert text.startswith("While writing\n")
        assert text.index("In the chat") < text.index("Everywhere") < text.index("While reading (Tab)")
        assert any(
            row.split()
            == ["Ctrl+B", *["Fold", "or", "unfold", "thinking,", "or", "code", "at", "the", "cursor"]]
            for row in text.split("\n")
        )
        assert any(row.split()[:2] == ["–", "Pin"] for row in text.split("\n"))
        await walk.pilot.press("escape")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        walk.app.chat.transcript.focus()
        await walk.pilot.press("question_mark")
        await walk.until(lambda: isinstance(walk.app.screen, HelpScreen))
        assert shown_help(walk).startswith("While reading (Tab)\n")


async def test_a_question_mark_is_written_while_writing(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("question_mark", "colon")
        assert walk.app.chat.composer.text == "?:"
        assert walk.app.screen is walk.app.chat


async def test_the_help_is_filtered_by_words_and_keys(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("f1", "slash", *"unload")
        await walk.until(lambda: "unload the model" in shown_help(walk) and "Quit" not in shown_help(walk))
        line = walk.app.screen.query_one(Input)
        line.value = "ctrl+q"
        await walk.until(lambda: shown_help(walk).split() == ["Everywhere", "Ctrl+Q", "Quit"])
        line.value = "[b]nothing"
        await walk.until(lambda: shown_help(walk) == "No key fits.")
        await walk.pilot.press("escape")
        await walk.until(lambda: "Quit" in shown_help(walk))
        await walk.pilot.press("escape")
        await walk.until(lambda: walk.app.screen is walk.app.chat)


async def test_the_list_of_chats_has_its_help_and_names_its_keys(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url, keys={"filter": "F6"}) as walk:
        await walk.connected()
        await walk.pilot.press("ctrl+s")
        await walk.until(lambda: isinstance(walk.app.screen, SessionsScreen))
        assert " · F6 filters · d deletes" in str(walk.app.screen.last_line.content)
        await walk.pilot.press("question_mark")
        await walk.until(lambda: isinstance(walk.app.screen, HelpScreen))
        assert shown_help(walk).startswith("In the list of chats (Ctrl+S)\n")


# The list of actions


async def test_an_action_is_found_by_some_letters_and_done(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        left = walk.app.chat.live
        await walk.say("hi")
        await walk.answered()
        await walk.pilot.press("ctrl+l")
        await walk.until(lambda: isinstance(walk.app.screen, ActionsScreen))
        await walk.pilot.press(*"new ch", "enter")
        await walk.until(lambda: walk.app.chat.live is not left)
        assert walk.app.screen is walk.app.chat


async def test_what_is_done_while_reading_is_done_to_the_message_at_the_cursor(tmp_path: Path) -> None:
    async with ScriptedServer(ANSWER) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("a question")
        await walk.answered()
        await walk.pilot.press("tab", "K", "K", "colon")
        await walk.until(lambda: isinstance(walk.app.screen, ActionsScreen))
        await walk.pilot.press(*"quote", "enter")
        await walk.until(lambda: walk.app.chat.composer.text == "> a question\n\n")


async def test_only_what_makes_sense_is_listed_and_what_was_rebound_shows_its_key(tmp_path: Path) -> None:
    async with (
        ScriptedServer(ANSWER) as server,
        walking(tmp_path, server.url, keys={"new": "Ctrl+B"}) as walk,
    ):
        await walk.connected()
        await walk.pilot.press("ctrl+l")
        await walk.until(lambda: isinstance(walk.app.screen, ActionsScreen))
        options = walk.app.screen.query_one(OptionList)
        rows = [str(options.get_option_at_index(place).prompt) for place in range(options.option_count)]
        assert "Ctrl+B        New chat" in rows
        assert not any("Stop the reply" in row or "Copy the last answer" in row for row in rows)
        await walk.pilot.press(*"zzz")
        await walk.until(lambda: options.option_count == 0)
        await walk.pilot.press("enter", "ctrl+l")
        await walk.until(lambda: walk.app.screen is walk.app.chat)


async def test_the_list_of_chats_has_actions_too(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("ctrl+s")
        await walk.until(lambda: isinstance(walk.app.screen, SessionsScreen))
        await walk.pilot.press("ctrl+l")
        await walk.until(lambda: isinstance(walk.app.screen, ActionsScreen))
        await walk.pilot.press(*"back to", "enter")
        await walk.until(lambda: walk.app.screen is walk.app.chat)


def test_the_best_fit_comes_first() -> None:
    things = ["Choose the model", "Load the model", "Model", "m-o-d-e-l"]
    assert ranked("model", things, lambda thing: (thing,)) == ["Model", "Choose the model", "Load the model"]
    assert ranked("mdl", things, lambda thing: (thing,)) == things
    assert ranked("", things, lambda thing: (thing,)) == things
    assert ranked("xyz", things, lambda thing: (thing,)) == []
    assert ranked("xyz", [], lambda thing: (thing,)) == []


async def test_both_speak_the_users_language(tmp_path: Path) -> None:
    language.use(language.CHINESE)
    try:
        async with walking(tmp_path, NOWHERE) as walk:
            await begun(walk)
            line = last_line(walk)
            assert line.startswith("Enter 发送 · F1 按键 · ")
            assert cell_len(line) < 100
    finally:
        language.use(language.ENGLISH)


def test_every_id_that_a_screen_names_is_in_the_table() -> None:
    from qwentui.tui.screens import actions, chat, listing
    from qwentui.tui.widgets import key_line

    named = {name for hints in key_line._HINTS.values() for name, _ in hints}
    named |= {name for name, _ in (*listing._KEYS, *listing._FILTER_KEYS) if name}
    assert {*named, *actions._UNLISTED, *chat._OF_A_REPLY} <= set(DEFAULT.keys)
