"""Selecting with mouse and keys, the cursor, and what is copied."""

from __future__ import annotations

import pytest
from textual.geometry import Offset
from textual.selection import Selection
from tui.transcript.shown import Shown, drawn, shown

from qwentui.tui.transcript.items import NoticeItem, ReplyItem, UserItem
from qwentui.tui.transcript.selection import word_at
from qwentui.tui.transcript.view import Transcript

QUESTION = "a question that is long enough to be wrapped into several rows of the screen"
ANSWER = "**Bold** answer\n\n```python\nprint(1)\n```\n\nand\n\n```sh\nls\n```"
CHAT = (UserItem(QUESTION), ReplyItem(ANSWER, "thought"), NoticeItem("news"), UserItem("last"))


def copied(app: Shown) -> list[tuple[str, str]]:
    return [(message.text, message.what) for message in app.heard if isinstance(message, Transcript.Copied)]


def row_of(app: Shown, text: str) -> int:
    return next(number for number, line in enumerate(app.lines()) if text in line)


async def test_messages_answers_and_blocks_are_copied_as_they_were_written() -> None:
    async with shown(*CHAT, size=(40, 30)) as (app, transcript, pilot):
        transcript.action_copy_message()
        transcript.action_copy_answer()
        transcript.action_copy_block()
        transcript.action_previous_message()
        transcript.action_previous_message()
        transcript.action_copy_message()
        transcript.action_previous_message()
        transcript.action_copy_message()
        transcript.action_next_block()
        transcript.action_copy_block()
        transcript.action_next_block()
        transcript.action_copy_block()
        transcript.action_previous_block()
        transcript.action_copy_block()
        await drawn(pilot)
        assert copied(app) == [
            ("last", "message"),
            (ANSWER, "answer"),
            ("ls", "code block"),
            (ANSWER, "message"),
            (QUESTION, "message"),
            ("print(1)", "code block"),
            ("ls", "code block"),
            ("print(1)", "code block"),
        ]


async def test_the_cursor_is_marked_and_goes_away() -> None:
    async with shown(*CHAT, size=(40, 30)) as (app, transcript, pilot):
        transcript.action_previous_message()
        await drawn(pilot)
        assert [line for line in app.lines() if line.startswith("›")] == ["›▎ last"]
        transcript.action_previous_block()
        await drawn(pilot)
        assert next(line for line in app.lines() if line.startswith("›")).endswith("ls")
        transcript.action_dismiss()
        await drawn(pilot)
        assert not [line for line in app.lines() if line.startswith("›")]


async def test_a_click_puts_the_cursor_on_a_message_or_a_code_block() -> None:
    async with shown(*CHAT, size=(40, 30)) as (app, transcript, pilot):
        for text, copied_text in (
            ("screen", QUESTION),
            ("Bold", ANSWER),
            ("ls", "ls"),
            ("print", "print(1)"),
        ):
            app.heard.clear()
            await pilot.click(transcript, offset=(8, row_of(app, text)))
            await drawn(pilot)
            assert [line for line in app.lines() if line.startswith("›")]
            is_block = text in ("ls", "print")
            transcript.action_copy_block() if is_block else transcript.action_copy_message()
            await drawn(pilot)
            assert copied(app) == [(copied_text, "code block" if is_block else "message")]
        app.heard.clear()
        await pilot.click(transcript, offset=(8, row_of(app, "news")))
        await drawn(pilot)
        assert next(line for line in app.lines() if line.startswith("›")).endswith("print(1)")


async def test_the_cursor_brings_far_messages_into_view() -> None:
    items = [UserItem(f"question {number}") for number in range(300)]
    async with shown(*items) as (app, transcript, pilot):
        transcript.action_scroll_home()
        for number in range(40):
            transcript.action_next_message()
            await drawn(pilot)
            assert f"question {number}" in [line[3:] for line in app.lines() if line.startswith("›")]
        for number in range(38, 0, -1):
            transcript.action_previous_message()
            await drawn(pilot)
            assert f"question {number}" in [line[3:] for line in app.lines() if line.startswith("›")]


async def test_the_pager_gets_the_source_of_a_message() -> None:
    async with shown(*CHAT) as (app, transcript, pilot):
        transcript.action_previous_message()
        transcript.action_previous_message()
        transcript.action_page_message()
        await drawn(pilot)
        paged = [message.text for message in app.heard if isinstance(message, Transcript.PagerRequested)]
        assert paged == [ANSWER]


async def test_a_mouse_selection_is_joined_where_a_wrap_cut_it() -> None:
    async with shown(*CHAT, size=(40, 30)) as (app, transcript, pilot):
        first, last = row_of(app, "▎ a question"), row_of(app, "screen")
        await pilot.mouse_down(transcript, offset=(5, first))
        await pilot.hover(transcript, offset=(20, last))
        await pilot.mouse_up(transcript, offset=(20, last))
        await drawn(pilot)
        assert app.screen.get_selected_text() == QUESTION[2 : QUESTION.index("screen") + 6]
        transcript.action_copy_selection()
        await drawn(pilot)
        assert copied(app) == [(QUESTION[2:], "selection")]
        assert transcript.text_selection is None


async def test_wrapped_rows_of_an_answer_are_joined_and_its_lines_are_not() -> None:
    answer = (
        "Some **bold words** in a paragraph that has to be wrapped at this width.\n\n"
        "- an item that is itself too long for a single row\n- another\n\n"
        "这里有一段中文文字,它没有空格,所以在任何两个字之间都可以换行。"
    )
    async with shown(UserItem("q"), ReplyItem(answer), size=(36, 30)) as (app, transcript, _pilot):
        shift = transcript._window.shift
        first, last = row_of(app, "Some bold"), row_of(app, "换行")
        app.screen.selections = {transcript: Selection(Offset(0, first - shift), Offset(99, last - shift))}
        assert app.screen.get_selected_text() == answer.replace("**", "").replace("- ", "• ")


async def test_two_clicks_select_a_word_and_three_a_row() -> None:
    async with shown(UserItem("some words here"), ReplyItem("other")) as (app, transcript, pilot):
        row = row_of(app, "some words")
        await pilot.click(transcript, offset=(10, row), times=2)
        assert app.screen.get_selected_text() == "words"
        await pilot.click(transcript, offset=(10, row), times=3)
        assert app.screen.get_selected_text() == "some words here"


async def test_keys_select_rows_and_characters() -> None:
    async with shown(UserItem("first"), UserItem("second"), UserItem("third")) as (app, transcript, pilot):
        transcript.action_select_lines()
        await pilot.press("up", "up")
        transcript.action_copy_selection()
        transcript.action_select_characters()
        await pilot.press("right", "right", "left")
        transcript.action_copy_selection()
        await drawn(pilot)
        assert copied(app) == [("second\n\nthird", "selection"), ("th", "selection")]


async def test_a_selection_by_keys_goes_beyond_the_window() -> None:
    items = [UserItem(f"question {number}") for number in range(60)]
    async with shown(*items) as (app, transcript, pilot):
        transcript.action_select_lines()
        for _ in range(58):
            await pilot.press("up")
        transcript.action_copy_selection()
        await drawn(pilot)
        text = copied(app)[0][0]
        assert [line for line in text.split("\n") if line] == [
            f"question {number}" for number in range(30, 60)
        ]


async def test_a_selection_stays_on_its_text_when_rows_come_in_above_and_below() -> None:
    items = [ReplyItem(f"reply {number} " + "word " * (number * 13 % 120)) for number in range(60)]
    async with shown(*items) as (app, transcript, pilot):
        transcript.action_select_lines()
        await pilot.press("up")
        selected = app.screen.get_selected_text()
        for _ in range(6):
            transcript.scroll_to(y=transcript.scroll_y - 12)
        transcript.open_reply("m")
        transcript.feed_text("new\n\nrows\n\n" * 20)
        await drawn(pilot)
        assert selected
        assert app.screen.get_selected_text() == selected


async def test_a_change_of_width_ends_the_selection() -> None:
    async with shown(*CHAT) as (app, transcript, pilot):
        transcript.action_select_lines()
        await pilot.resize_terminal(40, 16)
        await drawn(pilot)
        assert app.screen.get_selected_text() is None
        assert not transcript.selecting


async def test_all_of_a_chat_is_copied_as_source() -> None:
    async with shown(*CHAT) as (app, transcript, _pilot):
        transcript.text_select_all()
        assert app.screen.get_selected_text() == f"{QUESTION}\n\n{ANSWER}\n\nnews\n\nlast"


async def test_dismiss_takes_the_selection_first() -> None:
    async with shown(*CHAT) as (app, transcript, pilot):
        transcript.action_previous_message()
        transcript.action_select_lines()
        await drawn(pilot)
        assert app.screen.get_selected_text() == "last"
        transcript.action_dismiss()
        await drawn(pilot)
        assert not transcript.selecting
        assert app.screen.get_selected_text() is None
        assert any(line.startswith("›") for line in app.lines())


@pytest.mark.parametrize(
    ("text", "x", "word"), [("one two", 5, "two"), ("one two", 3, " "), ("one", 9, ""), ("a_b-c", 0, "a_b")]
)
def test_a_word_is_what_stands_between_other_characters(text: str, x: int, word: str) -> None:
    start, end = word_at(text, x)
    assert text[start:end] == word
