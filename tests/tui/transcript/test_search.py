"""Searching: marks, counting, going from match to match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.transcript.shown import Shown, drawn, shown

from qwentui.tui.transcript.items import ReplyItem, UserItem
from qwentui.tui.transcript.view import Transcript

if TYPE_CHECKING:
    from textual.strip import Strip


def marked(app: Shown) -> list[str]:
    """The text drawn in reverse, a piece a segment."""
    strips: list[Strip] = app.screen._compositor.render_strips()
    return [part.text for strip in strips for part in strip if part.style is not None and part.style.reverse]


def told(app: Shown) -> tuple[int, int, bool]:
    message = [message for message in app.heard if isinstance(message, Transcript.SearchChanged)][-1]
    return message.ordinal, message.count, message.complete


CHAT = [
    item
    for number in range(40)
    for item in (UserItem(f"ask {number}"), ReplyItem(f"reply *nee*dle {number}"))
]


async def test_matches_are_marked_and_counted_through_emphasis() -> None:
    async with shown(*CHAT) as (app, transcript, pilot):
        transcript.search("needle")
        await drawn(pilot)
        assert "".join(marked(app)).startswith("needle")
        assert told(app) == (40, 40, True)


async def test_next_and_previous_go_around_the_ends() -> None:
    async with shown(*CHAT) as (app, transcript, pilot):
        transcript.search("NEEDLE")
        transcript.action_search_next()
        await drawn(pilot)
        assert told(app)[0] == 1
        assert "reply needle 0" in app.text()
        transcript.action_search_next()
        transcript.action_search_next()
        transcript.action_search_previous()
        await drawn(pilot)
        assert told(app)[0] == 2
        transcript.action_search_previous()
        transcript.action_search_previous()
        await drawn(pilot)
        assert told(app)[0] == 40
        assert "reply needle 39" in app.text()


async def test_a_match_is_found_across_a_wrap() -> None:
    text = "word " * 30 + "两个字的词语在这里" * 10
    async with shown(UserItem(text), ReplyItem(text), size=(31, 40)) as (app, transcript, pilot):
        transcript.search("word word word")
        await drawn(pilot)
        assert told(app)[1] == 20
        transcript.search("在这里两个字")
        await drawn(pilot)
        assert told(app)[1] == 18


async def test_several_matches_in_one_message_are_visited_one_by_one() -> None:
    lines = "\n\n".join(f"needle {number}" if number % 20 == 0 else f"line {number}" for number in range(200))
    async with shown(ReplyItem(lines)) as (app, transcript, pilot):
        transcript.action_scroll_home()
        transcript.search("needle")
        await drawn(pilot)
        for number in range(10):
            assert f"needle {number * 20}" in app.text()
            assert told(app)[:2] == (number + 1, 10)
            transcript.action_search_next()
            await drawn(pilot)


async def test_a_reply_that_streams_is_marked_too() -> None:
    async with shown(*CHAT[:4]) as (app, transcript, pilot):
        transcript.search("fresh")
        transcript.open_reply("m")
        transcript.feed_text("some fresh text")
        await drawn(pilot)
        assert marked(app) == ["fresh"]


async def test_the_search_ends_and_its_marks_go() -> None:
    async with shown(*CHAT) as (app, transcript, pilot):
        transcript.search("reply")
        await drawn(pilot)
        assert marked(app)
        transcript.action_dismiss()
        await drawn(pilot)
        assert not marked(app)
        assert told(app) == (0, 0, True)


async def test_nothing_is_found_where_there_is_nothing() -> None:
    async with shown(*CHAT) as (app, transcript, pilot):
        before = app.lines()
        transcript.search("haystack")
        transcript.action_search_next()
        await drawn(pilot)
        assert told(app) == (0, 0, True)
        assert app.lines() == before
