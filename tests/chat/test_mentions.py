from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.mentions import looks_like_path, mention_of, readings, typed


def _paths(text: str) -> list[list[str]]:
    return [[reading.path for reading in found] for _, found in readings(text)]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("look at @notes.md", [["notes.md"]]),
        ("@a.py and @b.py", [["a.py"], ["b.py"]]),
        ("see (@notes.md)", [["notes.md)", "notes.md"]]),
        ("what is in @notes.md?", [["notes.md?", "notes.md"]]),
        ("@src/my\\ notes.md now", [["src/my notes.md"]]),
        ('@"my notes.md", please', [["my notes.md"]]),
        ('@"a \\"b\\".md"', [['a "b".md']]),
        ("@'it is.md'", [["it is.md"]]),
        ("请看@笔记.md，总结一下", [["笔记.md，总结一下", "笔记.md"]]),
        ("把@notes.md的内容翻译", [["notes.md的内容翻译", "notes.md"]]),
        ("@~/x.txt", [["~/x.txt"]]),
        ("line\n@x", [["x"]]),
    ],
)
def test_where_a_file_may_be_meant(text: str, paths: list[list[str]]) -> None:
    assert _paths(text) == paths


@pytest.mark.parametrize(
    "text",
    [
        "me@example.org",
        "a@b",
        "@",
        "@ home",
        "50@2",
        "x/@y",
        '"@types/node": "1"',
        "from '@/a.js'",
        "a.b@c.d",
    ],
)
def test_what_is_no_mention(text: str) -> None:
    assert _paths(text) == []


@pytest.mark.parametrize(
    ("word", "is_path"),
    [
        ("src/app", True),
        ("notes.md", True),
        ("NOTES.MD", True),
        ("md", False),
        ("dataclass", False),
        ("pytest.mark.skip", False),
        ('app.get("/users")', False),
        ("https://example.org/a.md", False),
        ("alice", False),
        ("v1.2", False),
    ],
)
def test_only_what_looks_like_a_path_is_missed(word: str, is_path: bool) -> None:
    assert looks_like_path(word) is is_path


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\x85"), min_size=1)
)
def test_a_path_as_it_is_written_is_read_as_itself(path: str) -> None:
    written = mention_of(path)
    place, found = next(readings(f"see {written} there"))
    assert place == 4
    assert found[0].path == path
    assert found[0].end == 4 + len(written)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("@", (0, "")),
        ("see @src/a", (4, "src/a")),
        ('see @"my no', (4, "my no")),
        ("see @my\\ no", (4, "my no")),
        ("看@no", (1, "no")),
        ("me@no", None),
        ("@no more", None),
        ('@"done" ', None),
        ("none", None),
    ],
)
def test_what_is_being_written(line: str, found: tuple[int, str] | None) -> None:
    assert typed(line, len(line)) == found
