"""The window's rules, without a screen: what is read stays, what is in view is laid out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tui.transcript.shown import PALETTE

from qwentui.tui.transcript.document import Document
from qwentui.tui.transcript.items import Item, NoticeItem, ReplyItem, UserItem
from qwentui.tui.transcript.plain import text_of
from qwentui.tui.transcript.reply import LiveReply
from qwentui.tui.transcript.window import Window

WIDTH, HEIGHT = 30, 12


def reply(number: int, size: int) -> ReplyItem:
    words = " ".join(f"w{number}.{part}" for part in range(size))
    return ReplyItem(words, thinking="a thought\n\n" * (number % 4), footer="f" * (number % 3))


def window_on(sizes: list[int]) -> Window:
    document = Document(PALETTE)
    items: list[Item] = []
    for number, size in enumerate(sizes):
        items += [UserItem(f"ask {number}"), reply(number, size)]
    document.load(items)
    document.lay_out(WIDTH, PALETTE)
    window = Window(document)
    window.resize(HEIGHT)
    window.to_end()
    return window


def rows(window: Window) -> list[str]:
    heights = window.document.heights
    places = (heights.find(y) for y in range(window.top, min(window.top + HEIGHT, heights.total)))
    texts = [text_of(window.document.line(*place).row) for place in places]
    return texts + [""] * (HEIGHT - len(texts))


def change(window: Window, kind: str, number: int) -> None:
    """Change the document above or below the reader, not where he reads."""
    document = window.document
    above, below = window.seen.start, window.seen.stop
    if kind == "append":
        document.append(NoticeItem(f"notice {number}"))
    elif kind == "stream":
        if document.live is None:
            document.append(LiveReply("m"))
        document.feed_text(f"text {number}\n\n" * (number % 5))
        document.step(document.live or 0, 0.0)
    elif kind == "replace above" and above > 0:
        document.replace(number % above, reply(number, number))
    elif kind == "replace below" and below < len(document.items) and document.live is None:
        document.replace(below + number % (len(document.items) - below), reply(number, number))
    elif kind == "fold above" and above > 0:
        index = number % above
        document.folds(index).thinking_open ^= True
        document.refold(index)
    elif kind == "border" and above > 0:
        document.set_border(number % above, "above")


CHANGES = st.tuples(
    st.sampled_from(["append", "stream", "replace above", "replace below", "fold above", "border"]),
    st.integers(0, 200),
)


@given(
    st.lists(st.integers(0, 150), min_size=8, max_size=20),
    st.integers(13, 60),
    st.lists(CHANGES, max_size=15),
)
@settings(deadline=None)
def test_what_is_read_stays_whatever_changes_around_it(
    sizes: list[int], back: int, changes: list[tuple[str, int]]
) -> None:
    window = window_on(sizes)
    window.scroll(window.top - back)
    if window.following:
        return
    before = rows(window)
    name = window.top - window.shift
    for kind, number in changes:
        with window.steady():
            change(window, kind, number)
        stays = min(len(before), len(rows(window)))
        assert rows(window)[: stays - 1] == before[: stays - 1]
        assert window.top - window.shift == name


@given(st.lists(st.integers(0, 150), min_size=8, max_size=20), st.lists(CHANGES, max_size=15))
@settings(deadline=None)
def test_at_the_end_the_end_is_followed(sizes: list[int], changes: list[tuple[str, int]]) -> None:
    window = window_on(sizes)
    for kind, number in changes:
        with window.steady():
            change(window, kind, number)
        assert window.following
        assert window.top == window.end


@given(st.lists(st.integers(0, 150), min_size=8, max_size=30), st.lists(st.integers(-30, 30), max_size=20))
@settings(deadline=None)
def test_scrolling_moves_by_the_rows_asked_for_and_lays_out_what_comes_into_view(
    sizes: list[int], steps: list[int]
) -> None:
    window = window_on(sizes)
    for step in steps:
        before, top = rows(window), window.top
        target = min(max(top + step, 0), window.end)
        window.scroll(target)
        document = window.document
        assert all(document.body(index) is not None for index in window.seen)
        assert 0 <= window.top <= window.end
        moved = target - top
        if -HEIGHT < moved <= 0 and window.top > 0 and not window.following:
            assert rows(window)[-moved:] == before[: len(before) + moved]
        if 0 < moved < HEIGHT and not window.following:
            assert rows(window)[: len(before) - moved] == before[moved:]


@given(
    st.lists(st.integers(10, 150), min_size=8, max_size=20),
    st.integers(13, 80),
    st.lists(st.integers(12, 60), min_size=1, max_size=4),
)
@settings(deadline=None)
def test_changes_of_width_keep_the_words_at_the_top(sizes: list[int], back: int, widths: list[int]) -> None:
    window = window_on(sizes)
    window.scroll(window.top - back)
    if window.following:
        return
    for width in widths:
        words = next((row.split() for row in rows(window) if row.strip()), [])
        window.lay_out(width, PALETTE)
        if words and not window.following:
            near = " ".join(rows(window)[:4]).split()
            assert any(word in near or any(word.startswith(part) for part in near) for word in words)
