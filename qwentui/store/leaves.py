"""The rows of a SQLite file, read from its leaf pages without a way through its trees.

A page of a table that holds rows tells so itself and needs nothing else of the file: not the first page, not
the root, not the schema. So rows can be had from a file that SQLite refuses. Pages that the write-ahead log
replaces are taken from there. Stale rows do not turn up, for stores are written with `secure_delete`, which
blanks what is freed.

Source: "Database File Format", https://www.sqlite.org/fileformat2.html, sections 1.3, 1.5, 1.6, 2.1 and 4.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE_SIZE = 4096
"""Bytes in a page of a store; used where the file's own header cannot be believed."""

Value = int | float | str | bytes | None

_FILE_HEADER = 100
_PAGE_HEADER = 8
_LOG_HEADER = 32
_FRAME_HEADER = 24
_LEAF = 0x0D
_SMALLEST = 512
_INTEGER_SIZES = (0, 1, 2, 3, 4, 6, 8)
_REAL, _ZERO, _ONE, _BLOB = 7, 8, 9, 12


def rows(path: Path) -> Iterator[tuple[int, list[Value]]]:
    """Each row of each table, with its rowid, in the order of the pages.

    A row whose tail lies on a page that is gone ends in the middle of a text, and what follows is None.

    Raises:
        OSError: The file cannot be read.
    """
    with ExitStack() as files:
        pages = _Pages(files.enter_context(path.open("rb")))
        log = path.with_name(path.name + "-wal")
        if log.exists():
            pages.replace_from(files.enter_context(log.open("rb")))
        for number in range(1, pages.count + 1):
            yield from _leaf_rows(pages, number)


class _Pages:
    """The pages of a file, the log's versions first; numbers begin at 1."""

    def __init__(self, file: BinaryIO) -> None:
        header = file.read(_FILE_HEADER)
        size = int.from_bytes(header[16:18], "big")
        size = 65536 if size == 1 else size
        believable = header.startswith(b"SQLite format 3\0") and size >= _SMALLEST and not size & (size - 1)
        self.size = size if believable else PAGE_SIZE
        self.count = -(-file.seek(0, 2) // self.size)
        self._file = file
        self._log: BinaryIO | None = None
        self._frames: dict[int, int] = {}

    def replace_from(self, log: BinaryIO) -> None:
        """Take the pages of every committed transaction in the write-ahead log."""
        header = log.read(_LOG_HEADER)
        salts = header[16:24]
        self._log = log
        pending: dict[int, int] = {}
        while len(frame := log.read(_FRAME_HEADER)) == _FRAME_HEADER and frame[8:16] == salts:
            number, committed = int.from_bytes(frame[:4], "big"), any(frame[4:8])
            pending[number] = log.tell()
            if committed:
                self._frames |= pending
                self.count = max(self.count, *pending)
                pending = {}
            log.seek(self.size, 1)

    def page(self, number: int) -> bytes:
        """One page; empty where there is none."""
        if not 1 <= number <= self.count:
            return b""
        if self._log is not None and number in self._frames:
            self._log.seek(self._frames[number])
            return self._log.read(self.size)
        self._file.seek((number - 1) * self.size)
        return self._file.read(self.size)

    def chain(self, number: int, wanted: int) -> bytes:
        """Up to `wanted` bytes of the overflow chain that begins at page `number`."""
        parts: list[bytes] = []
        seen: set[int] = set()
        while wanted > 0 and number not in seen and (page := self.page(number)):
            seen.add(number)
            parts.append(page[4 : 4 + wanted])
            wanted -= len(parts[-1])
            number = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def _leaf_rows(pages: _Pages, number: int) -> Iterator[tuple[int, list[Value]]]:
    page = pages.page(number)
    start = _FILE_HEADER if number == 1 else 0
    if len(page) < start + _PAGE_HEADER or page[start] != _LEAF:
        return
    cells = int.from_bytes(page[start + 3 : start + 5], "big")
    first = start + _PAGE_HEADER
    for at in range(first, min(first + 2 * cells, len(page) - 1), 2):
        offset = int.from_bytes(page[at : at + 2], "big")
        if first <= offset < len(page):
            length, offset = _varint(page, offset)
            rowid, offset = _varint(page, offset)
            values = _record(_payload(pages, page, offset, length))
            if values and 0 < rowid < 1 << 63:
                yield rowid, values


def _payload(pages: _Pages, page: bytes, offset: int, length: int) -> bytes:
    most = pages.size - 35
    if length <= most:
        return page[offset : offset + length]
    least = (pages.size - 12) * 32 // 255 - 23
    local = least + (length - least) % (pages.size - 4)
    local = local if local <= most else least
    end = offset + local
    overflow = int.from_bytes(page[end : end + 4], "big")
    return page[offset:end] + pages.chain(overflow, length - local)


def _record(payload: bytes) -> list[Value]:
    end, at = _varint(payload, 0)
    if not at <= end <= len(payload):
        return []
    types: list[int] = []
    while at < end:
        serial, at = _varint(payload, at)
        types.append(serial)
    values: list[Value] = []
    for serial in types:
        value, at = _value(payload, at, serial) if at <= len(payload) else (None, at)
        values.append(value)
    return values


def _value(payload: bytes, at: int, serial: int) -> tuple[Value, int]:
    import struct

    if serial >= _BLOB:
        end = at + (serial - _BLOB) // 2
        raw = payload[at:end]
        return (raw.decode("utf-8", "replace") if serial % 2 else raw), end
    if serial in {_ZERO, _ONE}:
        return serial - _ZERO, at
    if serial == _REAL:
        raw = payload[at : at + 8].ljust(8, b"\0")
        real: float = struct.unpack(">d", raw)[0]
        return real, at + 8
    size = _INTEGER_SIZES[serial] if serial < len(_INTEGER_SIZES) else 0
    return (int.from_bytes(payload[at : at + size], "big", signed=True) if size else None), at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for byte in data[at : at + 8]:
        at += 1
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            return value, at
    value = value << 8 | (data[at] if at < len(data) else 0)
    return value, at + 1
