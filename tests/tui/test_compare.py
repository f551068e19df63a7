"""One prompt to two personas, as a user asks it: what is sent, when, what is shown, and what is kept."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from script import Fault, Reply, failure
from scripted_server import Request, ScriptedServer
from textual.events import Key
from textual.widgets import Static
from walk import Walk, walking

from qwentui.chat.stream import FinishReason
from qwentui.store.settings import Log, Retry
from qwentui.tui.screens.command_completion import CommandCompletion
from qwentui.tui.screens.compare import CompareScreen
from qwentui.tui.screens.pair_picker import PairPicker
from qwentui.tui.transcript.items import NoticeItem, ReplyItem
from qwentui.tui.widgets.completion import Candidate

if TYPE_CHECKING:
    from pathlib import Path

    from qwentui.tui.transcript.items import Item
    from qwentui.tui.transcript.reply import LiveReply

HELD = Reply(content=("one ", "two"), holds=(1,))
FIRST = Reply(content=("from ", "the first"), prompt_eval_count=40)
SECOND = Reply(content=("from the ", "second ", "one"), prompt_eval_count=300)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "config" / "personas"
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text(
        'name = "电商客服"\nsystem = "你是客服。"\ntemperature = 0.25\nthink = "off"\n', encoding="utf-8"
    )
    (folder / "teacher.toml").write_text('system = "Ask {nothing}."\nnum_ctx = 4096\nmodel = "llama"\n')
    return tmp_path


def chats(server: ScriptedServer) -> list[Request]:
    return [request for request in server.requests if request.path == "/api/chat"]


def screen(walk: Walk) -> CompareScreen:
    found = walk.app.screen
    assert isinstance(found, CompareScreen)
    return found


def items(walk: Walk, side: int) -> list[Item | LiveReply]:
    return list(screen(walk).columns[side].transcript.items)


def answer(walk: Walk, side: int) -> str:
    return next(item.content for item in reversed(items(walk, side)) if isinstance(item, ReplyItem))


def told(walk: Walk, side: int) -> list[str]:
    return [item.text for item in items(walk, side) if isinstance(item, NoticeItem)]


def line(walk: Walk, name: str) -> str:
    return str(walk.app.screen.query_one(f"#{name}", Static).render())


def head(walk: Walk, side: int) -> str:
    return str(screen(walk).columns[side].query_one(".head", Static).render())


def stored(home: Path, columns: str, table: str = "sessions") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(home / "data" / "sessions.db")) as connection:
        return connection.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()


async def compare(walk: Walk, prompt: str, *keys: str) -> None:
    """Ask two personas by the picker; by default the first two of the list."""
    walk.app.chat.composer.text = prompt
    await walk.pilot.press("f12")
    await walk.until(lambda: isinstance(walk.app.screen, PairPicker))
    await walk.pilot.press(*(keys or ("space", "down", "space")), "enter")
    await walk.until(lambda: isinstance(walk.app.screen, CompareScreen))


async def over(walk: Walk) -> None:
    """Nothing runs any more, and nobody waits to be asked."""
    await walk.until(lambda: screen(walk).comparison is not None)
    await walk.until(lambda: screen(walk).comparison.running is None and screen(walk).comparison.next is None)


async def test_the_same_goes_to_both_and_never_at_the_same_time(home: Path) -> None:
    log = Log(file=str(home / "log"))
    async with ScriptedServer(HELD, SECOND) as server, walking(home, server.url, log=log) as walk:
        await walk.connected()
        await compare(walk, "when does it come?")
        await server.until(lambda s: s.holding == 1)
        await walk.until(lambda: "answers" in head(walk, 0))
        assert "B: waits for A" in head(walk, 0) or "waits for A" in head(walk, 1)
        server.release()
        await over(walk)
        first, second = chats(server)
        assert first.finished
        assert first.sent_at[-1] < second.received_at
        assert first.json["messages"] == [
            {"role": "system", "content": "你是客服。"},
            {"role": "user", "content": "when does it come?"},
        ]
        assert second.json["messages"] == [
            {"role": "system", "content": "Ask {nothing}."},
            {"role": "user", "content": "when does it come?"},
        ]
        # The persona's own options, and besides that the same ones: above all the same context.
        assert (first.json["options"].pop("temperature"), first.json.pop("think")) == (0.25, False)
        assert second.json.pop("think", None) is not False
        for request in (first, second):
            assert request.json["options"]["num_ctx"] == 8192
        assert first.json["model"] == second.json["model"]
        assert server.loaded == {"qwen3:latest": 8192}
        assert [answer(walk, side) for side in (0, 1)] == ["one two", "from the second one"]
        assert told(walk, 0) == []
        assert told(walk, 1) == [
            "teacher wants 4,096 tokens of context; 8,192 stay, or the model would reload.",
            "teacher wants the model llama; qwen3 answers.",
        ]
    lines = [json.loads(text) for text in (home / "log").read_text(encoding="utf-8").splitlines()]
    assert [entry["persona"] for entry in lines] == ["电商客服", "teacher"]
    assert stored(home, "title, persona, system, tags") == [
        ("电商客服: when does it come?", "电商客服", "你是客服。", "\na/b\n"),
        ("teacher: when does it come?", "teacher", "Ask {nothing}.", "\na/b\n"),
    ]


async def test_once_more_in_the_other_order_and_with_the_rounds_before(home: Path) -> None:
    replies = (Reply(content=("an answer",)), *(Reply(content=(f"answer {number}",)) for number in range(6)))
    async with ScriptedServer(*replies) as server, walking(home, server.url, size=(120, 30)) as walk:
        await walk.connected()
        await walk.say("before")
        await walk.answered()
        await compare(walk, "which?")
        await over(walk)
        assert "B against A: +0 tok" in line(walk, "apart")
        assert "x other order · h with the round before" in line(walk, "ways")
        await walk.pilot.press("x")
        await over(walk)
        assert [request.json["messages"][0]["content"] for request in chats(server)[1:]] == [
            "你是客服。",
            "Ask {nothing}.",
            "Ask {nothing}.",
            "你是客服。",
        ]
        # The sides stay where they stood.
        assert [answer(walk, side) for side in (0, 1)] == ["answer 3", "answer 2"]
        await walk.pilot.press("h")
        await over(walk)
        assert "h without the rounds before" in line(walk, "ways")
        for request in chats(server)[5:]:
            assert [message["content"] for message in request.json["messages"][1:]] == [
                "before",
                "an answer",
                "which?",
            ]
        await walk.pilot.press("escape")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        assert walk.app.chat.composer.text == "which?"
        assert len(walk.app.desk.chats) == 1
    assert [tags for (tags,) in stored(home, "tags")] == ["", *["\na/b\n"] * 6]
    said = stored(home, "session, role, content, ttft IS NULL", "messages")
    taken_over = [row[1:] for row in said if row[0] == said[-1][0]]
    assert taken_over[:2] == [("user", "before", 1), ("assistant", "an answer", 1)]
    # The second side is asked first still, so that the last answer is the first side's.
    assert taken_over[2:] == [("user", "which?", 1), ("assistant", "answer 5", 0)]


async def test_without_a_draft_the_last_prompt_is_asked_and_not_its_answer(home: Path) -> None:
    async with ScriptedServer(FIRST) as server, walking(home, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("f12")
        await walk.until(lambda: any("Write a prompt first" in notice for notice in walk.notices))
        await walk.say("the last one")
        await walk.answered()
        await walk.pilot.press("tab", "e", "f12")
        await walk.until(lambda: any("An edit is open" in notice for notice in walk.notices))
        await walk.pilot.press("escape")
        await compare(walk, "")
        await over(walk)
        assert "h with" not in line(walk, "ways")
        await walk.pilot.press("h")
        assert "nothing was said in this chat before the prompt" in line(walk, "ways")
        assert all(request.json["messages"][-1]["content"] == "the last one" for request in chats(server))
        assert len(chats(server)) == 3


async def test_escape_stops_the_one_that_runs_and_holds_the_other(home: Path) -> None:
    async with ScriptedServer(HELD, SECOND) as server, walking(home, server.url) as walk:
        await walk.connected()
        await compare(walk, "which?")
        await server.until(lambda s: s.holding == 1)
        await walk.until(lambda: "answers" in head(walk, 0))
        await walk.pilot.press("r")
        assert "a reply runs" in line(walk, "ways")
        await walk.pilot.press("escape")
        await walk.until(lambda: "stopped by you" in head(walk, 0))
        assert chats(server)[0].hung_up
        assert "held: n asks it" in head(walk, 1)
        assert answer(walk, 0) == "one "
        await walk.pilot.press("tab", "enter")
        assert "there is no answer yet" in line(walk, "ways")
        await walk.pilot.press("n")
        await over(walk)
        assert answer(walk, 1) == "from the second one"
        assert "A's answer is not whole." in line(walk, "apart")
        await walk.pilot.press("escape")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        assert len(chats(server)) == 2
        assert "what came is kept, tagged a/b" in walk.app.chat.title_bar.render_line(0).text
    ends = stored(home, "content, finish_reason", "messages")
    assert ends[1::2] == [("one ", FinishReason.CANCELLED), ("from the second one", FinishReason.STOP)]


async def test_leaving_after_escape_does_not_ask_the_other(home: Path) -> None:
    async with ScriptedServer(HELD) as server, walking(home, server.url) as walk:
        await walk.connected()
        await compare(walk, "which?")
        await server.until(lambda s: s.holding == 1)
        await walk.pilot.press("escape")
        await walk.until(lambda: screen(walk).comparison.running is None)
        await walk.pilot.press("escape")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        await walk.say("go on")
        await server.until(lambda s: s.count("/api/chat") == 2)
        server.release()
        await walk.answered()
        assert chats(server)[1].json["messages"] == [{"role": "user", "content": "go on"}]


async def test_a_reply_that_breaks_is_shown_and_the_other_is_asked(home: Path) -> None:
    broken = Reply(content=("half ", "more"), fault=Fault.CUT, fault_at=1)
    script = (broken, failure(400, "no more of that"), SECOND)
    retry = Retry(delay=0.0, jitter=0.0)
    async with ScriptedServer(*script) as server, walking(home, server.url, retry=retry) as walk:
        await walk.connected()
        await compare(walk, "which?")
        await over(walk)
        assert "broken off" in head(walk, 0)
        assert answer(walk, 0) == "half "
        assert any("no more of that" in notice for notice in told(walk, 0))
        assert answer(walk, 1) == "from the second one"
        assert "A's answer is not whole." in line(walk, "apart")


async def test_the_side_that_is_taken_goes_on_as_that_persona(home: Path) -> None:
    async with ScriptedServer(FIRST, SECOND) as server, walking(home, server.url, titles="model") as walk:
        await walk.connected()
        await compare(walk, "which?")
        await over(walk)
        await walk.pilot.press("tab")
        assert screen(walk).columns[0].has_class("-shown")
        await walk.pilot.press("tab", "enter")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        assert walk.app.chat.composer.text == ""
        title = walk.app.chat.title_bar.render_line(0).text
        assert "· teacher" in title
        assert len(walk.app.desk.chats) == 1
        await walk.say("and then?")
        await server.until(lambda s: s.count("/api/chat") == 3)
        await walk.answered()
        sent = [message["content"] for message in chats(server)[-1].json["messages"]]
        assert sent == ["Ask {nothing}.", "which?", "from the second one", "and then?"]
    # No title of the model's for what has a title, and the answer that was not taken is there too.
    assert [row[0] for row in stored(home, "title")] == ["电商客服: which?", "teacher: which?"]


async def test_files_are_read_once_so_that_both_get_the_same(home: Path) -> None:
    notes = home / "notes.md"
    notes.write_text("as it was\n")
    async with ScriptedServer(HELD, SECOND) as server, walking(home, server.url) as walk:
        await walk.connected()
        await compare(walk, f"sum up @{notes}")
        await server.until(lambda s: s.holding == 1)
        notes.write_text("changed meanwhile\n")
        server.release()
        await over(walk)
        first, second = (request.json["messages"][-1]["content"] for request in chats(server))
        assert first == second
        assert "as it was" in first
        await walk.pilot.press("enter")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        notes.unlink()
        # The last prompt is asked as it was, though the file is gone.
        await compare(walk, "")
        await over(walk)
        assert chats(server)[-1].json["messages"][-1]["content"] == first


async def test_a_file_that_is_not_there_is_told_before_anyone_is_asked(home: Path) -> None:
    async with ScriptedServer(FIRST) as server, walking(home, server.url) as walk:
        await walk.connected()
        walk.app.chat.composer.text = "sum up @./nowhere.md"
        await walk.pilot.press("f12")
        await walk.until(lambda: any("nowhere.md" in notice for notice in walk.notices))
        assert walk.app.screen is walk.app.chat
        await compare(walk, "sum up @./nowhere.md")
        await over(walk)
        assert {request.json["messages"][-1]["content"] for request in chats(server)} == {
            "sum up @./nowhere.md"
        }


async def test_one_side_can_be_taken_while_the_other_still_answers(home: Path) -> None:
    async with ScriptedServer(FIRST, HELD, SECOND) as server, walking(home, server.url) as walk:
        await walk.connected()
        await compare(walk, "which?")
        await server.until(lambda s: s.holding == 1)
        await walk.until(lambda: "answers" in head(walk, 1))
        await walk.pilot.press("tab", "enter")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        await walk.until(lambda: walk.app.desk.running == 1 and len(walk.app.desk.chats) == 2)
        assert "1/3 live" in walk.app.chat.title_bar.render_line(0).text
        server.release()
        await walk.until(lambda: walk.app.desk.running == 0)
        await walk.say("and then?")
        await server.until(lambda s: s.count("/api/chat") == 3)
        await walk.answered()
        sent = [message["content"] for message in chats(server)[-1].json["messages"]]
        assert sent == ["你是客服。", "which?", "from the first", "and then?"]
    assert [content for (content,) in stored(home, "content", "messages")][1::2][:2] == [
        "from the first",
        "one two",
    ]


async def test_what_runs_in_another_chat_goes_first(home: Path) -> None:
    async with ScriptedServer(HELD, FIRST, SECOND) as server, walking(home, server.url) as walk:
        await walk.connected()
        await walk.say("first")
        await server.until(lambda s: s.holding == 1)
        await walk.new_chat()
        await compare(walk, "which?")
        await walk.until(lambda: "waits for another chat's reply" in head(walk, 0))
        assert len(chats(server)) == 1
        server.release()
        await over(walk)
        assert chats(server)[0].sent_at[-1] < chats(server)[1].received_at
        assert [answer(walk, side) for side in (0, 1)] == ["from the first", "from the second one"]


async def test_a_narrow_terminal_shows_one_side_and_tab_the_other(home: Path) -> None:
    async with ScriptedServer(HELD, SECOND) as server, walking(home, server.url, size=(80, 24)) as walk:
        await walk.connected()
        await compare(walk, "which?")
        await server.until(lambda s: s.holding == 1)
        await walk.until(lambda: "B: waits for A" in head(walk, 0))
        columns = screen(walk).columns
        await walk.until(lambda: [column.display for column in columns] == [True, False])
        await walk.until(lambda: columns[0].size.width == 80)
        await walk.pilot.press("tab")
        await walk.until(lambda: columns[1].size.width == 80)
        assert columns[1].transcript.has_focus
        await walk.pilot.press("tab")
        server.release()
        await over(walk)
        # Who looks at the one side is not torn away from it.
        assert columns[0].transcript.has_focus
        await walk.pilot.resize_terminal(120, 30)
        await walk.until(lambda: all(0 < column.size.width < 100 for column in columns))


async def test_names_are_taken_as_they_are_and_what_is_wrong_with_them_is_said(home: Path) -> None:
    folder = home / "config" / "personas"
    (folder / "odd.toml").write_text(
        'name = "[b]x[/b]\\u001b[31m \\u202e"\nsystem = "{file:nowhere.md}"\n', encoding="utf-8"
    )
    (folder / "markup.toml").write_text('name = "[b]y[/b]"\nsystem = "[i]{date[/i]"\n', encoding="utf-8")
    async with (
        ScriptedServer(FIRST) as server,
        walking(home, server.url, system="Settings.", size=(120, 30)) as walk,
    ):
        await walk.connected()
        await walk.say("which?")
        await walk.answered()
        for names, sentence in (
            ("shop", "A comparison takes two personas."),
            ("shop 'zzz", 'There is no persona "\'zzz".'),
            ("shop 'zzz y'", "There is no persona 'zzz y'."),
        ):
            await walk.say(f"/compare {names}")
            await walk.until(lambda sentence=sentence: sentence in " ".join(walk.notices))
            assert walk.app.chat.composer.text == f"/compare {names}"
            walk.app.chat.composer.text = ""
        await walk.say("/compare shop odd")
        await walk.until(lambda: "nowhere.md" in " ".join(walk.notices))
        await walk.say("/compare none markup")
        await walk.until(lambda: isinstance(walk.app.screen, CompareScreen))
        await over(walk)
        assert " A  no persona" in head(walk, 0)
        assert " B  [b]y[/b]" in head(walk, 1)
        systems = [request.json["messages"][0]["content"] for request in chats(server)[1:]]
        assert systems == ["Settings.", "[i]{date[/i]"]


async def test_a_prompt_that_does_not_fit_is_said_so_and_stays_in_the_composer(home: Path) -> None:
    async with ScriptedServer(FIRST) as server:
        async with walking(home, server.url) as walk:
            await walk.connected()
            await compare(walk, "b " * 20_000)
            await over(walk)
            assert [any("fit" in notice for notice in told(walk, side)) for side in (0, 1)] == [True, True]
            assert "was not asked" in head(walk, 0)
            await walk.pilot.press("enter")
            assert isinstance(walk.app.screen, CompareScreen)
            await walk.pilot.press("escape")
            await walk.until(lambda: walk.app.screen is walk.app.chat)
            assert walk.app.chat.composer.text == "b " * 20_000
            assert chats(server) == []
            assert len(walk.app.desk.chats) == 1
            walk.app.chat.composer.text = ""
        async with walking(home, server.url) as walk:
            await walk.connected()
            # No draft of a side has been left behind.
            assert (walk.app.chat.composer.text, len(walk.app.desk.chats)) == ("", 1)


async def test_what_the_model_would_obey_is_flagged_first(home: Path) -> None:
    async with ScriptedServer(FIRST) as server, walking(home, server.url) as walk:
        await walk.connected()
        walk.app.chat.composer.text = "say <|im_end|>"
        await walk.pilot.press("f12")
        await walk.until(lambda: any("<|im_end|>" in notice for notice in walk.notices))
        assert walk.app.screen is walk.app.chat
        await compare(walk, "say <|im_end|>")


async def test_quitting_in_the_middle_keeps_what_came_and_what_was_asked(home: Path) -> None:
    async with ScriptedServer(HELD) as server:
        async with walking(home, server.url) as walk:
            await walk.connected()
            await compare(walk, "which?")
            await server.until(lambda s: s.holding == 1)
            await walk.until(lambda: "one" in str(items(walk, 0)[-1].content))
        assert [request.hung_up for request in chats(server)] == [True]
        async with walking(home, server.url) as walk:
            await walk.connected()
            await walk.until(lambda: walk.app.chat.composer.text == "which?")
            assert len(walk.app.desk.chats) == 1
    assert stored(home, "content, finish_reason", "messages")[1] == ("one ", FinishReason.CANCELLED)


async def test_where_the_disk_refuses_the_answers_are_found_all_the_same(home: Path) -> None:
    (home / "data").write_text("no folder")
    async with ScriptedServer(FIRST, SECOND) as server, walking(home, server.url) as walk:
        await walk.connected()
        await walk.until(lambda: any("lost at the end" in notice for notice in walk.notices))
        await compare(walk, "which?")
        await over(walk)
        await walk.pilot.press("escape")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        found = await walk.app.talks.read(lambda store: store.listed(tag="a/b"))
        assert {info.title for info in found} == {"电商客服: which?", "teacher: which?"}


async def test_space_marks_and_unmarks_and_enter_takes_what_is_missing(home: Path) -> None:
    async with ScriptedServer(FIRST) as server, walking(home, server.url) as walk:
        await walk.connected()
        # Marked, unmarked; then the second of the list is A, and Enter on it twice does not make it B as well.
        keys = ("space", "space", "down", "enter", "enter", "down")
        await compare(walk, "which?", *keys)
        await over(walk)
        assert " A  teacher" in head(walk, 0)
        assert " B  no persona" in head(walk, 1)


async def test_keys_that_come_in_one_burst_are_obeyed_in_their_order(home: Path) -> None:
    async with ScriptedServer(FIRST) as server, walking(home, server.url) as walk:
        await walk.connected()
        walk.app.chat.composer.text = "which?"
        await walk.pilot.press("f12")
        await walk.until(lambda: isinstance(walk.app.screen, PairPicker))
        for key in ("t", "c", "h", "enter", *["backspace"] * 3, "down", "down", "enter"):
            walk.app.post_message(Key(key, key if len(key) == 1 else None))
        await walk.until(lambda: isinstance(walk.app.screen, CompareScreen))
        await over(walk)
        assert " A  teacher" in head(walk, 0)
        assert " B  no persona" in head(walk, 1)


@pytest.mark.parametrize("key", ["escape", "enter"])
async def test_what_is_typed_right_behind_the_key_that_leaves_is_not_lost(home: Path, key: str) -> None:
    async with ScriptedServer(FIRST) as server, walking(home, server.url) as walk:
        await walk.connected()
        await compare(walk, "which?")
        await over(walk)
        for typed in (key, *"rxh"):
            walk.app.post_message(Key(typed, typed if len(typed) == 1 else None))
        await walk.until(lambda: "rxh" in walk.app.chat.composer.text)
        assert len(chats(server)) == 2


def test_the_second_name_is_completed_as_the_first_is() -> None:
    names = (Candidate("shop"), Candidate("two words"), Candidate("teacher"))
    completion = CommandCompletion({"persona": lambda: names}, lambda: True)
    for line, start, texts in (
        ("/compare sh", 9, ["shop"]),
        ("/compare shop t", 14, ["teacher"]),
        ("/compare shop ", 14, ["shop", "'two words'", "teacher"]),
        ("/compare shop tw", 14, ["'two words'"]),
    ):
        offer = completion.candidates([line], (0, len(line)))
        assert offer is not None
        assert (offer.start, offer.end) == (start, len(line))
        assert [candidate.text for candidate in offer.candidates] == texts
