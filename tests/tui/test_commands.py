"""Commands as a user types them: what the server gets, what is said, what stays in the composer."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from script import Model, Reply
from scripted_server import ScriptedServer
from walk import Walk, walking

from qwentui.store.settings import Context
from qwentui.tui.commands.table import COMMANDS
from qwentui.tui.screens.gauge_panel import GaugePanel
from qwentui.tui.screens.help import HelpScreen
from qwentui.tui.screens.model_picker import ModelPicker
from qwentui.tui.screens.request import RequestScreen
from qwentui.tui.screens.sessions import SessionsScreen
from qwentui.tui.transcript.items import UserItem

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = tuple(Reply(content=(f"answer {number}",)) for number in range(8))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "config" / "personas"
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text(
        'name = "电商客服"\nsystem = "你是客服。"\ntemperature = 0.25\nnum_ctx = 4096\n', encoding="utf-8"
    )
    (folder / "poet.toml").write_text('system = "Rhyme."\n')
    (folder / "broken.toml").write_text("system = 3")
    return tmp_path


async def ask(walk: Walk, server: ScriptedServer, text: str = "go") -> dict[str, Any]:
    """What the server gets when `text` is sent."""
    before = server.count("/api/chat")
    await walk.say(text)
    await walk.until(lambda: server.count("/api/chat") == before + 1 and not walk.app.chat.busy)
    sent: dict[str, Any] = server.last("/api/chat").json
    return sent


async def obeyed(walk: Walk, text: str) -> str:
    """Give a command; what is said of it last."""
    await walk.say(text)
    await walk.pilot.pause()
    assert walk.app.chat.composer.text == ""
    return walk.notices[-1] if walk.notices else ""


async def refused(walk: Walk, text: str) -> str:
    """Give a command that cannot be obeyed; what is said of it. The text stays, and is taken away here."""
    before = len(walk.notices)
    await walk.say(text)
    await walk.until(lambda: len(walk.notices) > before)
    assert walk.app.chat.composer.text == text
    walk.app.chat.composer.text = ""
    return walk.notices[-1]


def stored(home: Path, columns: str) -> tuple[str, ...]:
    connection = sqlite3.connect(home / "data" / "sessions.db")
    try:
        return connection.execute(f"SELECT {columns} FROM sessions").fetchone()
    finally:
        connection.close()


# Options


async def test_an_option_goes_with_the_next_request_and_an_unset_one_does_not(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url, top_k=20) as walk:
        await walk.connected()
        assert "temperature" not in (await ask(walk, server))["options"]
        assert await obeyed(walk, "/set temperature 0.6") == "temperature is 0.6 from the next request on."
        await obeyed(walk, "/set top_k 7")
        await obeyed(walk, "/set top_p 0.9")
        await obeyed(walk, "/set min_p 0")
        await obeyed(walk, "/set repeat_penalty 1.1")
        await obeyed(walk, "/set seed -3")
        await obeyed(walk, "/set num_predict 1,000")
        await obeyed(walk, '/set stop ["END", "\\n\\n"]')
        await obeyed(walk, "/set keep_alive 1h30m")
        sent = await ask(walk, server)
        assert sent["keep_alive"] == "1h30m"
        assert {key: sent["options"][key] for key in sent["options"] if key != "num_ctx"} == {
            "temperature": 0.6,
            "top_k": 7,
            "top_p": 0.9,
            "min_p": 0.0,
            "repeat_penalty": 1.1,
            "seed": -3,
            "num_predict": 1000,
            "stop": ["END", "\n\n"],
        }
        assert await obeyed(walk, "/unset temperature") == "temperature is left to the model."
        assert await obeyed(walk, "/unset top_k") == "top_k is 20, from the settings."
        options = (await ask(walk, server))["options"]
        assert ("temperature" in options, options["top_k"]) == (False, 20)


async def test_what_each_reply_was_asked_with_is_in_the_store(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await obeyed(walk, "/set temperature 0.6")
        await ask(walk, server)
        session = walk.app.chat.live.id
        connection = sqlite3.connect(home / "data" / "sessions.db")
        rows = connection.execute("SELECT options FROM messages WHERE role = 'assistant'").fetchall()
        connection.close()
        assert session is not None
        assert [json.loads(row[0])["temperature"] for row in rows] == [0.6]


async def test_the_list_of_options_says_where_each_comes_from(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url, min_p=0.05) as walk:
        await walk.connected()
        await obeyed(walk, "/persona shop")
        await obeyed(walk, "/set seed 7")
        told = (await obeyed(walk, "/set")).splitlines()
        assert told == [
            "temperature is 0.25, from the persona 电商客服.",
            "min_p is 0.05, from the settings.",
            "seed is 7, set in this chat.",
            "num_predict is 4096, from the settings.",
            "num_ctx is 4096, from the persona 电商客服.",
            "keep_alive is 5m, from the settings.",
            "Left to the model: top_k, top_p, repeat_penalty, stop.",
        ]
        assert await obeyed(walk, "/set temperature") == "temperature is 0.25, from the persona 电商客服."
        await obeyed(walk, "/set temperature 1")
        assert await obeyed(walk, "/set Temperature") == "temperature is 1, set in this chat."
        assert await obeyed(walk, "/unset temperature") == "temperature is 0.25, from the persona 电商客服."
        assert (await ask(walk, server))["options"]["temperature"] == 0.25


async def test_another_context_is_warned_about_and_sent(home: Path) -> None:
    models = (Model(model_info={"general.architecture": "qwen3", "qwen3.context_length": 32_768}),)
    async with ScriptedServer(*ANSWERS, models=models) as server, walking(home, server.url) as walk:
        await walk.connected()
        said = await obeyed(walk, "/set num_ctx 16384")
        assert said == "16,384 tokens of context instead of 8,192: the model is loaded again."
        assert (await ask(walk, server))["options"]["num_ctx"] == 16_384
        await obeyed(walk, "/set num_ctx 99999")
        assert "The model takes 32,768 tokens of context at most." in walk.notices
        assert (await ask(walk, server))["options"]["num_ctx"] == 32_768
        assert "leaves no room" in await refused(walk, "/set num_ctx 512")
        await obeyed(walk, "/unset num_ctx")
        assert "num_ctx is 8192, from the settings." in walk.notices
        assert (await ask(walk, server))["options"]["num_ctx"] == 8192


REFUSED = (
    ("/set temperature warm", "temperature cannot be warm. It is a number, 0 or more."),
    ("/set temperature -1", "temperature cannot be -1. It is a number, 0 or more."),
    ("/set temperature nan", "temperature cannot be nan. It is a number, 0 or more."),
    ("/set top_p 1.5", "top_p cannot be 1.5. It is a number from 0 to 1."),
    ("/set top_k 1.5", "top_k cannot be 1.5. It is a whole number, 0 or more."),
    ("/set seed 4294967296", "seed cannot be 4294967296. It is a whole number."),
    ("/set num_predict 0", "num_predict cannot be 0. It is a whole number, 1 or more."),
    ("/set stop []", 'stop cannot be []. It is a text, or a list such as ["ONE", "TWO"].'),
    ("/set stop [" + "[" * 100_000, "stop cannot be "),
    (
        "/set keep_alive soon",
        "keep_alive cannot be soon. It is a duration such as 5m or 1h, seconds, or -1.",
    ),
    (
        "/set temprature 1",
        "There is no option temprature; did you mean temperature? There are: temperature, ",
    ),
    ("/set \x1b[31m", "There is no option ␛[31m. There are: "),
    ("/set screen.vim on", "There is no option screen.vim. For the settings there is /settings."),
    ("/unset", "/unset needs something behind it. Type: /unset KEY"),
    ("/think hard", "/think takes default, on or off."),
    ("/trim much", "/trim takes a number of tokens, or default."),
    (
        "/trim 0",
        "The budget is from 1 to 7,680 tokens: the context has 8,192, and 512 are kept for the reply.",
    ),
    ("/trim 8000", "The budget is from 1 to 7,680 tokens"),
    ("/new chat", "/new takes nothing behind it."),
    ("/title", "/title needs something behind it. Type: /title TEXT"),
    ("/title Delivery", "Nothing has been said in this chat yet."),
    ("/persona nobody", "There is no persona 'nobody'. There are: poet, shop."),
    ("/persona broken", "broken.toml"),
    ("/model gpt", "There is no model 'gpt' here."),
    ("/export talk.md", "Nothing has been said in this chat yet."),
    ("/system a<|im_end|>b", "Your text holds <|im_end|>"),
    ("/modle qwen3", "/modle is no command; did you mean /model? Enter sends it as it is."),
    ("/zzzz", "/zzzz is no command; /help lists them. Enter sends it as it is."),
)


async def test_what_cannot_be_obeyed_gets_a_sentence_and_stays(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        for text, said in REFUSED:
            assert said in await refused(walk, text), text
        assert server.count("/api/chat") == 0


async def test_before_there_is_a_model_a_command_that_needs_it_is_refused(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        for text in ("/set", "/set seed 1", "/system", "/trim", "/think on", "/load", "/persona poet"):
            if walk.app.chat.session is None:
                await walk.app.chat._obey(text)
                assert walk.app.chat.session is not None or walk.notices[-1] == "There is no model yet."
        await walk.connected()


# Think, system prompt, budget


async def test_thinking_is_set_by_word(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await obeyed(walk, "/think off")
        assert (await ask(walk, server))["think"] is False
        await obeyed(walk, "/think default")
        assert "think" not in await ask(walk, server)
        await obeyed(walk, "/think")
        assert (await ask(walk, server))["think"] is True


async def test_the_system_prompt_is_shown_set_and_kept(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server:
        async with walking(home, server.url, system="Settings.") as walk:
            await walk.connected()
            assert (await obeyed(walk, "/system")).endswith("\nSettings.")
            await ask(walk, server)
            said = await obeyed(walk, "/system You are terse.\nAnswer in\n  verse.")
            assert said.startswith("From the next request on, the system prompt is another one, ")
            sent = await ask(walk, server)
            assert sent["messages"][0] == {"role": "system", "content": "You are terse.\nAnswer in\n  verse."}
            assert (await obeyed(walk, "/system")).endswith("\nYou are terse.\nAnswer in\n  verse.")
            await walk.until(lambda: stored(home, "system")[0].startswith("You are terse."))
        async with walking(home, server.url, resume="") as walk:
            await walk.connected()
            assert (await ask(walk, server))["messages"][0]["content"].startswith("You are terse.")
            await obeyed(walk, "/system none")
            assert (await ask(walk, server))["messages"][0]["role"] == "user"
            assert await obeyed(walk, "/system") == "This chat has no system prompt."


async def test_control_tokens_in_a_system_prompt_are_asked_about_once(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await refused(walk, "/system a<|im_end|>b")
        await obeyed(walk, "/system a<|im_end|>b")
        assert (await ask(walk, server))["messages"][0]["content"] == "a<|im_end|>b"


async def test_a_budget_of_ones_own_trims_from_the_next_request_on(home: Path) -> None:
    context = Context(keep_rounds=1, drop_rounds=1)
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url, context=context) as walk:
        await walk.connected()
        for text in ("one", "two", "three"):
            await ask(walk, server, text)
        said = await obeyed(walk, "/trim")
        assert "of at most 7,500. Nothing of the chat is left out." in said
        assert "1 at a time, and the newest 1 stay" in said
        said = await obeyed(walk, "/trim 12")
        assert "of at most 12." in said
        assert "not sent" in said
        sent = await ask(walk, server, "four")
        assert sent["messages"][0]["content"] != "one"
        assert "of at most 7,500. Nothing" in await obeyed(walk, "/trim default")
        assert (await ask(walk, server, "five"))["messages"][0]["content"] == "one"


# Who answers


async def test_a_model_is_gone_on_with_by_the_beginning_of_its_name(home: Path) -> None:
    models = tuple(Model(name=name) for name in ("qwen3:8b", "qwen3:32b", "llama:1b"))
    async with (
        ScriptedServer(*ANSWERS, models=models) as server,
        walking(home, server.url, name="llama") as walk,
    ):
        await walk.connected()
        await obeyed(walk, "/model qwen3:3")
        await walk.until(lambda: walk.app.chat.session.model.name == "qwen3:32b")
        assert (await ask(walk, server))["model"] == "qwen3:32b"
        await walk.say("/model qwen")
        await walk.until(lambda: isinstance(walk.app.screen, ModelPicker))
        await walk.pilot.press("up", "enter")
        await walk.until(lambda: walk.app.chat.session.model.name == "qwen3:8b")
        assert (await ask(walk, server))["model"] == "qwen3:8b"


async def test_a_persona_is_named_by_some_letters_and_left_with_none(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await obeyed(walk, "/persona sp")
        sent = await ask(walk, server)
        assert sent["messages"][0]["content"] == "你是客服。"
        assert sent["options"]["temperature"] == 0.25
        await obeyed(walk, "/persona None")
        sent = await ask(walk, server)
        assert sent["messages"][0]["role"] == "user"
        assert "temperature" not in sent["options"]


async def test_a_theme_is_named_and_one_that_is_not_there_is_told(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await obeyed(walk, "/theme qwentui-paper")
        assert walk.app.theming.theme.name == "qwentui-paper"
        await walk.say("/theme qwentui-papr")
        await walk.until(lambda: any("no theme" in notice for notice in walk.notices))
        assert walk.app.chat.composer.text == "/theme qwentui-papr"
        assert walk.app.theming.theme.name == "qwentui-paper"


async def test_what_is_said_right_behind_a_command_is_said_with_it(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        composer = walk.app.chat.composer
        for text in ("/persona poet", "/set temperature 0.3", "/think off", "now"):
            composer.text = text
            composer.action_send()
        await walk.answered()
        sent = server.last("/api/chat").json
        assert [message["content"] for message in sent["messages"]] == ["Rhyme.", "now"]
        assert (sent["options"]["temperature"], sent["think"]) == (0.3, False)


# The chat


async def test_rounds_are_asked_again_deleted_and_brought_back(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await ask(walk, server, "one")
        await ask(walk, server, "two")
        await ask(walk, server, "/retry")
        assert [m["content"] for m in server.last("/api/chat").json["messages"]] == ["one", "answer 0", "two"]
        await obeyed(walk, "/delete")
        await walk.until(lambda: UserItem("two") not in walk.items)
        await obeyed(walk, "/undo")
        await walk.until(lambda: sum(isinstance(item, UserItem) for item in walk.items) == 2)


async def test_a_stopped_reply_goes_on(home: Path) -> None:
    script = Reply(content=("one ", "two"), holds=(1,))
    async with ScriptedServer(script, script) as server, walking(home, server.url) as walk:
        await walk.connected()
        await walk.say("go")
        await server.until(lambda s: s.holding == 1)
        await walk.until(lambda: "one" in walk.shown)
        await walk.pilot.press("escape")
        await walk.answered()
        await obeyed(walk, "/continue")
        server.release()
        await walk.until(lambda: "two" in walk.shown and not walk.app.chat.busy)
        assert server.last("/api/chat").json["messages"][-1] == {"role": "assistant", "content": "one"}


async def test_a_chat_gets_a_title_and_tags(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await ask(walk, server)
        assert await obeyed(walk, "/tag") == "This chat has no tags."
        await obeyed(walk, "/title Delivery times")
        await walk.until(lambda: "Delivery times" in walk.app.chat.title_bar.render_line(0).text)
        await walk.say("/tag #shop urgent")
        await walk.until(lambda: "Tags: #shop #urgent" in walk.notices)
        assert stored(home, "title")[0] == "Delivery times"
        await walk.say("/tag none")
        await walk.until(lambda: walk.notices[-1] == "This chat has no tags.")


async def test_a_chat_is_written_to_a_file_and_over_one_when_asked_twice(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await ask(walk, server, "the question")
        for name in ("talk.md", "talk.jsonl", "talk.openai.jsonl"):
            await walk.say(f"/export {name}")
            await walk.until(lambda name=name: any(f"/{name} (" in notice for notice in walk.notices))
        assert "the question" in (home / "talk.md").read_text()
        first = json.loads((home / "talk.openai.jsonl").read_text().splitlines()[0])
        assert first["messages"][0]["content"] == "the question"
        (home / "talk.md").write_text("mine")
        said = "There is such a file already. Enter replaces it."
        assert await refused(walk, "/export talk.md") == said
        assert (home / "talk.md").read_text() == "mine"
        await walk.say("/export talk.md")
        await walk.until(lambda: "the question" in (home / "talk.md").read_text())
        assert await refused(walk, "/export talk.md") == said
        assert ".md to read" in await refused(walk, "/export talk.pdf")
        assert "home folder" in await refused(walk, "/export ~nobody-of-that-name/talk.md")
        assert "cannot be written" in await refused(walk, "/export missing/talk.md")
        assert "cannot be written" in await refused(walk, f"/export {'x' * 300}.md")


async def test_words_are_searched_in_the_chat_and_in_all_chats(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await ask(walk, server, "needle")
        await ask(walk, server, "hay")
        await walk.say("/search needle")
        await walk.until(lambda: walk.app.focused is walk.app.chat.transcript)
        bar = walk.app.chat.search_bar
        await walk.until(lambda: "1/1" in str(bar._count.render()))
        await walk.pilot.press("escape")
        await walk.say("/sessions needle")
        await walk.until(lambda: isinstance(walk.app.screen, SessionsScreen))
        assert walk.app.screen.filter.value == "needle"
        await walk.until(lambda: any("needle" in row.title for row in walk.app.screen.list.rows))


async def test_the_model_is_loaded_kept_and_unloaded(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        for number, (text, keep_alive) in enumerate((("/load", "5m"), ("/keep", -1.0), ("/unload", 0)), 1):
            await walk.say(text)
            await walk.until(lambda number=number: server.count("/api/generate") == number)
            assert server.last("/api/generate").json["keep_alive"] == keep_alive


async def test_a_command_that_is_typed_loads_no_model_ahead(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url, preload="typing") as walk:
        await walk.connected()
        await walk.pilot.press("slash", "m")
        await walk.pilot.pause()
        assert server.count("/api/generate") == 0
        await walk.pilot.press("backspace", "backspace", "h")
        await walk.until(lambda: server.count("/api/generate") == 1)


async def test_screens_are_opened_by_name(home: Path) -> None:
    screens = {"/help": HelpScreen, "/?": HelpScreen, "/gauges": GaugePanel, "/context": RequestScreen}
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await walk.until(lambda: walk.app.watch_gauges is not None)
        for text, screen in screens.items():
            await walk.say(text)
            await walk.until(lambda screen=screen: isinstance(walk.app.screen, screen))
            await walk.pilot.press("escape")
            await walk.until(lambda: walk.app.screen is walk.app.chat)


async def test_the_last_answer_is_copied_and_the_program_left(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await ask(walk, server)
        await walk.say("/copy")
        await walk.until(lambda: "copied the answer" in walk.app.chat.title_bar.render_line(0).text)
        await walk.say("/interrupted")
        await walk.until(lambda: "no reply was interrupted" in walk.app.chat.title_bar.render_line(0).text)
        await walk.say("/editor")
        await walk.until(lambda: any("cannot be handed over" in notice for notice in walk.notices))
        await walk.say("/quit")
        await walk.until(lambda: walk.app._exit)


# What is no command


async def test_an_unknown_name_is_sent_when_it_is_sent_again(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await refused(walk, "/newer things")
        sent = await ask(walk, server, "/newer things")
        assert sent["messages"][-1]["content"] == "/newer things"


async def test_what_does_not_look_like_a_command_is_sent(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        for text in ("/etc/hosts", "/New", "/new\nline", "/ new", "//x", "a /new", "/1", "/"):
            assert (await ask(walk, server, text))["messages"][-1]["content"] == text


async def test_a_command_in_a_message_that_is_edited_is_its_text(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await ask(walk, server, "one")
        await walk.pilot.press("tab", "K", "K", "e")
        await walk.until(lambda: walk.app.chat.editing)
        walk.app.chat.composer.text = ""
        await walk.pilot.press("slash", "n")
        assert not walk.app.chat.composer.popup.display
        sent = await ask(walk, server, "/new")
        assert sent["messages"] == [{"role": "user", "content": "/new"}]


async def test_a_command_with_an_argument_comes_back_with_up(home: Path) -> None:
    async with ScriptedServer(*ANSWERS) as server, walking(home, server.url) as walk:
        await walk.connected()
        await obeyed(walk, "/set seed 1")
        await obeyed(walk, "/set")
        await walk.pilot.press("up")
        assert walk.app.chat.composer.text == "/set seed 1"
        assert not walk.app.chat.composer.popup.display


def test_every_command_has_one_name_and_its_actions_exist() -> None:
    from qwentui.tui.app import QwentuiApp
    from qwentui.tui.screens.chat import ChatScreen

    assert len({command.name for command in COMMANDS}) == len(COMMANDS)
    for command in COMMANDS:
        assert command.action or command.given
        assert bool(command.usage) == bool(command.given)
        for action in filter(None, (command.action, command.given)):
            name = action.partition("(")[0]
            owner = QwentuiApp if name.startswith("app.") else ChatScreen
            assert hasattr(owner, f"action_{name.removeprefix('app.')}"), action
