"""Each kind of item, folding, and text that means harm."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tui.transcript.shown import PALETTE, drawn, shown

from qwentui.tui.transcript.document import Document
from qwentui.tui.transcript.items import Item, MarkItem, NoticeItem, ReplyItem, UserItem
from qwentui.tui.transcript.plain import PlainFlow, text_of
from qwentui.tui.transcript.reply import LiveReply
from qwentui.tui.transcript.wrap import row_cells

CODE = "```python\n" + "".join(f"line_{number} = {number}\n" for number in range(60)) + "```"
HOSTILE = (
    "".join(map(chr, range(1, 0x20)))
    + "".join(map(chr, range(0x7F, 0xA0)))
    + "\x1b]52;c;aGk=\x07\x1b[2J\x1bP1$r\x1b\\\x9b31m\u202eevil\u2066\u200b\ufeff\u2028\U000e0041[red]x[/red][@click=app.quit]y[/]"
)
FORBIDDEN = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))} | set(
    "\u202e\u2066\u200b\ufeff\u2028\U000e0041"
)


async def test_each_kind_of_item_has_its_own_look() -> None:
    items = (
        UserItem("a question"),
        ReplyItem("an *answer*", "hm", 3.14, 142, "218 tok · stop", "qwen3"),
        NoticeItem("something went wrong", "error"),
        NoticeItem("take care", "warning"),
        NoticeItem("for your interest"),
        MarkItem("a mark"),
        UserItem("asked otherwise", "<2/3>"),
    )
    async with shown(*items, size=(60, 20)) as (app, _, _pilot):
        lines = [line for line in app.lines() if line]
        assert lines[0] == " ▎ a question"
        assert lines[1] == "   ▸ thought 3.1 s, 142 tokens"
        assert lines[2] == "   an answer"
        assert lines[3] == "qwen3 · 218 tok · stop".rjust(59)
        assert lines[4] == "   ✗ something went wrong"
        assert lines[5] == "   ! take care"
        assert lines[6] == "   · for your interest"
        assert lines[7].strip("┄ ") == "a mark"
        assert lines[8] == " ▎ asked otherwise"
        assert lines[9] == " ▎ " + "<2/3>".rjust(56)


@pytest.mark.parametrize(
    "item",
    [
        UserItem(HOSTILE, HOSTILE),
        ReplyItem(HOSTILE, HOSTILE, 1.0, 1, HOSTILE, HOSTILE),
        NoticeItem(HOSTILE, "error"),
        MarkItem(HOSTILE),
    ],
    ids=lambda item: type(item).__name__,
)
async def test_no_item_draws_a_character_that_a_terminal_obeys(item: Item) -> None:
    async with shown(item, size=(60, 60)) as (app, transcript, pilot):
        transcript.action_toggle_fold()
        transcript.set_sent_border(0, HOSTILE)
        await drawn(pilot)
        drawn_text = "".join(app.lines())
        assert not FORBIDDEN & set(drawn_text)
        assert "evil" in drawn_text or isinstance(item, MarkItem)


async def test_a_live_reply_draws_no_character_that_a_terminal_obeys() -> None:
    async with shown(size=(60, 40)) as (app, transcript, pilot):
        transcript.open_reply(HOSTILE)
        for character in HOSTILE:
            transcript.feed_thinking(character)
        await drawn(pilot)
        assert not FORBIDDEN & set("".join(app.lines()))
        transcript.set_status(HOSTILE)
        for character in HOSTILE:
            transcript.feed_text(character)
        await drawn(pilot)
        assert not FORBIDDEN & set("".join(app.lines()))
        assert "[@click=app.quit]" in app.text().replace("\n", "")


async def test_the_footer_says_how_much_was_removed() -> None:
    async with shown(ReplyItem("a\u202eb\x1bc"), ReplyItem("d\u202ee")) as (app, _, _pilot):
        assert "2 unsafe characters removed" in app.text()
        assert "1 unsafe character removed" in app.text()


async def test_thinking_is_folded_and_unfolds_by_key_and_by_click() -> None:
    reply = ReplyItem("the answer", "first thought\n\nsecond thought", 3.1, 142)
    async with shown(UserItem("q"), reply) as (app, transcript, pilot):
        assert "second thought" not in app.text()
        transcript.action_toggle_fold()
        await drawn(pilot)
        assert "▾ thought 3.1 s, 142 tokens" in app.text()
        assert "     second thought" in app.lines()
        row = next(number for number, line in enumerate(app.lines()) if "▾ thought" in line)
        await pilot.click(transcript, offset=(8, row))
        await drawn(pilot)
        assert "▸ thought 3.1 s, 142 tokens" in app.text()
        assert "second thought" not in app.text()


async def test_unfolding_above_keeps_the_reading_place() -> None:
    thinking = "\n\n".join(f"thought {number}" for number in range(50))
    reply = ReplyItem("\n\n".join(f"part {number}" for number in range(50)), thinking, 1.0)
    async with shown(UserItem("q"), reply) as (app, transcript, pilot):
        await pilot.press("pageup")
        await drawn(pilot)
        before = app.lines()
        transcript.action_toggle_fold()
        await drawn(pilot)
        assert app.lines() == before
        assert any("thought 49" in row for row in app.rows(1))


async def test_thinking_that_streams_shows_its_last_words() -> None:
    async with shown(UserItem("q")) as (app, transcript, pilot):
        transcript.open_reply("m")
        transcript.feed_thinking("first line\nthe second")
        transcript.feed_thinking(" line grows")
        await drawn(pilot)
        assert "▸ thinking 0 s …" in app.text()
        assert "     the second line grows" in app.lines()
        assert "first line" not in app.text()
        transcript.feed_text("answer")
        await drawn(pilot)
        assert "▸ thought 0." in app.text()
        assert "the second line grows" not in app.text()
        transcript.close_reply(ReplyItem("answer", "first line\nthe second line grows", 2.0, 9, "9 tok", "m"))
        await drawn(pilot)
        assert "▸ thought 2.0 s, 9 tokens" in app.text()
        assert "m · 9 tok" in app.text()


async def test_thinking_can_be_read_while_it_streams() -> None:
    async with shown(UserItem("q")) as (app, transcript, pilot):
        transcript.open_reply("m")
        transcript.feed_thinking("first line\n\n")
        transcript.action_toggle_fold()
        transcript.feed_thinking("second *line*")
        await drawn(pilot)
        assert "     first line" in app.lines()
        assert "     second line" in app.lines()


async def test_a_long_code_block_folds_and_unfolds() -> None:
    async with shown(UserItem("q"), ReplyItem(f"before\n\n{CODE}\n\nafter")) as (app, transcript, pilot):
        whole = app.rows(1)
        transcript.action_next_block()
        transcript.action_toggle_fold()
        await drawn(pilot)
        folded = app.rows(1)
        assert len(folded) < 20
        assert any("▸ " in row and "more rows" in row for row in folded)
        assert any("line_0" in row for row in folded)
        assert "after" in app.text()
        row = next(number for number, line in enumerate(app.lines()) if "more rows" in line)
        await pilot.click(transcript, offset=(6, row))
        await drawn(pilot)
        assert app.rows(1) == whole


async def test_a_short_code_block_does_not_fold() -> None:
    async with shown(ReplyItem("```\nshort\n```")) as (app, transcript, pilot):
        before = app.rows(0)
        transcript.action_next_block()
        transcript.action_toggle_fold()
        await drawn(pilot)
        assert app.rows(0) == before


async def test_the_status_stands_at_the_right_of_the_reply_s_last_row() -> None:
    async with shown(UserItem("q")) as (app, transcript, pilot):
        transcript.open_reply("m")
        transcript.feed_text("answer")
        transcript.set_status("answering 2.4 s · esc stops")
        await drawn(pilot)
        assert app.lines()[4] == "answering 2.4 s · esc stops".rjust(59)
        transcript.close_reply(ReplyItem("answer", footer="1 tok"))
        await drawn(pilot)
        assert "esc stops" not in app.text()


async def test_code_that_streams_waits_for_its_language_and_is_drawn() -> None:
    async with shown(UserItem("q")) as (app, transcript, pilot):
        transcript.open_reply("m")
        for character in "```brainfuck\n+++\n```\n\nand on":
            transcript.feed_text(character)
        assert transcript._loading
        await drawn(pilot)
        assert "+++" in app.text()
        assert "and on" in app.text()


async def test_only_one_reply_can_be_open() -> None:
    async with shown() as (_, transcript, _pilot):
        with pytest.raises(LookupError):
            transcript.feed_text("to whom?")
        transcript.open_reply("m")
        with pytest.raises(RuntimeError):
            transcript.open_reply("n")


@pytest.mark.parametrize("final", ["streamed", "corrected"])
async def test_a_closed_reply_shows_what_it_was_closed_with(final: str) -> None:
    async with shown() as (app, transcript, pilot):
        transcript.open_reply("m")
        transcript.feed_text("streamed")
        transcript.close_reply(ReplyItem(final))
        await drawn(pilot)
        assert app.text().strip() == final


TEXT = st.text(st.sampled_from(list("ab *_`~#>-1.|\n\n订é🙂[]()<&;")), max_size=200)


@given(TEXT, TEXT, st.lists(st.integers(0, 200), max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_streamed_reply_ends_as_a_loaded_one(content: str, thinking: str, cuts: list[int]) -> None:
    item = ReplyItem(content, thinking, 1.0, 2, "footer", "m")
    streamed, loaded = Document(PALETTE), Document(PALETTE)
    streamed.load([])
    streamed.lay_out(40, PALETTE)
    loaded.load([item])
    loaded.lay_out(40, PALETTE)
    streamed.append(LiveReply("m"))
    streamed.folds(0).thinking_open = loaded.folds(0).thinking_open = True
    edges = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    streamed.feed_thinking(thinking)
    for start, end in pairwise(edges):
        streamed.feed_text(content[start:end])
        streamed.step(0, 0.0)
    streamed.close(item)
    bodies = [document.finish(0) for document in (streamed, loaded)]
    rows = [[body.line(row) for row in range(body.height)] for body in bodies]
    assert rows[0] == rows[1]
    assert streamed.heights.total == loaded.heights.total == len(rows[0])


@given(st.text(st.sampled_from(list("ab  \n订é🙂,(")), max_size=120), st.integers(2, 30))
def test_plain_rows_and_their_joints_make_up_the_text(text: str, width: int) -> None:
    flow = PlainFlow(width, PALETTE.text)
    flow.feed(text)
    flow.close()
    whole = "".join(joint + text_of(row) for joint, row in zip(flow.joints, flow.rows, strict=True))
    lines = [line.rstrip(" ") for line in text.split("\n")]
    assert [line.rstrip(" ") for line in whole[1:].split("\n")] == lines
    assert all(row_cells(row) <= width for row in flow.rows)


def test_a_line_without_end_is_laid_out_while_it_arrives() -> None:
    whole, pieces = PlainFlow(40, PALETTE.text), PlainFlow(40, PALETTE.text)
    text = "several words without a break " * 600
    whole.feed(text)
    whole.close()
    for start in range(0, len(text), 1_000):
        pieces.feed(text[start : start + 1_000])
        pieces.render()
    assert len(pieces.rows) > 200
    pieces.close()
    assert pieces.rows == whole.rows
    assert pieces.joints == whole.joints
