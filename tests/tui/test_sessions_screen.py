"""The list of all chats: found, opened at a match, renamed, deleted and brought back, pinned, tagged, exported."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from script import Reply
from scripted_server import ScriptedServer
from store.storing import answer
from walk import Walk, walking

from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore
from qwentui.tui.screens.sessions import SessionsScreen
from qwentui.tui.transcript.items import UserItem
from qwentui.tui.widgets.session_list import age, fit

if TYPE_CHECKING:
    from pathlib import Path

HELD = Reply(content=("one ", "two"), holds=(1,))


def _stored(tmp_path: Path, *talks: tuple[str, str], tags: tuple[str, ...] = ()) -> list[str]:
    """Sessions of one round each, the oldest first."""
    (tmp_path / "data").mkdir(exist_ok=True)
    with closing(Database.open(tmp_path / "data" / "sessions.db")) as database:
        store, ids = SessionStore(database), []
        with database.transaction():
            for question, reply in talks:
                ids.append(store.create(model="qwen3-32b-local:latest", persona="电商客服", tags=tags))
                asked = store.messages.ask(ids[-1], question)
                begun = store.messages.begin_reply(asked, model="qwen3-32b-local:latest")
                store.messages.finish_reply(begun, answer(reply))
    return ids


async def _listed(walk: Walk, rows: int) -> SessionsScreen:
    await walk.connected()
    await walk.pilot.press("ctrl+s")
    await walk.until(lambda: isinstance(walk.app.screen, SessionsScreen) and walk.app.screen.is_mounted)
    screen = walk.app.screen
    assert isinstance(screen, SessionsScreen)
    await walk.until(lambda: len(screen.list.rows) == rows and walk.app.focused is screen.list)
    return screen


def _lines(screen: SessionsScreen) -> list[str]:
    return [screen.list.render_line(y).text for y in range(screen.list.size.height)]


def _titles(screen: SessionsScreen) -> list[str]:
    return [row.title for row in screen.list.rows]


def _said(screen: SessionsScreen) -> str:
    return str(screen.last_line.render())


async def test_the_newest_chat_stands_first_and_enter_opens_it(tmp_path: Path) -> None:
    _stored(tmp_path, ("old question", "old answer"), ("new question", "new answer"))
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        screen = await _listed(walk, 2)
        assert _titles(screen) == ["new question", "old question"]
        await walk.pilot.press("j", "enter")
        await walk.until(lambda: walk.items[:1] == [UserItem("old question")])
        assert walk.app.screen is walk.app.chat
        assert walk.app.focused is walk.app.chat.composer
        await walk.say("more")
        await walk.until(lambda: server.count("/api/chat") == 1 and not walk.app.chat.busy)
        sent = [m["content"] for m in server.last("/api/chat").json["messages"]]
        assert sent == ["old question", "old answer", "more"]
        screen = await _listed(walk, 2)
        assert [row.info.rounds for row in screen.list.rows] == [2, 1]


async def test_an_open_chat_is_shown_again_as_it_is_and_not_read_from_disk(tmp_path: Path) -> None:
    async with ScriptedServer(HELD) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("hello")
        await walk.until(lambda: "one" in walk.shown)
        first = walk.app.chat.live
        await walk.new_chat()
        screen = await _listed(walk, 1)
        await walk.until(lambda: _lines(screen)[1].startswith("●"))
        await walk.pilot.press("enter")
        await walk.until(lambda: walk.app.chat.live is first)
        assert "one" in walk.shown
        server.release()
        await walk.answered()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
async def test_every_row_fits_at_every_width_whatever_the_title(width: int, tmp_path: Path) -> None:
    titles = (
        "订单时效与预售商品说明" * 8,
        "[red]not markup[/] \x1b]0;pwned\x07",
        "e\u0301 👩‍🚀 flag 🇨🇳 " * 6,
        "x" * 300,
    )
    _stored(tmp_path, *((title, "answer") for title in titles), tags=("售后", "work"))
    async with (
        ScriptedServer() as server,
        walking(tmp_path, server.url, size=(width, 20)) as walk,
    ):
        screen = await _listed(walk, 4)
        lines = _lines(screen)
        assert all(cell_len(line) == width for line in lines)
        assert "\x1b" not in "".join(lines)
        assert "[red]not markup[/]" in lines[3][:40]
        assert ("qwen3-32b-local" in lines[1]) is (width >= 80)
        assert ("电商客服" in lines[1] and "#work" in lines[1]) is (width >= 120)
        assert cell_len(_said(screen)) <= width


async def test_the_filter_finds_titles_then_what_was_said_and_opens_at_the_match(tmp_path: Path) -> None:
    filler = "Nothing to see here.\n\n" * 60
    _stored(
        tmp_path,
        ("一般的问题", f"{filler}同城一般一天内送达。{filler}"),
        ("送达时间", "short"),
        ("other", "other"),
    )
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        screen = await _listed(walk, 3)
        await walk.pilot.press("slash")
        screen.filter.value = "送达"
        await walk.until(lambda: len(screen.list.rows) == 3 and screen.list.rows[0].title == "送达时间")
        assert [row.hit is not None for row in screen.list.rows] == [False, True, True]
        sentence = next(line for line in _lines(screen) if "同城" in line)
        assert "同城一般一天内送达" in sentence
        await walk.pilot.press("down")
        if screen.list.current.title != "一般的问题":
            await walk.pilot.press("down")
        await walk.pilot.press("enter")
        await walk.until(lambda: "同城一般一天内送达" in walk.shown)
        assert walk.app.focused is walk.app.chat.transcript
        await walk.pilot.press("escape")
        assert walk.app.focused is walk.app.chat.composer


async def test_a_match_on_a_branch_that_is_not_shown_brings_that_branch(tmp_path: Path) -> None:
    (session,) = _stored(tmp_path, ("root", "the zyxomma answer"))
    with closing(Database.open(tmp_path / "data" / "sessions.db")) as database:
        store = SessionStore(database)
        first = store.load(session).turns[0].user
        store.messages.ask(session, "another beginning", beside=first.id)
    async with ScriptedServer() as server, walking(tmp_path, server.url, resume=session) as walk:
        await walk.until(lambda: walk.items[:1] == [UserItem("another beginning", "<2/2>")])
        screen = await _listed(walk, 1)
        await walk.pilot.press("slash", *"zyxomma")
        await walk.until(lambda: len(screen.list.rows) == 1 and screen.list.rows[0].hit is not None)
        await walk.pilot.press("enter")
        await walk.until(lambda: "zyxomma" in walk.shown)
        assert walk.items[0] == UserItem("root", "<1/2>")
        assert len(walk.app.desk.chats) == 1


async def test_tags_are_given_and_filtered_by(tmp_path: Path) -> None:
    _stored(tmp_path, ("one", "1"), ("two", "2"))
    async with ScriptedServer() as server, walking(tmp_path, server.url, size=(120, 30)) as walk:
        screen = await _listed(walk, 2)
        await walk.pilot.press("t", *"#a10,", "space", *"work", "enter")
        await walk.until(lambda: "#a10 #work" in _lines(screen)[1])
        await walk.pilot.press("slash", *"#wo")
        await walk.until(lambda: _titles(screen) == ["two"])
        await walk.pilot.press("escape", "p")
        await walk.until(lambda: _lines(screen)[1].startswith(" *"))


async def test_rename_and_escape_from_it(tmp_path: Path) -> None:
    _stored(tmp_path, ("one", "1"))
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        screen = await _listed(walk, 1)
        await walk.pilot.press("f2")
        assert screen.edit.value == "one"
        await walk.pilot.press(*"xyz", "escape")
        assert _titles(screen) == ["one"]
        assert walk.app.screen is screen
        await walk.pilot.press("r")
        screen.edit.value = "订单 \x1b[2J时效"
        await walk.pilot.press("enter")
        await walk.until(lambda: _titles(screen) == ["订单 ␛[2J时效"])


async def test_delete_asks_nothing_and_u_brings_it_back(tmp_path: Path) -> None:
    _stored(tmp_path, ("one", "1"), ("two", "2"), ("three", "3"))
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        screen = await _listed(walk, 3)
        await walk.pilot.press("j", "d")
        await walk.until(lambda: _titles(screen) == ["three", "one"])
        assert "deleted 'two' · u brings it back" in _said(screen)
        await walk.pilot.press("u")
        await walk.until(lambda: _titles(screen) == ["three", "two", "one"])
        await walk.pilot.press("d", "q")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        assert _titles(await _listed(walk, 2)) == ["three", "one"]


async def test_the_chat_that_is_shown_can_be_deleted_unless_it_answers(tmp_path: Path) -> None:
    async with ScriptedServer(HELD) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("mine")
        await walk.until(lambda: "one" in walk.shown)
        screen = await _listed(walk, 1)
        await walk.until(lambda: _lines(screen)[1].startswith("●"))
        await walk.pilot.press("d")
        assert "stop it first" in _said(screen)
        await walk.pilot.press("q", "escape")
        await walk.until(lambda: not walk.app.chat.busy)
        screen = await _listed(walk, 1)
        await walk.until(lambda: not _lines(screen)[1].startswith("●"))
        await walk.pilot.press("d")
        await walk.until(lambda: not screen.list.rows)
        await walk.pilot.press("q")
        await walk.until(lambda: walk.app.screen is walk.app.chat and walk.items == [])
        assert not walk.app.chat.live.said


async def test_waiting_prompts_are_marked_and_taken_back(tmp_path: Path) -> None:
    async with ScriptedServer(HELD) as server, walking(tmp_path, server.url, parallel=1) as walk:
        await walk.connected()
        await walk.say("runs")
        await walk.until(lambda: "one" in walk.shown)
        await walk.new_chat()
        await walk.say("waits")
        screen = await _listed(walk, 2)
        assert _titles(screen)[0] == "not sent: waits"
        assert _lines(screen)[1].startswith("…")
        await walk.pilot.press("x")
        assert "1 waiting prompt went back" in _said(screen)
        await walk.pilot.press("enter")
        await walk.until(lambda: walk.app.screen is walk.app.chat)
        assert walk.app.chat.composer.text == "waits"
        assert not walk.app.desk.waiting


async def test_what_was_interrupted_is_counted_marked_and_opened_one_after_the_other(tmp_path: Path) -> None:
    _stored(tmp_path, ("whole", "answer"))
    with closing(Database.open(tmp_path / "data" / "sessions.db")) as database:
        store = SessionStore(database)
        for title in ("one", "two"):
            question = store.messages.ask(store.create(), title)
            store.messages.append_reply(store.messages.begin_reply(question, model="m"), "half")
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        assert "Replies in 2 chats were interrupted, the last one in 'two'" in walk.notices[0]
        screen = await _listed(walk, 3)
        assert [line[0] for line in _lines(screen)[1:4]] == ["!", "!", " "]
        await walk.pilot.press("q", "f3")
        await walk.until(lambda: walk.items[:1] == [UserItem("two")])
        assert "interrupted" in walk.items[1].footer
        await walk.pilot.press("f3")
        await walk.until(lambda: walk.items[:1] == [UserItem("one")])
        await walk.pilot.press("f3")
        assert "no reply was interrupted" in walk.app.chat.title_bar.render_line(0).text


async def test_the_mouse_chooses_a_row_and_opens_it(tmp_path: Path) -> None:
    _stored(tmp_path, ("one", "1"), ("two", "2"), ("three", "3"))
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        screen = await _listed(walk, 3)
        await walk.pilot.click(screen.list, offset=(10, 3))
        assert screen.list.current.title == "one"
        await walk.pilot.click(screen.list, offset=(10, 0))
        assert walk.app.screen is screen
        await walk.pilot.click(screen.list, offset=(10, 3))
        await walk.until(lambda: walk.items[:1] == [UserItem("one")])


async def test_without_a_store_the_open_chats_are_listed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with closing(Database.open(tmp_path / "data" / "sessions.db")) as database:
        database.connection.execute("PRAGMA user_version = 999")
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("first")
        await walk.answered()
        first = walk.app.chat.live
        await walk.new_chat()
        await walk.say("second")
        await walk.answered()
        screen = await _listed(walk, 2)
        assert _titles(screen) == ["first", "second"]
        await walk.pilot.press("enter")
        await walk.until(lambda: walk.app.chat.live is first)


async def test_a_draft_that_was_there_before_the_store_is_kept(tmp_path: Path) -> None:
    async with ScriptedServer() as server:
        async with walking(tmp_path, server.url) as walk:
            walk.app.chat.composer.text = "early draft"
            walk.app.chat.sync_draft()
            await walk.connected()
        async with walking(tmp_path, server.url) as walk:
            await walk.until(lambda: walk.app.chat.composer.text == "early draft")


async def test_a_text_behind_the_filters_key_in_one_burst_is_no_command(tmp_path: Path) -> None:
    _stored(tmp_path, ("done", "1"), ("two", "2"))
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        screen = await _listed(walk, 2)
        from textual import events

        for name in ("slash", "d", "o", "n", "e", "enter"):
            screen.list.post_message(
                events.Key(name, "/" if name == "slash" else name if len(name) == 1 else None)
            )
        await walk.until(lambda: walk.app.screen is walk.app.chat or screen.filter.value == "done")
        await walk.pilot.pause()
        with closing(Database.open(tmp_path / "data" / "sessions.db")) as database:
            assert len(SessionStore(database).listed()) == 2


async def test_ten_thousand_chats_are_listed_to_the_last(tmp_path: Path) -> None:
    path = tmp_path / "data" / "sessions.db"
    path.parent.mkdir()
    with closing(Database.open(path)) as database, database.transaction() as connection:
        numbers = [(n, f"id{n:06}", f"chat {n}", n, n, n) for n in range(1, 10_001)]
        connection.executemany(
            "INSERT INTO sessions (number, id, title, created_at, updated_at, head) VALUES (?, ?, ?, ?, ?, NULL)",
            [row[:5] for row in numbers],
        )
        connection.executemany(
            "INSERT INTO messages (id, uid, session, role, created_at, content) VALUES (?, ?, ?, 'user', ?, 'x')",
            [(n, key, n, n) for n, key, *_ in numbers],
        )
        connection.execute("UPDATE sessions SET head = number")
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        screen = await _listed(walk, 10_000)
        assert screen.list.rows[0].title == "chat 10000"
        await walk.pilot.press("G")
        assert screen.list.current.title == "chat 1"
        assert "chat 1 " in _lines(screen)[-1]
        await walk.pilot.press("pageup", "home", "pagedown", "k")
        assert screen.list.cursor == screen.list.size.height - 3


def test_ages_and_cuts() -> None:
    assert [age(s) for s in (5, 90, 7200, 3 * 86_400, 30 * 86_400, 800 * 86_400)] == [
        "now",
        "1m",
        "2h",
        "3d",
        "4w",
        "2y",
    ]
    assert fit("订单时效", 5) == "订单…"
    assert fit("订单时效", 6) == "订单… "
    assert fit("ab", 4) == "ab  "
