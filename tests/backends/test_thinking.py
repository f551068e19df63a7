from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.backends.thinking import ThinkSplitter
from qwentui.chat.stream import TextDelta, ThinkingDelta

if TYPE_CHECKING:
    from collections.abc import Iterable

PIECES = st.sampled_from(["<think>", "</think>", "<", "</thi", "nk>", "\n", " ", "think", "a", "é", "<th"])


def split(pieces: Iterable[str]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    events += splitter.finish()
    assert all(event.text for event in events)
    thinking = "".join(event.text for event in events if isinstance(event, ThinkingDelta))
    return thinking, "".join(event.text for event in events if isinstance(event, TextDelta))


def reference(content: str) -> tuple[str, str]:
    """The rule in one expression, for content that is whole."""
    found = re.fullmatch(r"(?s)\s{0,64}<think>\s*(.*?)(?:</think>\s*(.*))?", content)
    if found:
        return found[1], found[2] or ""
    return "", re.sub(r"\A\s{0,64}</think>\s*", "", content)


@pytest.mark.parametrize(
    ("content", "thinking", "text"),
    [
        ("plain", "", "plain"),
        (" a space that belongs there", "", " a space that belongs there"),
        ("<think>so</think>\n\nanswer", "so", "answer"),
        ("\n<think>\nso\n</think>\n\nanswer", "so\n", "answer"),
        ("<think>\n\n</think>\n\nanswer", "", "answer"),
        ("</think>\n\nanswer", "", "answer"),
        ("<think>never closed", "never closed", ""),
        ("<think>cut in the tag</thi", "cut in the tag</thi", ""),
        ("<thin", "", "<thin"),
        ("<thinker>", "", "<thinker>"),
        ("The tag <think> opens, </think> closes.", "", "The tag <think> opens, </think> closes."),
        ("<think>a</think>b<think>c</think>", "a", "b<think>c</think>"),
        (" " * 65 + "<think>x", "", " " * 65 + "<think>x"),
        ("", "", ""),
        ("\n \n", "", "\n \n"),
    ],
)
def test_tags_at_the_beginning_split_the_content(content: str, thinking: str, text: str) -> None:
    assert split([content]) == (thinking, text)
    assert split(content) == (thinking, text)


@given(st.lists(PIECES), st.data())
def test_the_cuts_change_nothing(pieces: list[str], data: st.DataObject) -> None:
    content = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    cut = [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    assert split(cut) == reference(content)


def test_text_is_held_back_only_while_it_may_be_a_tag() -> None:
    splitter = ThinkSplitter()
    assert list(splitter.feed("\n<thi")) == []
    assert list(splitter.feed("s")) == [TextDelta("\n<this")]
    assert list(splitter.feed("<")) == [TextDelta("<")]
