"""Other items in place of the last ones: what the reader is at stays where it is."""

from __future__ import annotations

import pytest
from tui.transcript.shown import drawn, shown

from qwentui.tui.transcript.items import Item, ReplyItem, UserItem


def _talk(name: str, rounds: int) -> list[Item]:
    items: list[Item] = []
    for number in range(rounds):
        items += [
            UserItem(f"{name} asks {number}"),
            ReplyItem(f"{name} says {number}\n\n" * (number % 4 + 1)),
        ]
    return items


@pytest.mark.parametrize("rounds", [1, 2, 12])
async def test_the_message_that_is_kept_stands_where_it_stood(rounds: int) -> None:
    async with shown(*_talk("one", 12), size=(60, 20)) as (app, transcript, pilot):
        await pilot.press("home")
        transcript.scroll_to(y=20)
        await drawn(pilot)
        at = next(number for number, row in enumerate(app.lines()) if "one asks" in row and number > 3)
        item = transcript.items.index(UserItem(app.lines()[at].strip(" ▎")))
        transcript.graft(item, _talk("other", rounds), (item, item))
        await drawn(pilot)
        if rounds == 12:
            assert "other asks 0" in app.lines()[at]
        # Where little follows, the end of the talk is the end of the window.
        assert "other asks 0" in app.text()
        assert transcript.at_cursor == item
        assert list(transcript.items) == [*_talk("one", 12)[:item], *_talk("other", rounds)]


async def test_a_message_that_was_out_of_sight_comes_to_the_top() -> None:
    async with shown(*_talk("one", 12), size=(60, 20)) as (app, transcript, pilot):
        assert "one asks 0" not in app.text()
        transcript.graft(0, _talk("other", 12), (0, 0))
        await drawn(pilot)
        assert "other asks 0" in "\n".join(app.lines()[:2])


async def test_without_a_message_to_keep_the_end_is_followed_on() -> None:
    async with shown(*_talk("one", 12), size=(60, 20)) as (app, transcript, pilot):
        transcript.graft(4, _talk("other", 12))
        await drawn(pilot)
        assert transcript.following
        assert "other says 11" in app.text()
        transcript.graft(0, ())
        await drawn(pilot)
        assert app.text().strip() == ""
        assert transcript.at_cursor is None
