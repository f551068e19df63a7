from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.attachment import ImageFile, Refusal, TextFile, blocks_of, composed, said
from qwentui.chat.image import Image
from qwentui.chat.message import Message, Part, Role

TEXTS = st.text() | st.text(st.sampled_from("`~ \na"), max_size=60)
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1)


@given(st.text(), st.lists(st.tuples(NAMES, TEXTS), max_size=4))
def test_whatever_a_file_holds_comes_back_whole(text: str, files: list[tuple[str, str]]) -> None:
    message = composed(text, [TextFile(name, content) for name, content in files])
    assert said(message) == text
    ended = [(n, t if t.endswith("\n") or not t else f"{t}\n") for n, t in files]
    assert [(block.name, block.text) for block in blocks_of(message)] == ended


@given(st.text(st.sampled_from("`\na "), max_size=40))
def test_a_reader_of_markdown_finds_the_end_where_it_is(text: str) -> None:
    fence = TextFile("x.md", text).block.partition("m")[0]
    lines = TextFile("x.md", text).block.split("\n")
    closing = [number for number, line in enumerate(lines) if line.strip().startswith(fence)]
    assert closing == [0, len(lines) - 1]


def test_the_block_names_the_file_and_its_language() -> None:
    message = composed("why?", [TextFile("src/a.py", "x = 1\n"), TextFile("LICENSE", "MIT")])
    assert message.content == "why?\n\n```python src/a.py\nx = 1\n```\n\n```text LICENSE\nMIT\n```"
    assert [part.source for part in message.parts] == ["file: src/a.py", "file: LICENSE"]


def test_without_words_the_files_stand_alone() -> None:
    message = composed("", [TextFile("a.txt", "x\n")])
    assert message.content == "```text a.txt\nx\n```"
    assert said(message) == ""


def test_images_go_beside_the_text_and_what_is_refused_does_not() -> None:
    image = Image(b"data", "image/png", 1, 1)
    message = composed("look", [Refusal("a", "It cannot."), ImageFile("b.png", image)])
    assert message == Message(Role.USER, "look", images=(image,))


@given(st.text(), st.lists(st.builds(Part, st.just("file: x"), st.integers(-9, 40), st.integers(-9, 40))))
def test_parts_from_elsewhere_do_no_harm(content: str, parts: list[Part]) -> None:
    message = Message(Role.USER, content, parts=tuple(parts))
    assert message.content.startswith(said(message))
    assert len(blocks_of(message)) <= len(parts)


@pytest.mark.parametrize(("text", "lines"), [("", 0), ("\n", 1), ("a", 1), ("a\nb", 2), ("a\nb\n", 2)])
def test_lines_are_counted_as_editors_do(text: str, lines: int) -> None:
    assert TextFile("x", text).lines == lines
