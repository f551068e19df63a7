"""Frames of a streamed reply, without I/O: bytes in as they come, whole records out.

Ollama sends NDJSON (one JSON object a line, `application/x-ndjson`), OpenAI-compatible servers send
server-sent events (`text/event-stream`, WHATWG HTML, "Server-sent events"). Both are cut at the byte LF and
nowhere else: JSON strings may hold U+0085, U+2028 and U+2029 as they are, and those end no record.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD_LIMIT = 8 * 1024 * 1024
"""The longest record in bytes; llama-server's own limit for one event (Ollama, `llm/llama_server.go`)."""

T = TypeVar("T")


class FramingError(Exception):
    """A record is too long, or is not what it should be."""


class Frames(Protocol):
    """A decoder that cuts a body into records."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The records that `data` completes, to be taken to the last one before the next call.

        Raises:
            FramingError: A record is longer than RECORD_LIMIT.
        """

    def finish(self) -> Iterator[bytes]:
        """The records that the end of the body completes."""


class _Lines:
    """Cuts bytes into lines at LF; the LF is not part of them."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        first, *others = data.split(b"\n")
        self._extend(first)
        for other in others:
            yield bytes(self._rest)
            self._rest.clear()
            self._extend(other)

    def _extend(self, piece: bytes) -> None:
        if len(self._rest) + len(piece) > RECORD_LIMIT:
            raise FramingError(f"a record is longer than {RECORD_LIMIT} bytes")
        self._rest += piece

    def rest(self) -> bytes:
        rest = bytes(self._rest)
        self._rest.clear()
        return rest


class NdjsonDecoder:
    """Newline-delimited JSON: every line that is not blank is a record."""

    def __init__(self) -> None:
        self._lines = _Lines()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The records that `data` completes, to be taken to the last one before the next call.

        Raises:
            FramingError: A record is longer than RECORD_LIMIT.
        """
        return (line for line in self._lines.feed(data) if line.strip())

    def finish(self) -> Iterator[bytes]:
        """The last record, where the body ends without a newline, as a single JSON object does."""
        return (line for line in (self._lines.rest(),) if line.strip())


class SseDecoder:
    """Server-sent events: the data of each event, its lines joined by LF.

    Comments, the fields `event`, `id` and `retry`, and the `[DONE]` that OpenAI's API ends with are passed
    over; an event that the end of the body leaves without its blank line is dropped, as the standard says.
    """

    def __init__(self) -> None:
        self._lines = _Lines()
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The data of the events that `data` completes, to be taken to the last one before the next call.

        Raises:
            FramingError: A line or an event is longer than RECORD_LIMIT.
        """
        for raw in self._lines.feed(data):
            line = raw.removesuffix(b"\r")
            if line:
                self._field(line)
            elif self._data:
                event = b"\n".join(self._data)
                self._data.clear()
                self._size = 0
                if event != b"[DONE]":
                    yield event

    def finish(self) -> Iterator[bytes]:
        """Nothing: an event without its blank line is none."""
        return iter(())

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name != b"data":
            return
        self._size += len(value) + 1
        if self._size > RECORD_LIMIT:
            raise FramingError(f"an event is longer than {RECORD_LIMIT} bytes")
        self._data.append(value.removeprefix(b" "))


def decode(record: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The value of a JSON record.

    Bytes that are no UTF-8 and lone surrogates become U+FFFD: one bad character costs no reply.

    Raises:
        FramingError: The record is no JSON, or not of the decoder's type.
    """
    try:
        try:
            return decoder.decode(record)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, UnicodeDecodeError):
            return decoder.decode(_mended(record))
    except (ValueError, RecursionError) as error:
        raise FramingError(f"a record cannot be read: {error}") from error


def _mended(record: bytes) -> str:
    """The record with every unpaired surrogate, escaped or not, and every bad byte replaced."""
    value = json.loads(record.decode("utf-8", "replace"))
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
