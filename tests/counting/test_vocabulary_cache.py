"""The cache on disk: fetched once, and again when what lies there cannot be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from counting.test_vocabulary import tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwentui.counting.vocabulary import read_table
from qwentui.counting.vocabulary_cache import VocabularyCache

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "0123456789abcdef" * 4
OTHER = "f" * 64


class Server:
    """Answers `/api/show`, and counts how often."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked = 0

    async def show(self) -> Any:
        self.asked += 1
        return self.answer


async def test_a_vocabulary_is_fetched_once_and_then_read_from_disk(tmp_path: Path) -> None:
    server = Server(tiny())
    cache = VocabularyCache(tmp_path / "vocabularies")
    first = await cache.obtain(DIGEST, server.show)
    again = await VocabularyCache(tmp_path / "vocabularies").obtain(f"sha256:{DIGEST}"[7:], server.show)
    assert server.asked == 1
    assert first is not None
    assert again is not None
    assert first.tokens("abc<think>a") == again.tokens("abc<think>a") == [b"abc", b"<think>", b"a"]


def test_only_the_owner_may_read_it_and_no_part_is_left_behind(tmp_path: Path) -> None:
    table = read_table(tiny())
    assert table is not None
    VocabularyCache(tmp_path / "new").save(DIGEST, table)
    (file,) = (tmp_path / "new").iterdir()
    assert file.name == f"{DIGEST}.vocab"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


async def test_a_model_without_a_vocabulary_is_not_cached(tmp_path: Path) -> None:
    server = Server(tiny(model="llama"))
    cache = VocabularyCache(tmp_path)
    assert await cache.obtain(DIGEST, server.show) is None
    assert await cache.obtain(DIGEST, server.show) is None
    assert server.asked == 2


async def test_what_the_server_raises_comes_out(tmp_path: Path) -> None:
    async def refuse() -> bytes:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await VocabularyCache(tmp_path).obtain(DIGEST, refuse)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, DIGEST + "/", "sha512:" + DIGEST])
async def test_a_name_that_is_no_digest_touches_no_file(digest: str, tmp_path: Path) -> None:
    server = Server(tiny())
    cache = VocabularyCache(tmp_path / "inner")
    assert await cache.obtain(digest, server.show) is not None
    assert await cache.obtain(digest, server.show) is not None
    assert server.asked == 2
    assert not (tmp_path / "inner").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_counts_as_absent(tmp_path: Path, data: st.DataObject) -> None:
    cache = VocabularyCache(tmp_path)
    table = read_table(tiny())
    assert table is not None
    cache.save(DIGEST, table)
    assert cache.load(DIGEST) == table
    file = tmp_path / f"{DIGEST}.vocab"
    whole = file.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        file.write_bytes(whole[:place])
    else:
        file.write_bytes(
            whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
        )
    assert cache.load(DIGEST) is None


def test_a_file_of_another_model_is_stale(tmp_path: Path) -> None:
    cache = VocabularyCache(tmp_path)
    table = read_table(tiny())
    assert table is not None
    cache.save(DIGEST, table)
    (tmp_path / f"{DIGEST}.vocab").rename(tmp_path / f"{OTHER}.vocab")
    assert cache.load(OTHER) is None
    assert cache.load(DIGEST) is None


def test_a_disk_that_takes_nothing_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    table = read_table(tiny())
    assert table is not None
    VocabularyCache(tmp_path / "file").save(DIGEST, table)
    assert VocabularyCache(tmp_path / "file").load(DIGEST) is None
