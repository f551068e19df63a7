"""A guess at the tokens of text for which no vocabulary is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.chat.image import Image

_IDEOGRAPHS = re.compile(
    "[\u2e80-\u9fff\ua000-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_LATIN = re.compile(r"[\x00-\u024f]")

_PER_IDEOGRAPH = 0.65
_PER_LATIN = 0.25
_PER_OTHER = 0.8

MESSAGE_OVERHEAD = 5
"""Tokens that ChatML puts around the text of a message."""
REPLY_OVERHEAD = 3
"""Tokens that open the reply."""


_PIXELS_PER_TOKEN = 28 * 28
_MOST_IMAGE_TOKENS = 4_096
_UNKNOWN_IMAGE_TOKENS = 1_000


def image_tokens(images: Sequence[Image]) -> int:
    """About how many tokens images take: one for 28 by 28 pixels, as with Qwen2.5-VL.

    Other models differ; Gemma 3 takes 256 for any image.
    """
    return sum(
        min(-(-image.width * image.height // _PIXELS_PER_TOKEN), _MOST_IMAGE_TOKENS) or _UNKNOWN_IMAGE_TOKENS
        for image in images
    )


def estimated(text: str) -> float:
    """About how many tokens `text` has, by the kinds of its characters.

    Measured on Qwen3's vocabulary: 1.56 Chinese characters a token, 4.7 English and 3.5 of source code;
    vocabularies of before 2023 need more for Chinese.
    """
    ideographs = len(text) - len(_IDEOGRAPHS.sub("", text))
    latin = len(text) - len(_LATIN.sub("", text))
    return _PER_IDEOGRAPH * ideographs + _PER_LATIN * latin + _PER_OTHER * (len(text) - ideographs - latin)
