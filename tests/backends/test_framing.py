from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.backends import framing
from qwentui.backends.framing import FramingError, NdjsonDecoder, SseDecoder, decode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwentui.backends.framing import Frames

NDJSON = '{"a":"å\x85\u2028\u2029"}\n\n  \r\n{"b":2}\r\n{"last":"✓"}'.encode()
NDJSON_RECORDS = ['{"a":"å\x85\u2028\u2029"}'.encode(), b'{"b":2}\r', '{"last":"✓"}'.encode()]
SSE = (
    b": a comment\n"
    b"event: delta\r\nid: 7\r\nretry: 10\r\ndata: one\r\n\r\n"
    b"data:two\ndata:  lines\ndata\n\n"
    b"data: \xe2\x9c\x93\xc2\x85\xe2\x80\xa8\n\n"
    b"event: nothing\n\n"
    b"data: [DONE]\n\n"
    b"data: without its blank line"
)
SSE_RECORDS = [b"one", b"two\n lines\n", b"\xe2\x9c\x93\xc2\x85\xe2\x80\xa8"]
ANY = msgspec.json.Decoder(dict[str, Any])


def records(frames: Frames, pieces: Iterable[bytes]) -> list[bytes]:
    found = [record for piece in pieces for record in frames.feed(piece)]
    return [*found, *frames.finish()]


def test_ndjson_cut_at_every_offset_gives_the_same_records() -> None:
    for cut in range(len(NDJSON) + 1):
        assert records(NdjsonDecoder(), (NDJSON[:cut], NDJSON[cut:])) == NDJSON_RECORDS, cut


def test_sse_cut_at_every_offset_gives_the_same_events() -> None:
    for cut in range(len(SSE) + 1):
        assert records(SseDecoder(), (SSE[:cut], SSE[cut:])) == SSE_RECORDS, cut


def test_single_bytes_give_the_same_records() -> None:
    assert records(NdjsonDecoder(), (bytes([b]) for b in NDJSON)) == NDJSON_RECORDS
    assert records(SseDecoder(), (bytes([b]) for b in SSE)) == SSE_RECORDS


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n")).filter(str.strip)), st.data())
def test_any_lines_come_back_however_they_are_cut(lines: list[str], data: st.DataObject) -> None:
    body = "".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    expected = [line for line in body.split(b"\n") if line.strip()]
    assert records(NdjsonDecoder(), pieces) == expected


@pytest.mark.parametrize("frames", [NdjsonDecoder, SseDecoder])
def test_an_endless_record_is_an_error_and_no_memory(
    frames: type[NdjsonDecoder | SseDecoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "RECORD_LIMIT", 1000)
    endless = (b"data: " + b"x" * 90 for _ in range(100))
    with pytest.raises(FramingError, match="longer than 1000 bytes"):
        records(frames(), endless)


def test_an_endless_event_of_short_lines_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "RECORD_LIMIT", 1000)
    with pytest.raises(FramingError, match="event"):
        records(SseDecoder(), (b"data:\n" for _ in range(2000)))


def test_records_before_an_endless_one_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "RECORD_LIMIT", 10)
    feed = NdjsonDecoder().feed(b"good\n" + b"x" * 100)
    assert next(feed) == b"good"
    with pytest.raises(FramingError):
        next(feed)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (b'{"a":"\xff"}', "\ufffd"),
        (b'{"a":"\\ud83d"}', "\ufffd"),
        (b'{"a":"\\ud83d\\ude00"}', "😀"),
        (b'{"a":"\\ude00\\ud83d x"}', "\ufffd\ufffd x"),
        (b'{"a":"\\\\ud83d \\ud83d"}', "\\ud83d \ufffd"),
    ],
)
def test_bad_characters_are_replaced(record: bytes, text: str) -> None:
    assert decode(record, ANY) == {"a": text}


@pytest.mark.parametrize("record", [b"", b"nonsense", b"[1]", b'{"a":', b"[" * 100_000, b"1" * 5000, b"\xff"])
def test_what_is_no_such_record_is_a_framing_error(record: bytes) -> None:
    with pytest.raises(FramingError):
        decode(record, ANY)


@given(st.binary())
def test_any_bytes_decode_or_are_a_framing_error(record: bytes) -> None:
    with contextlib.suppress(FramingError):
        decode(record, ANY)
