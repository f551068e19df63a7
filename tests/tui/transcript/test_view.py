"""Following the end, staying where the reader reads, and long chats."""

from __future__ import annotations

import pytest
from tui.transcript.shown import PALETTE, drawn, shown, until

from qwentui.tui.transcript.items import MarkItem, NoticeItem, ReplyItem, UserItem
from qwentui.tui.transcript.palette import Palette
from qwentui.tui.transcript.view import Transcript


def talk(rounds: int) -> list[UserItem | ReplyItem]:
    items: list[UserItem | ReplyItem] = []
    for number in range(rounds):
        items.append(UserItem(f"question {number}"))
        items.append(
            ReplyItem(f"answer {number}\n\n" + "word " * (number * 7 % 90), footer=f"footer {number}")
        )
    return items


def top(lines: list[str]) -> str:
    return next(line for line in lines if line.strip())


async def test_a_chat_opens_at_its_end() -> None:
    async with shown(*talk(30)) as (app, transcript, _):
        assert transcript.following
        assert "footer 29" in app.lines()[-2]


async def test_ten_thousand_messages_lay_out_only_those_in_view() -> None:
    async with shown(*talk(5_000)) as (app, transcript, pilot):
        assert "footer 4999" in app.text()
        assert len(transcript._document._bodies) < 20
        transcript.action_scroll_home()
        await drawn(pilot)
        assert "question 0" in app.text()
        assert len(transcript._document._bodies) < 40


async def test_rows_looked_at_long_ago_are_dropped_and_come_back_the_same() -> None:
    items = [
        ReplyItem("\n\n".join(f"paragraph {part} of {number}" for part in range(300))) for number in range(30)
    ]
    async with shown(*items) as (app, transcript, pilot):
        transcript.action_page_up()
        await drawn(pilot)
        before = app.rows(3)
        for number in range(30):
            transcript._window.show(number, 0, 0)
        transcript.show()
        assert sum(body.height for body in transcript._document._bodies.values()) < 6_000
        assert app.rows(3) == before


async def test_streamed_text_is_followed_at_the_end() -> None:
    async with shown(*talk(5)) as (app, transcript, pilot):
        transcript.open_reply("m")
        for number in range(60):
            transcript.feed_text(f"line {number}\n\n")
        await drawn(pilot)
        assert "line 59" in app.text()
        assert transcript.following


async def test_a_reader_who_scrolled_up_is_never_thrown_to_the_end() -> None:
    async with shown(*talk(20)) as (app, transcript, pilot):
        transcript.open_reply("m")
        transcript.feed_text("begin\n\n")
        await pilot.press("pageup")
        await drawn(pilot)
        before = app.lines()[:-1]
        assert not transcript.following
        for number in range(50):
            transcript.feed_text(f"line {number}\n\n")
        await drawn(pilot)
        assert app.lines()[:-1] == before
        assert "↓ more below (End)" in app.lines()[-1]
        transcript.close_reply(ReplyItem("begin\n\n" + "".join(f"line {number}\n\n" for number in range(50))))
        await drawn(pilot)
        assert app.lines()[:-1] == before


async def test_text_that_grows_out_of_view_is_hinted_at() -> None:
    async with shown(*talk(20)) as (app, transcript, pilot):
        transcript.open_reply("m")
        transcript.feed_text("begin")
        await drawn(pilot)
        await pilot.press("up")
        await drawn(pilot)
        assert "more below" not in app.text()
        transcript.feed_text("\n\nand on" * 9)
        await drawn(pilot)
        assert "more below" in app.lines()[-1]


async def test_end_follows_again_and_says_so() -> None:
    async with shown(*talk(20)) as (app, transcript, pilot):
        await pilot.press("pageup")
        transcript.append(NoticeItem("news"))
        await drawn(pilot)
        assert "more below" in app.text()
        await pilot.press("end")
        await drawn(pilot)
        assert "news" in app.text()
        assert "more below" not in app.text()
        heard = [message.following for message in app.heard if isinstance(message, Transcript.FollowChanged)]
        assert heard == [False, True]


async def test_scrolling_down_to_the_end_follows_again() -> None:
    async with shown(*talk(20)) as (_, transcript, pilot):
        await pilot.press("pageup", "up")
        assert not transcript.following
        await pilot.press("pagedown", "down")
        await drawn(pilot)
        assert transcript.following


async def test_page_up_shows_the_rows_right_above_whatever_was_estimated() -> None:
    async with shown(*talk(200), size=(60, 20)) as (app, _, pilot):
        for _ in range(30):
            before = app.lines()
            await pilot.press("pageup")
            await drawn(pilot)
            after = app.lines()
            await pilot.press("down", "down")
            await drawn(pilot)
            assert app.lines()[:-2] == after[2:]
            assert app.lines()[-2:] == before[:2]


async def test_scrolling_by_rows_goes_smoothly_over_items_never_seen() -> None:
    async with shown(*talk(200), size=(60, 20)) as (app, transcript, pilot):
        for _ in range(40):
            before = app.lines()
            transcript.scroll_to(y=transcript.scroll_y - 3)
            await drawn(pilot)
            assert app.lines()[3:] == before[:-3]


@pytest.mark.parametrize("size", [(40, 16), (100, 24), (60, 8)])
async def test_a_resize_keeps_the_reading_place(size: tuple[int, int]) -> None:
    async with shown(*talk(60)) as (app, transcript, pilot):
        for _ in range(12):
            await pilot.press("pageup")
        await drawn(pilot)
        place = top(app.lines())
        await pilot.resize_terminal(*size)
        await drawn(pilot)
        words = place.split()[:2]
        assert " ".join(words) in " ".join(" ".join(app.lines()[:6]).split())
        assert not transcript.following


async def test_a_resize_inside_a_long_reply_keeps_the_line_at_the_top() -> None:
    text = "\n\n".join(f"paragraph {number} " + "word " * 40 for number in range(400))
    async with shown(UserItem("hi"), ReplyItem(text)) as (app, transcript, pilot):
        transcript._window.show(1, 700, 0)
        transcript.show()
        await drawn(pilot)
        place = next(line.split()[1] for line in app.lines() if "paragraph" in line)
        for width in (35, 90, 50):
            await pilot.resize_terminal(width, 16)
            await drawn(pilot)
            assert f"paragraph {place} " in app.text()


async def test_a_resize_at_the_end_stays_at_the_end() -> None:
    async with shown(*talk(40)) as (app, transcript, pilot):
        await pilot.resize_terminal(33, 12)
        await drawn(pilot)
        assert transcript.following
        assert "footer 39" in app.lines()[-2]


async def test_a_reply_that_streams_goes_on_after_a_resize() -> None:
    async with shown(*talk(3)) as (app, transcript, pilot):
        transcript.open_reply("m")
        transcript.feed_text("one **two")
        await drawn(pilot)
        await pilot.resize_terminal(50, 14)
        transcript.feed_text("** three")
        await drawn(pilot)
        assert "one two three" in app.text()


async def test_items_can_be_replaced_and_cut_off() -> None:
    async with shown(*talk(10)) as (app, transcript, pilot):
        transcript.replace(19, ReplyItem("another answer"))
        await drawn(pilot)
        assert "another answer" in app.text()
        transcript.truncate(18)
        await drawn(pilot)
        assert "footer 8" in app.text()
        assert "question 9" not in app.text()
        transcript.truncate(0)
        await drawn(pilot)
        assert not app.text().strip()
        assert transcript.append(UserItem("again")) == 0
        await drawn(pilot)
        assert "▎ again" in app.text()


async def test_what_is_not_sent_stands_dimmed_above_a_rule() -> None:
    async with shown(*talk(3), size=(80, 30)) as (app, transcript, pilot):
        transcript.set_sent_border(2, "above: not sent any more (1 round, 12 tokens)")
        await drawn(pilot)
        lines = app.lines()
        rule = next(number for number, line in enumerate(lines) if "┄ above: not sent any more" in line)
        assert rule < next(number for number, line in enumerate(lines) if "question 1" in line)
        assert transcript._document.is_unsent(1)
        assert not transcript._document.is_unsent(2)
        transcript.set_sent_border(None, "")
        await drawn(pilot)
        assert "┄" not in app.text()


async def test_the_border_keeps_the_reading_place() -> None:
    async with shown(*talk(40)) as (app, transcript, pilot):
        await pilot.press("pageup", "pageup")
        await drawn(pilot)
        before = app.lines()
        transcript.set_sent_border(4, "above")
        await drawn(pilot)
        assert app.lines() == before


async def test_frames_are_skipped_while_the_terminal_is_slow() -> None:
    ready = False
    async with shown(*talk(2)) as (app, transcript, pilot):
        transcript.ready = lambda: ready
        transcript.open_reply("m")
        transcript.feed_text("late words")
        for _ in range(20):
            await pilot.pause()
        assert "late words" not in app.text()
        ready = True
        await until(pilot, lambda: "late words" in app.text())


async def test_another_palette_is_drawn_at_once_and_moves_nothing() -> None:
    async with shown(*talk(20)) as (app, transcript, pilot):
        await pilot.press("pageup")
        await drawn(pilot)
        before = app.lines()
        transcript.palette = Palette.from_colors(accent="red")
        await drawn(pilot)
        assert app.lines() == before
        transcript.palette = PALETTE


async def test_a_narrow_and_an_empty_transcript_draw() -> None:
    async with shown(size=(4, 3)) as (app, transcript, pilot):
        assert not app.text().strip()
        transcript.load([UserItem("hello"), MarkItem("mark"), ReplyItem("world", footer="a long footer")])
        await drawn(pilot)
        transcript.action_scroll_home()
        await drawn(pilot)
        assert transcript.virtual_size.height > 3
