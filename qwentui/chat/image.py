"""Images that go to a model with a message: which kind some bytes are, and how large, told by the bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Size = tuple[int, int]

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset(range(0xD0, 0xDA)) | {0x01}
_MARKER = 0xFF


@dataclass(frozen=True, slots=True)
class Image:
    """An image as a file holds it; `width` and `height` in pixels, 0 where the bytes do not tell.

    `media_type` is its IANA name (`image/png`).
    """

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int

    @property
    def base64(self) -> str:
        """The data as both protocols carry it."""
        from base64 import b64encode

        return b64encode(self.data).decode()

    @property
    def url(self) -> str:
        """The image as a data URL (RFC 2397)."""
        return f"data:{self.media_type};base64,{self.base64}"


def image_of(data: bytes) -> Image | None:
    """The image that `data` is: PNG, JPEG, GIF or WebP by its first bytes, whatever its name; else None."""
    kind = _kind(data)
    if kind is None:
        return None
    media_type, size = kind
    try:
        width, height = size(data)
    except (struct.error, IndexError):
        width = height = 0
    return Image(data, media_type, width, height)


def _kind(data: bytes) -> tuple[str, Callable[[bytes], Size]] | None:
    if data.startswith(_PNG):
        return "image/png", _png_size
    if data.startswith(_JPEG):
        return "image/jpeg", _jpeg_size
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif", _gif_size
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp", _webp_size
    return None


def _png_size(data: bytes) -> Size:
    """IHDR comes first (PNG specification, 11.2.2)."""
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _gif_size(data: bytes) -> Size:
    """The logical screen (GIF89a, 18)."""
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _jpeg_size(data: bytes) -> Size:
    """The first frame header among the segments (ITU-T T.81, B.2.2); pictures in EXIF lie inside theirs."""
    place = 2
    while data[place] == _MARKER:
        marker = data[place + 1]
        if marker == _MARKER:
            place += 1
        elif marker in _WITHOUT_LENGTH:
            place += 2
        elif marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        else:
            place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    return 0, 0


def _webp_size(data: bytes) -> Size:
    """The first chunk, one of three kinds (RFC 9649)."""
    match data[12:16]:
        case b"VP8X":
            low = data[24:30]
            return 1 + int.from_bytes(low[:3], "little"), 1 + int.from_bytes(low[3:6], "little")
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    return 0, 0
