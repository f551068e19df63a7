"""The files that a text names with `@path`, or a command line with `--file`: read, decoded, or refused.

Nothing here waits for a device or a pipe, and a refusal is a value with a sentence, for others may still go.
Text is UTF-8, UTF-16 with a byte order mark, or GB18030 where that gives Chinese. Images are told by their
first bytes. A folder that does not answer, such as one of a dead network mount, does block: call from a
thread.
"""

from __future__ import annotations

import os
import stat
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from qwentui.chat.attachment import Attachment, ImageFile, Refusal, TextFile
from qwentui.chat.image import image_of
from qwentui.chat.mentions import looks_like_path, mention_of, readings
from qwentui.chat.sanitize import sanitize_line, sanitize_whole
from qwentui.language import _, ngettext

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT_LIMIT = 1024 * 1024
"""Bytes of text. That is some 250,000 tokens, several times the context of any model for one GPU."""
IMAGE_LIMIT = 20 * 1024 * 1024
"""Bytes of an image. It goes out again with each request of its chat, as base64 a third longer; models scale
images to a few megapixels anyway."""

_LISTED = 2_000
_HEAD = 32


class _Signature(NamedTuple):
    """What changes when a file does."""

    device: int
    inode: int
    size: int
    mtime: int


class AttachmentReader:
    """Reads the files that texts name, and keeps what it read until a file changes or is named no more.

    Args:
        folder: Where relative paths begin; None is the working directory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[_Signature, Attachment]] = {}

    def named_in(self, text: str) -> tuple[Attachment, ...]:
        """What the `@path`s in `text` name, in order, each file once.

        A word behind an `@` that names nothing on the disk is no attachment, unless it looks like a path.
        """
        found = _Found()
        # Pasted code may hold one word many times.
        status = cache(self._status)
        for place, choices in readings(text):
            if place < found.reached:
                continue
            reading = next((choice for choice in choices if status(choice.path) is not None), None)
            if reading is not None:
                found.add(self._path(reading.path), self._read(reading.path), reading.end)
            elif looks_like_path(choices[-1].path):
                path = choices[-1].path
                found.add(self._path(path), self._missing(path), choices[-1].end)
        self._kept = {key: kept for key, kept in self._kept.items() if key in found.attachments}
        return tuple(found.attachments.values())

    def read(self, path: str) -> Attachment:
        """The file at `path`, which need not look like one."""
        return self._missing(path) if self._status(path) is None else self._read(path)

    def _path(self, path: str) -> str:
        # A home that nobody has leaves the path as it is.
        expanded = os.path.expanduser(path)  # noqa: PTH111 - Path.expanduser raises where there is none
        return str((self._folder or Path()) / expanded)

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(self._path(path))  # noqa: PTH116 - a path that is no Path yet
        except PermissionError:
            # It may be there; opening it says why not.
            return os.stat_result((stat.S_IFREG, *(0,) * 9))
        except (OSError, ValueError):
            return None

    def _read(self, path: str) -> Attachment:
        name, full, status = sanitize_line(path), self._path(path), self._status(path)
        if status is None:
            return self._missing(path)
        if stat.S_ISDIR(status.st_mode):
            return Refusal(name, _folder(name, path, full))
        if not stat.S_ISREG(status.st_mode):
            return Refusal(name, _("{name} is a device or a pipe, not a file.").format(name=name))
        signature = _Signature(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        kept = self._kept.get(full)
        if kept is not None and kept[0] == signature and kept[1].name == name:
            return kept[1]
        attachment = _opened(name, full)
        self._kept[full] = signature, attachment
        return attachment

    def _missing(self, path: str) -> Refusal:
        name = sanitize_line(path)
        near = _nearest(path, self._path(path))
        if near:
            reason = _("There is no file {name}; {near} comes closest.").format(name=name, near=near)
        else:
            reason = _("There is no file {name}.").format(name=name)
        return Refusal(name, reason, missing=True)


class _Found:
    """The attachments of one text, each by the place of its file, and how far the text has been read."""

    def __init__(self) -> None:
        self.attachments: dict[str, Attachment] = {}
        self.reached = 0

    def add(self, path: str, attachment: Attachment, end: int) -> None:
        """One more; a file that is named again goes once."""
        self.attachments.setdefault(path, attachment)
        self.reached = end


def _opened(name: str, full: str) -> Attachment:
    """The regular file at `full`, read to its end or to the limit of its kind."""
    try:
        # What was a file a moment ago may be a pipe now.
        descriptor = os.open(full, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return Refusal(name, _("{name} is a device or a pipe, not a file.").format(name=name))
            head = file.read(_HEAD)
            limit = TEXT_LIMIT if image_of(head) is None else IMAGE_LIMIT
            data = head + file.read(limit + 1 - len(head))
            size = max(len(data), os.fstat(descriptor).st_size)
    except OSError as error:
        reason = _("{name} cannot be read: {why}.").format(name=name, why=error.strerror or error)
        return Refusal(name, reason)
    image = image_of(data)
    if len(data) > limit:
        return Refusal(name, _too_large(name, size, limit, is_image=image is not None))
    return _text(name, data) if image is None else ImageFile(name, image)


def _text(name: str, data: bytes) -> Attachment:
    text = _decoded(data)
    if text is None:
        reason = _(
            "{name} is no text in UTF-8, UTF-16 or GB18030, and no image; iconv makes UTF-8 of other text."
        ).format(name=name)
        return Refusal(name, reason)
    safe, removed = sanitize_whole(text.replace("\r\n", "\n").replace("\r", "\n"))
    return TextFile(name, safe, removed)


def _decoded(data: bytes) -> str | None:
    """`data` as text; None where it is none, or in an encoding that would be a guess."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        codecs = ["utf-16"]
    elif b"\0" in data:
        return None
    else:
        codecs = ["utf-8-sig", "gb18030"]
    for codec in codecs:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and (codec != "gb18030" or _is_chinese(text)):
            return text
    return None


def _is_chinese(text: str) -> bool:
    """Whether what is not ASCII in `text` is mostly common Chinese: GB 2312's first level and punctuation.

    Almost any pair of bytes is a character of GB18030, but few pairs of another encoding are a common one.
    """
    wide = [character for character in text if not character.isascii()]
    common = sum(_is_common(character) for character in wide)
    return common * 10 >= len(wide) * 8


def _is_common(character: str) -> bool:
    first = character.encode("gb2312", "replace")[0]
    return 0xB0 <= first <= 0xD7 or first in (0xA1, 0xA3)  # noqa: PLR2004 - rows 16 to 55, 1 and 3


def _too_large(name: str, size: int, limit: int, *, is_image: bool) -> str:
    sizes = {"name": name, "size": f"{size / 1e6:,.1f}", "limit": f"{limit // 2**20}"}
    if is_image:
        return _("{name} has {size} MB; an image may have {limit}.").format(**sizes)
    return _("{name} has {size} MB; a text may have {limit}, which is more than any context holds.").format(
        **sizes
    )


def _folder(name: str, path: str, full: str) -> str:
    if not os.access(full, os.R_OK | os.X_OK):
        return _("{name} is a folder that you may not read.").format(name=name)
    names = [entry.name for entry in _entries(full) if not entry.name.startswith(".") and _is_file(entry)]
    if not names:
        return _("{name} is a folder without files.").format(name=name)
    example = sanitize_line(mention_of(f"{path.rstrip('/')}/{min(names)}"))
    return ngettext(
        "{name} is a folder with {count} file; name the file: {example}",
        "{name} is a folder with {count} files; name one of them, such as {example}",
        len(names),
    ).format(name=name, count=len(names), example=example)


def _nearest(path: str, full: str) -> str:
    """The name in the folder of `full` that is most like its own, as a path like `path`; "" where none is."""
    from difflib import get_close_matches

    folder, wanted = os.path.split(full)
    names = [entry.name for entry in _entries(folder or ".")]
    [near] = get_close_matches(wanted, names, 1) or [""]
    return sanitize_line(path[: len(path) - len(os.path.basename(path))] + near) if near else ""  # noqa: PTH119 - text


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """The first entries of a folder; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            for _number, entry in zip(range(_LISTED), entries, strict=False):
                yield entry
    except (OSError, ValueError):
        return
