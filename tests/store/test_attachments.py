from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import png

from qwentui.chat.attachment import ImageFile, Refusal, TextFile
from qwentui.store.attachments import IMAGE_LIMIT, TEXT_LIMIT, AttachmentReader


@pytest.fixture
def reader(tmp_path: Path) -> AttachmentReader:
    return AttachmentReader(tmp_path)


def _named(reader: AttachmentReader, text: str) -> list[str]:
    return [attachment.name for attachment in reader.named_in(text)]


def test_files_are_named_in_a_sentence(tmp_path: Path, reader: AttachmentReader) -> None:
    for name in ("a.py", "my notes.md", "笔记.md", "LICENSE"):
        (tmp_path / name).write_text(name)
    assert _named(reader, 'compare (@a.py) with @"my notes.md", @my\\ notes.md.') == ["a.py", "my notes.md"]
    assert _named(reader, "请看@笔记.md，还有@a.py的内容") == ["笔记.md", "a.py"]
    assert _named(reader, "@LICENSE, @dataclass and me@a.py") == ["LICENSE"]


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "x.txt").write_text("home")
    assert AttachmentReader().read("~/x.txt") == TextFile("~/x.txt", "home")
    assert AttachmentReader().read(str(tmp_path / "x.txt")).text == "home"
    assert AttachmentReader().read("~nobody-of-this-name/x.txt").missing


@pytest.mark.parametrize(
    ("data", "text", "removed"),
    [
        (b"", "", 0),
        (b"plain\n", "plain\n", 0),
        (b"\xef\xbb\xbfwith a mark", "with a mark", 0),
        ("文字\r\n两行\r".encode(), "文字\n两行\n", 0),
        ("UTF-16 文字".encode("utf-16"), "UTF-16 文字", 0),
        (b"\xfe\xff" + "文字".encode("utf-16-be"), "文字", 0),
        ("订单发货后多久能收到?".encode("gb18030"), "订单发货后多久能收到?", 0),
        (b"\x1b[31mred\x1b[0m", "␛[31mred␛[0m", 2),
        ("a\u202eb".encode(), "ab", 1),
    ],
)
def test_what_is_text_becomes_text(
    tmp_path: Path, reader: AttachmentReader, data: bytes, text: str, removed: int
) -> None:
    (tmp_path / "x.txt").write_bytes(data)
    assert reader.read("x.txt") == TextFile("x.txt", text, removed)


@pytest.mark.parametrize(
    "data",
    [
        b"a\0b",
        b"\x7fELF\x02\x01\x01\0",
        "für über Größe".encode("latin-1"),
        b"\xff\xfe\0\0",
        b"\xff\xfea",
        b"\x80",
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, reader: AttachmentReader, data: bytes) -> None:
    (tmp_path / "x.bin").write_bytes(data)
    assert "x.bin is no text" in reader.read("x.bin").reason


def test_an_image_is_told_by_its_bytes(tmp_path: Path, reader: AttachmentReader) -> None:
    (tmp_path / "photo.txt").write_bytes(png(640, 480))
    found = reader.read("photo.txt")
    assert isinstance(found, ImageFile)
    assert (found.image.media_type, found.image.width, found.image.height) == ("image/png", 640, 480)
    assert found.image.data == png(640, 480)


def test_what_is_too_large_says_how_large(tmp_path: Path, reader: AttachmentReader) -> None:
    (tmp_path / "most.txt").write_bytes(b"a" * TEXT_LIMIT)
    (tmp_path / "more.txt").write_bytes(b"a" * (TEXT_LIMIT + 1))
    (tmp_path / "large.png").write_bytes(png() + bytes(IMAGE_LIMIT))
    assert len(reader.read("most.txt").text) == TEXT_LIMIT
    assert "more.txt has 1.0 MB; a text may have 1" in reader.read("more.txt").reason
    assert "large.png has 21.0 MB; an image may have 20" in reader.read("large.png").reason


def test_a_file_that_is_not_there_is_told_with_the_name_that_comes_closest(
    tmp_path: Path, reader: AttachmentReader
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "notes.md").write_text("x")
    [refusal] = reader.named_in("see @src/notse.md")
    assert refusal == Refusal(
        "src/notse.md", "There is no file src/notse.md; src/notes.md comes closest.", missing=True
    )
    assert reader.read("nowhere/x").reason == "There is no file nowhere/x."
    assert reader.read("x" * 5_000).missing
    assert reader.read("a\0b").missing


def test_a_folder_says_how_many_files_it_has(tmp_path: Path, reader: AttachmentReader) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    assert reader.read("docs").reason == "docs is a folder without files."
    for name in ("b.md", "a b.md", ".hidden"):
        (folder / name).write_text("x")
    assert reader.read("docs/").reason == (
        'docs/ is a folder with 2 files; name one of them, such as @"docs/a b.md"'
    )


def test_devices_pipes_and_sockets_are_never_waited_for(tmp_path: Path, reader: AttachmentReader) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for name in ("pipe", "socket", "/dev/zero"):
            assert "is a device or a pipe" in reader.read(name).reason
    (tmp_path / "loop").symlink_to("loop")
    assert reader.read("loop").missing


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_says_so(tmp_path: Path, reader: AttachmentReader) -> None:
    (tmp_path / "secret.txt").write_text("x")
    (tmp_path / "secret.txt").chmod(0)
    assert reader.read("secret.txt").reason == "secret.txt cannot be read: Permission denied."


def test_what_is_unchanged_is_not_read_again_and_what_grew_is(
    tmp_path: Path, reader: AttachmentReader
) -> None:
    path = tmp_path / "log.txt"
    path.write_text("one\n")
    [first] = reader.named_in("@log.txt")
    [again] = reader.named_in("and @log.txt")
    assert again is first
    with path.open("a") as file:
        file.write("two\n")
    [grown] = reader.named_in("@log.txt")
    assert grown.text == "one\ntwo\n"


def test_names_are_safe_to_show(tmp_path: Path, reader: AttachmentReader) -> None:
    name = "a\x1b[2J.txt"
    (tmp_path / name).write_text("x")
    [found] = reader.named_in(f"@{name}")
    assert found.name == "a␛[2J.txt"


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.dat"
    path.write_bytes(data)
    found = AttachmentReader().read(str(path))
    assert isinstance(found, TextFile | ImageFile | Refusal)
    if isinstance(found, TextFile):
        assert "\0" not in found.text


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    AttachmentReader(Path("/nonexistent")).named_in(f"@{text}")
