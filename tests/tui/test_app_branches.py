"""A talk that forks on the screen: edit, ask again, step, delete, undo, quote."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from script import Model, Reply, failure
from scripted_server import ScriptedServer
from walk import Walk, walking

from qwentui.store.settings import Context
from qwentui.tui.transcript.items import NoticeItem, ReplyItem, UserItem

if TYPE_CHECKING:
    from pathlib import Path


def _answers(*texts: str) -> tuple[Reply, ...]:
    return tuple(Reply(content=(text,)) for text in texts)


def _shown(walk: Walk) -> list[str]:
    """The messages in the transcript, each with the version that it says it is."""
    shown = []
    for item in walk.items:
        if isinstance(item, UserItem):
            shown.append(" ".join(filter(None, [item.text, item.footer])))
        elif isinstance(item, ReplyItem):
            version = item.footer.rpartition(" · ")[2]
            shown.append(" ".join([item.content, *([version] if version.startswith("<") else [])]))
    return shown


def _sent(server: ScriptedServer) -> list[str]:
    return [message["content"] for message in server.last("/api/chat").json["messages"]]


def _said(walk: Walk) -> list[str]:
    """The talk as the session has it."""
    said = []
    for turn in walk.app.chat.session.conversation.turns:
        said += [turn.user.content, *([turn.reply.message.content] if turn.reply else [])]
    return said


def _note(walk: Walk) -> str:
    return walk.app.chat.title_bar.render_line(0).text


def _editing(walk: Walk) -> str:
    line = walk.app.chat._edit_line
    return str(line.render()) if line.is_attached and line.display else ""


async def _talked(walk: Walk, server: ScriptedServer, *prompts: str) -> None:
    await walk.connected()
    for prompt in prompts:
        asked = server.count("/api/chat")
        await walk.say(prompt)
        await _asked(walk, server, asked + 1)


async def _asked(walk: Walk, server: ScriptedServer, times: int) -> None:
    await walk.until(lambda: server.count("/api/chat") == times and not walk.app.chat.busy)


async def test_an_edited_message_is_sent_anew_and_the_old_branch_is_a_step_away(tmp_path: Path) -> None:
    script = _answers("A", "B", "C")
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one", "two")
        walk.app.chat.composer.text = "my draft"
        await walk.pilot.press("tab", "K", "K", "K", "K", "e")
        assert walk.app.chat.composer.text == "one"
        assert "editing message 1 · enter sends a new version · esc leaves" in _editing(walk)
        assert walk.app.focused is walk.app.chat.composer
        await walk.pilot.press("!", "enter")
        await _asked(walk, server, 3)
        assert _sent(server) == ["one!"]
        assert _shown(walk) == ["one! <2/2>", "C"]
        assert walk.app.chat.composer.text == "my draft"
        assert _editing(walk) == ""
        await walk.pilot.press("tab", "K", "K", "less_than_sign")
        await walk.until(lambda: _shown(walk) == ["one <1/2>", "A", "two", "B"])
        assert _said(walk) == ["one", "A", "two", "B"]
        await walk.pilot.press("less_than_sign")
        assert "that is the first version" in _note(walk)
        await walk.pilot.press("greater_than_sign")
        await walk.until(lambda: _shown(walk) == ["one! <2/2>", "C"])


async def test_escape_leaves_an_edit_and_brings_the_draft_back(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        walk.app.chat.composer.text = "my draft"
        await walk.pilot.press("tab", "K", "K", "e", "x", "escape")
        assert walk.app.chat.composer.text == "my draft"
        assert _editing(walk) == ""
        assert _shown(walk) == ["one", "A"]
        walk.app.chat.composer.text = ""
        # What was written meanwhile is a prompt that can be had back.
        await walk.pilot.press("up")
        assert walk.app.chat.composer.text == "onex"


async def test_the_last_answer_is_edited_and_goes_on(tmp_path: Path) -> None:
    script = (
        Reply(content=("It is ", "wrong"), thinking=("hm",)),
        Reply(content=("It is ", "right", "ly so.")),
    )
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        await walk.pilot.press("tab", "e")
        assert walk.app.chat.composer.text == "It is wrong"
        assert "editing the answer · enter lets it go on · esc leaves" in _editing(walk)
        await walk.say("It is right")
        await walk.until(lambda: len(_shown(walk)) == 2 and "2/2" in _shown(walk)[1])
        assert _shown(walk) == ["one", "It is rightly so. <2/2>"]
        assert _sent(server)[-1] == "It is right"
        assert walk.items[1].thinking == "hm"
        await walk.pilot.press("tab", "less_than_sign")
        await walk.until(lambda: _shown(walk) == ["one", "It is wrong <1/2>"])
        assert walk.notices == []


async def test_an_edited_answer_that_cannot_go_on_leaves_everything_as_it_was(tmp_path: Path) -> None:
    closes = Model(leaves_open=False)
    async with (
        ScriptedServer(*_answers("A", "B"), models=(closes,)) as server,
        walking(tmp_path, server.url) as walk,
    ):
        await _talked(walk, server, "one", "two")
        await walk.pilot.press("tab", "K", "K", "K", "e")
        assert "only the last answer can be edited" in _note(walk)
        await walk.pilot.press("J", "J", "e")
        await walk.say("It is right")
        await walk.until(lambda: any("closes the turn" in notice for notice in walk.notices))
        await walk.until(lambda: "editing the answer" in _editing(walk))
        assert walk.app.chat.composer.text == "It is right"
        assert _shown(walk) == _said(walk) == ["one", "A", "two", "B"]


async def test_while_an_edit_is_open_the_branches_stay(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        await walk.pilot.press("tab", "K", "K", "e", "tab", "d")
        assert "an edit is open: esc leaves it first" in _note(walk)
        await walk.pilot.press("f5")
        assert _shown(walk) == ["one", "A"]
        assert server.count("/api/chat") == 1


async def test_an_edited_answer_that_is_not_the_last_any_more_is_not_sent(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A", "B")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        await walk.pilot.press("tab", "e", "x")
        chat = walk.app.chat
        # A prompt that was on its way goes on beside the edit.
        chat.watch_context.items.append(chat.transcript.append(UserItem("two")))
        chat._begin(chat.session, chat.session.reply("two"))
        await _asked(walk, server, 2)
        await walk.pilot.press("enter")
        assert "the talk has gone on: esc leaves this edit" in _note(walk)
        assert chat.composer.text == "Ax"
        assert chat.editing
        assert _shown(walk) == ["one", "A", "two", "B"]


async def test_a_new_chat_takes_an_open_edit_away(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A", "B")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        await walk.pilot.press("tab", "K", "K", "e", "ctrl+n")
        await walk.until(lambda: walk.items == [])
        assert walk.app.chat.composer.text == ""
        await _talked(walk, server, "fresh")
        assert _sent(server) == ["fresh"]


async def test_an_edit_with_control_tokens_is_flagged_first(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A", "B")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        await walk.pilot.press("tab", "K", "K", "e")
        await walk.say("see <|im_end|>")
        await walk.until(lambda: any("<|im_end|>" in notice for notice in walk.notices))
        assert walk.app.chat.composer.text == "see <|im_end|>"
        assert server.count("/api/chat") == 1
        await walk.pilot.press("enter")
        await _asked(walk, server, 2)
        assert _sent(server) == ["see <|im_end|>"]


async def test_an_edit_that_does_not_fit_leaves_everything_as_it_was(tmp_path: Path) -> None:
    small = Context(budget=200, reply_room=100)
    async with (
        ScriptedServer(*_answers("A", "B")) as server,
        walking(tmp_path, server.url, context=small) as walk,
    ):
        await _talked(walk, server, "one", "two")
        walk.app.chat.composer.text = "my draft"
        await walk.pilot.press("tab", "K", "K", "K", "K", "e")
        await walk.say("word " * 1_000)
        await walk.until(lambda: any("200 fit" in notice for notice in walk.notices))
        await walk.until(lambda: "editing message 1" in _editing(walk))
        assert walk.app.chat.composer.text == "word " * 1_000
        assert _shown(walk) == ["one", "A", "two", "B"]
        assert _said(walk) == ["one", "A", "two", "B"]
        assert server.count("/api/chat") == 2
        await walk.pilot.press("escape")
        assert walk.app.chat.composer.text == "my draft"
        await _talked(walk, server, "three")
        assert _sent(server) == ["one", "A", "two", "B", "three"]


async def test_a_reply_is_asked_for_again_and_both_stay(tmp_path: Path) -> None:
    script = _answers("A", "B", "A again", "A once more")
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one", "two")
        await walk.pilot.press("tab", "K", "K", "K", "r")
        await _asked(walk, server, 3)
        assert _sent(server) == ["one"]
        assert _shown(walk) == ["one", "A again <2/2>"]
        await walk.pilot.press("f5")
        await _asked(walk, server, 4)
        assert _shown(walk) == ["one", "A once more <3/3>"]
        await walk.pilot.press("less_than_sign")
        await walk.until(lambda: _shown(walk) == ["one", "A again <2/3>"])
        await walk.pilot.press("less_than_sign")
        await walk.until(lambda: _shown(walk) == ["one", "A <1/3>", "two", "B"])


async def test_an_answer_that_never_came_is_one_version_among_others(tmp_path: Path) -> None:
    refused = failure(400, "it does not want to")
    async with ScriptedServer(*_answers("A"), refused) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        await walk.pilot.press("f5")
        await walk.until(lambda: bool(walk.notices) and not walk.app.chat.busy)
        assert _shown(walk) == ["one", " <2/2>"]
        await walk.pilot.press("tab", "less_than_sign")
        await walk.until(lambda: _shown(walk) == ["one", "A <1/2>"])
        assert walk.notices == []


async def test_the_message_stays_where_it_is_when_its_branch_changes(tmp_path: Path) -> None:
    long = Reply(content=("Quite some words of an answer.\n\n" * 8,))
    async with ScriptedServer(long) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one", "two", "three")
        await walk.pilot.press("tab", "K", "K", "K", "K", "e")
        await walk.say("two, otherwise")
        await _asked(walk, server, 4)
        await walk.pilot.press("tab", "K", "K")
        rows = walk.shown.splitlines()
        at = next(number for number, row in enumerate(rows) if "two, otherwise" in row)
        await walk.pilot.press("less_than_sign")
        await walk.until(lambda: len(_shown(walk)) == 6)
        assert "▎ two" in walk.shown.splitlines()[at]
        assert "<1/2>" in walk.shown.splitlines()[at + 1]
        assert not walk.app.chat.transcript.following
        await walk.pilot.press("greater_than_sign")
        await walk.until(lambda: len(_shown(walk)) == 4)
        assert "▎ two, otherwise" in walk.shown.splitlines()[at]


async def test_a_deleted_round_leaves_the_next_request_and_comes_back(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A", "B", "C", "D")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one", "two", "three")
        await walk.pilot.press("tab", "K", "K", "K", "d")
        await walk.until(lambda: _shown(walk) == ["one", "A", "three", "C"])
        assert "deleted · u brings it back" in _note(walk)
        await walk.pilot.press("D")
        await walk.until(lambda: _shown(walk) == ["one", "A", "three"])
        await walk.pilot.press("i")
        await _talked(walk, server, "four")
        assert _sent(server) == ["one", "A", "three", "four"]
        await walk.pilot.press("tab", "u")
        await walk.until(lambda: _shown(walk) == ["one", "A", "three", "C", "four", "D"])
        await walk.pilot.press("u")
        await walk.until(lambda: _shown(walk) == ["one", "A", "two", "B", "three", "C", "four", "D"])
        assert _said(walk) == ["one", "A", "two", "B", "three", "C", "four", "D"]
        await walk.pilot.press("u")
        assert "nothing was deleted here" in _note(walk)


async def test_everything_deleted_leaves_a_chat_that_works(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A", "B", "C")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one", "two")
        await walk.pilot.press("tab", "d", "d")
        await walk.until(lambda: walk.items == [])
        for key in ("d", "D", "e", "r", "less_than_sign", "f5", "Q"):
            await walk.pilot.press(key)
        assert walk.items == []
        await walk.pilot.press("i")
        await _talked(walk, server, "three")
        assert _sent(server) == ["three"]
        assert _shown(walk) == ["three", "C"]
        await walk.pilot.press("tab", "u", "u")
        await walk.until(lambda: len(_shown(walk)) == 6)


async def test_deleting_one_of_two_versions_shows_the_other(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A", "B")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        await walk.pilot.press("f5")
        await _asked(walk, server, 2)
        await walk.pilot.press("tab", "D")
        await walk.until(lambda: _shown(walk) == ["one", "A"])
        await walk.pilot.press("u")
        await walk.until(lambda: _shown(walk) == ["one", "B <2/2>"])


async def test_a_reply_whose_question_is_gone_is_handled(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A")) as server:
        async with walking(tmp_path, server.url) as walk:
            await _talked(walk, server, "one")
        with sqlite3.connect(tmp_path / "data" / "sessions.db") as store:
            store.execute("UPDATE messages SET deleted_at = 1 WHERE role = 'user'")
        store.close()
        async with walking(tmp_path, server.url, resume="") as walk:
            await walk.connected()
            assert _shown(walk) == ["A"]
            await walk.pilot.press("tab", "r")
            assert "its question was deleted" in _note(walk)
            await walk.pilot.press("d")
            await walk.until(lambda: walk.items == [])
            await walk.pilot.press("u")
            await walk.until(lambda: _shown(walk) == ["A"])


async def test_while_a_reply_runs_the_branches_stay(tmp_path: Path) -> None:
    script = (*_answers("A"), Reply(content=("B", "more"), holds=(1,)))
    async with ScriptedServer(*script) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        await walk.say("two")
        await walk.until(lambda: server.count("/api/chat") == 2)
        before = _shown(walk)
        await walk.pilot.press("tab", "K", "K", "K")
        for key in ("d", "D", "e", "r", "u", "less_than_sign", "greater_than_sign", "f5"):
            walk.app.chat.title_bar.show(note="")
            await walk.pilot.press(key)
            assert "a reply runs: esc stops it first" in _note(walk), key
        assert _shown(walk) == before
        await walk.pilot.press("Q")
        assert walk.app.chat.composer.text.startswith("> ")


async def test_pins_stay_with_their_messages_when_the_branch_changes(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A", "B", "C")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one", "two")
        await walk.pilot.press("tab", "p", "K", "K", "K", "K", "p")
        await walk.until(lambda: all(turn.pinned for turn in walk.app.chat.session.conversation.turns))
        await walk.pilot.press("r")
        await _asked(walk, server, 3)
        assert [turn.pinned for turn in walk.app.chat.session.conversation.turns] == [True]
        await walk.pilot.press("less_than_sign")
        await walk.until(lambda: len(_shown(walk)) == 4)
        assert [turn.pinned for turn in walk.app.chat.session.conversation.turns] == [True, True]


async def test_what_was_said_about_a_round_stays_with_it(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A", "B", "C")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        walk.app.chat.notice("about the first round")
        await _talked(walk, server, "two")
        walk.app.chat.notice("about the second round")
        await _talked(walk, server, "three")
        await walk.pilot.press("tab", "K", "K", "K", "d")
        await walk.until(lambda: _shown(walk) == ["one", "A", "three", "C"])
        assert walk.notices == ["about the first round"]
        assert walk.items[2] == NoticeItem("about the first round")


async def test_a_message_is_quoted_below_what_was_written(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("A\n\nB",))) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        walk.app.chat.composer.text = "before"
        await walk.pilot.press("tab", "Q", "y")
        assert walk.app.chat.composer.text == "before\n\n> A\n>\n> B\n\ny"
        assert walk.app.focused is walk.app.chat.composer


async def test_the_selection_is_quoted_alone(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("A\n\nB",))) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        await walk.pilot.press("tab", "K", "K", "V", "Q")
        assert walk.app.chat.composer.text == "> one\n\n"
        assert walk.app.chat.transcript.selected == ""


async def test_without_a_store_edit_and_ask_again_work_and_the_rest_says_why_not(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "sessions.db") as store:
        store.execute("PRAGMA user_version = 99")
    store.close()
    async with ScriptedServer(*_answers("A", "B", "C")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one")
        assert walk.app.chat.session.recorder is None
        await walk.pilot.press("f5")
        await _asked(walk, server, 2)
        await walk.pilot.press("tab", "K", "K", "e")
        await walk.say("uno")
        await _asked(walk, server, 3)
        assert _shown(walk) == ["uno", "C"]
        for key in ("less_than_sign", "d"):
            told = len(walk.notices)
            await walk.pilot.press("tab", key, "tab")
            await walk.until(lambda told=told: len(walk.notices) > told)
            assert "not kept anywhere" in walk.notices[-1]
        assert _shown(walk) == ["uno", "C"]


async def test_a_session_that_another_program_removed_is_said_and_nothing_changes(tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A", "B")) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one", "two")
        with sqlite3.connect(tmp_path / "data" / "sessions.db") as store:
            store.execute("PRAGMA foreign_keys = ON")
            store.execute("DELETE FROM sessions")
        store.close()
        for keys in (("d",), ("r",), ("K", "K", "e", "enter"), ("e", "enter")):
            told = len(walk.notices)
            await walk.pilot.press("tab", *keys)
            await walk.until(lambda told=told: len(walk.notices) > told and not walk.app.chat.busy)
            await walk.until(lambda keys=keys: walk.app.chat.editing == (keys[-1] == "enter"))
            await walk.pilot.press("escape", "escape")
            assert _shown(walk) == ["one", "A", "two", "B"], keys
            assert _said(walk) == ["one", "A", "two", "B"]
        # Whether the model goes on with an answer was asked, and nothing else.
        assert server.count("/api/chat") == 3
        assert server.last("/api/chat").json["_debug_render_only"] is True


@pytest.mark.parametrize("key", ["e", "r", "d", "D", "u", "less_than_sign", "Q", "f5"])
async def test_a_key_in_an_empty_chat_changes_nothing(key: str, tmp_path: Path) -> None:
    async with ScriptedServer(*_answers("A")) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("tab", key)
        assert walk.items == []
        assert walk.app.chat.composer.text == ""


async def test_the_end_stays_in_view_when_an_edit_of_many_lines_is_sent(tmp_path: Path) -> None:
    script = Reply(content=("Quite some words of an answer.\n\n" * 12, "And the end.\n"))
    async with ScriptedServer(script) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one", "two")
        await walk.pilot.press("tab", "e")
        await walk.until(lambda: walk.app.chat.composer.size.height > 5)
        await walk.pilot.press("backspace", "enter")
        await walk.until(lambda: "2/2" in _shown(walk)[-1])
        await walk.until(lambda: walk.app.chat.composer.size.height == 1)
        assert walk.app.chat.transcript.following
        assert "<2/2>" in walk.shown


async def test_deleting_at_the_end_stays_at_the_end(tmp_path: Path) -> None:
    long = Reply(content=("Quite some words of an answer.\n\n" * 12,))
    async with ScriptedServer(long) as server, walking(tmp_path, server.url) as walk:
        await _talked(walk, server, "one", "two", "three")
        await walk.pilot.press("tab", "d")
        await walk.until(lambda: len(_shown(walk)) == 4)
        assert walk.app.chat.transcript.following
        await walk.pilot.press("d")
        await walk.until(lambda: len(_shown(walk)) == 2)
        assert _shown(walk)[0] == "one"
