from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import gif, jpeg, png, webp

from qwentui.chat.image import image_of
from qwentui.chat.message import Message, Role, openai_content

SIZES = st.integers(1, 16_383)


@given(SIZES, SIZES, st.sampled_from([b"VP8 ", b"VP8L", b"VP8X"]))
def test_the_size_is_told_by_the_bytes(width: int, height: int, kind: bytes) -> None:
    files = {
        "image/jpeg": jpeg(width, height),
        "image/gif": gif(width, height),
        "image/webp": webp(kind, width, height),
    }
    for media_type, data in files.items():
        image = image_of(data)
        assert (image.media_type, image.width, image.height) == (media_type, width, height)


def test_a_png_is_one_whatever_its_name() -> None:
    image = image_of(png(640, 480))
    assert (image.media_type, image.width, image.height) == ("image/png", 640, 480)


@given(st.sampled_from([png(), jpeg(9, 9), gif(9, 9), webp(b"VP8X", 9, 9)]), st.integers(0, 40), st.binary())
def test_a_damaged_image_is_none_or_of_some_size(data: bytes, cut: int, rest: bytes) -> None:
    image = image_of(data[:cut] + rest)
    assert image is None or (image.width >= 0 and image.height >= 0)


@pytest.mark.parametrize("data", [b"", b"\x89PNG", b"GIF", b"%PDF-1.7", b"BM", b"RIFF0000WAVE", b"text"])
def test_other_bytes_are_no_image(data: bytes) -> None:
    assert image_of(data) is None


def test_in_openai_s_form_the_content_becomes_parts() -> None:
    image = image_of(gif(2, 1))
    url = f"data:image/gif;base64,{image.base64}"
    shown = [{"type": "image_url", "image_url": {"url": url}}]
    assert openai_content(Message(Role.USER, "x")) == "x"
    assert openai_content(Message(Role.USER, "", images=(image,))) == shown
    assert openai_content(Message(Role.USER, "x", images=(image,))) == [{"type": "text", "text": "x"}, *shown]
