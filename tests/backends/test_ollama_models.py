from __future__ import annotations

import asyncio
import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from model_server import FULL_DISK, Cut, Early, ModelServer, Stall, layer, ndjson
from outcome import nothing_left
from script import Plain, Raw
from scripted_server import ScriptedServer
from tiny_gguf import write_gguf

from qwentui.backends.address import Endpoint
from qwentui.backends.file_digest import DigestCache
from qwentui.backends.http import HttpClient, Upload
from qwentui.backends.model_plan import ModelPlan
from qwentui.backends.ollama_create import create_model
from qwentui.backends.ollama_models import OllamaModels, Step, _Pieces
from qwentui.chat.errors import (
    BackendError,
    ConnectFailed,
    ModelFileError,
    ModelNotFound,
    ReplyCut,
    RequestRefused,
    ServerFailed,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

WIRE = Path(__file__).parents[1] / "data" / "wire"


@pytest.fixture
async def models() -> AsyncIterator[Callable[[str], OllamaModels]]:
    opened: list[HttpClient] = []

    def connect(url: str) -> OllamaModels:
        opened.append(HttpClient(Endpoint(url)))
        return OllamaModels(opened[-1], delay=0.0)

    yield connect
    for http in opened:
        await http.aclose()


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "tiny.gguf")


def content(path: Path) -> bytes:
    return path.read_bytes()


def large_file(folder: Path) -> Path:
    path = folder / "large.gguf"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    return path


def remember(path: Path, digest: str) -> None:
    """Have the cache of digests believe that of the file."""
    status = path.stat()
    known = {"size": status.st_size, "changed": status.st_mtime_ns, "inode": status.st_ino, "sha256": digest}
    (path.parent / "digests.json").write_text(json.dumps({str(path): known}))


async def send(
    models: OllamaModels, path: Path, digest: str, report: Callable[[Step], None] = lambda _: None
) -> None:
    with path.open("rb") as file:
        await models._send(path, file, digest, report)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recorded(name: str) -> Raw:
    return Raw((WIRE / f"{name}.txt").read_bytes())


def said(steps: list[Step]) -> list[str]:
    """What was said, each thing once."""
    return list(dict.fromkeys(step.status for step in steps))


async def make(models: OllamaModels, gguf: Path, name: str = "tiny") -> list[Step]:
    steps: list[Step] = []
    cache = DigestCache(gguf.parent / "digests.json")
    await create_model(models, name, ModelPlan(files=[gguf]), cache, steps.append)
    return steps


async def test_a_model_is_made_of_a_file(models: Callable[[str], OllamaModels], gguf: Path) -> None:
    async with ModelServer() as server:
        steps = await make(models(server.url), gguf)
        assert server.blobs == {sha256(gguf): content(gguf)}
        assert server.created == [{"model": "tiny", "files": {"tiny.gguf": f"sha256:{sha256(gguf)}"}}]
    assert said(steps)[0] == "reading tiny.gguf"
    assert said(steps)[-2:] == ["writing manifest", "success"]
    size = len(content(gguf))
    assert steps[steps.index(Step("uploading", size, size)) + 1] == Step("verifying")


async def test_what_the_server_has_is_not_sent_again(
    models: Callable[[str], OllamaModels], gguf: Path
) -> None:
    async with ModelServer() as server:
        await make(models(server.url), gguf)
        steps = await make(models(server.url), gguf, "again")
        assert [r.method for r in server.requests if "/blobs/" in r.path] == ["HEAD", "POST", "HEAD"]
    # Neither read again: the digest is known by the file's size and time.
    assert said(steps)[0] == "the server has the file already"


async def test_an_upload_that_breaks_begins_again(models: Callable[[str], OllamaModels], gguf: Path) -> None:
    async with ModelServer(faults=[Cut(5000), Cut(0)]) as server:
        steps = await make(models(server.url), gguf)
        assert sha256(gguf) in server.blobs
        assert server.count("/api/create") == 1
    assert sum("Trying again" in status for status in said(steps)) >= 1


async def test_an_upload_that_always_breaks_is_given_up(
    models: Callable[[str], OllamaModels], gguf: Path
) -> None:
    async with ModelServer(faults=[Cut(5000)] * 5) as server:
        with pytest.raises((ConnectFailed, ReplyCut)):
            await make(models(server.url), gguf)
        assert len(server.faults) == 2
        assert server.count("/api/create") == 0


async def test_a_full_disk_is_told(models: Callable[[str], OllamaModels], gguf: Path) -> None:
    async with ModelServer(faults=[FULL_DISK]) as server:
        with pytest.raises(RequestRefused, match=r"no space left on device.*disk is full"):
            await make(models(server.url), gguf)


async def test_an_answer_in_the_middle_of_an_upload_is_heard(tmp_path: Path) -> None:
    async with ModelServer(faults=[Early(4096, FULL_DISK.answer)]) as server:
        pieces = _Pieces(tmp_path, io.BytesIO(bytes(64 << 20)), 64 << 20)
        http = HttpClient(Endpoint(server.url))
        with pytest.raises(RequestRefused, match="no space left on device"):
            await http.fetch("/api/blobs/sha256:1", Upload(pieces, 64 << 20))
        assert pieces.done < 64 << 20
        await http.aclose()


async def test_a_file_that_changed_is_told_and_read_anew(
    models: Callable[[str], OllamaModels], gguf: Path
) -> None:
    async with ModelServer() as server:
        wrong = "0" * 64
        with pytest.raises(ModelFileError, match="digest mismatch"):
            await models(server.url).upload(gguf, wrong, lambda _: None)
        cache = DigestCache(gguf.parent / "digests.json")
        remember(gguf, wrong)
        assert await cache.obtain(gguf, lambda *_: None) == wrong
        with pytest.raises(ModelFileError, match="digest mismatch"):
            await make(models(server.url), gguf)
        await make(models(server.url), gguf)
        assert sha256(gguf) in server.blobs


async def test_the_recorded_digest_mismatch_is_told(
    models: Callable[[str], OllamaModels], gguf: Path
) -> None:
    digest = sha256(gguf)
    answer = recorded("blob-post-wrong-digest")
    async with ScriptedServer(at={f"/api/blobs/sha256:{digest}": answer}) as server:
        with pytest.raises(ModelFileError, match="digest mismatch"):
            await send(models(server.url), gguf, digest)


@pytest.mark.parametrize(("name", "there"), [("blob-head-present", True), ("blob-head-missing", False)])
async def test_the_recorded_answers_about_a_blob(
    models: Callable[[str], OllamaModels], name: str, there: bool
) -> None:
    async with ScriptedServer(at={"/api/blobs/sha256:1": recorded(name)}) as server:
        assert await models(server.url).has_blob("1") is there


@pytest.mark.parametrize("name", ["blob-post", "blob-post-again"])
async def test_the_recorded_answers_to_an_upload(
    models: Callable[[str], OllamaModels], gguf: Path, name: str
) -> None:
    steps: list[Step] = []
    async with ScriptedServer(at={"/api/blobs/sha256:1": recorded(name)}) as server:
        await send(models(server.url), gguf, "1", steps.append)
    assert steps


async def test_the_recorded_create_tells_its_steps(models: Callable[[str], OllamaModels]) -> None:
    steps: list[Step] = []
    async with ScriptedServer(at={"/api/create": recorded("create-stream")}) as server:
        await models(server.url).create({"model": "smollm2"}, steps.append)
    assert said(steps)[:2] == ["parsing GGUF", "verifying conversion"]
    assert "using autodetected template chatml" in said(steps)
    assert said(steps)[-1] == "success"


@pytest.mark.parametrize(
    ("path", "name", "kind", "sentence"),
    [
        ("/api/create", "create-bad-digest", ServerFailed, "no such file or directory"),
        ("/api/create", "create-from-unknown", ServerFailed, "must reach the registry"),
        ("/api/create", "create-from-missing-tries-to-pull", ServerFailed, "no such host"),
        ("/api/pull", "pull-bad-name", RequestRefused, "invalid model name"),
        ("/api/pull", "pull-refused-stream", ServerFailed, "must reach the registry"),
        ("/api/pull", "pull-refused-nostream", ServerFailed, "connection refused"),
        ("/api/delete", "delete-unknown", ModelNotFound, "no model nosuch"),
    ],
)
async def test_recorded_refusals(
    models: Callable[[str], OllamaModels], path: str, name: str, kind: type[BackendError], sentence: str
) -> None:
    async with ScriptedServer(at={path: recorded(name)}) as server:
        at = models(server.url)
        work = {
            "/api/create": lambda: at.create({"model": "x"}, lambda _: None),
            "/api/pull": lambda: at.pull("x", lambda _: None),
            "/api/delete": lambda: at.delete("x"),
        }
        with pytest.raises(kind, match=sentence):
            await work[path]()
        assert server.count(path) == 1


async def test_the_recorded_delete(models: Callable[[str], OllamaModels]) -> None:
    async with ScriptedServer(at={"/api/delete": recorded("delete")}) as server:
        await models(server.url).delete("smollm2-b")
        assert server.last("/api/delete").method == "DELETE"
        assert server.last("/api/delete").json == {"model": "smollm2-b"}


async def test_a_pull_that_breaks_goes_on(models: Callable[[str], OllamaModels]) -> None:
    steps: list[Step] = []
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    line = b'{"status":"pulling 94","total":100,"completed":40}\n'
    cut = Raw(head + f"{len(line):x}\r\n".encode() + line + b"\r\n")
    whole = ndjson({"status": "pulling manifest"}, layer(40, 100), layer(100, 100), {"status": "success"})
    async with ModelServer(pulls=[cut, ndjson(layer(40, 100)), whole]) as server:
        await models(server.url).pull("qwen3", steps.append)
        assert server.count("/api/pull") == 3
    assert Step("pulling 94", 40, 100) in steps
    assert Step("pulling 941f309b54ca", 100, 100) in steps
    assert steps[-1] == Step("success")


async def test_a_model_that_no_registry_has(models: Callable[[str], OllamaModels]) -> None:
    missing = ndjson({"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"})
    async with ModelServer(pulls=[missing]) as server:
        with pytest.raises(ModelNotFound, match="registry has no such model"):
            await models(server.url).pull("qwen33", lambda _: None)


async def test_a_stranger_that_answers_a_pull(models: Callable[[str], OllamaModels]) -> None:
    async with ScriptedServer(at={"/api/pull": Plain(body=b"<html>", content_type="text/html")}) as server:
        with pytest.raises(BackendError):
            await models(server.url).pull("x", lambda _: None)


async def test_an_upload_can_be_cancelled(models: Callable[[str], OllamaModels], tmp_path: Path) -> None:
    big = large_file(tmp_path)
    async with ModelServer(faults=[Stall(4096)]) as server:
        upload = asyncio.ensure_future(models(server.url).upload(big, "0" * 64, lambda _: None))
        await server.until(lambda s: any(request.body for request in s.requests))
        upload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload
        assert server.blobs == {}
    await nothing_left()


async def test_a_file_that_shrinks_while_it_is_sent_is_told(gguf: Path) -> None:
    size = len(content(gguf))
    async with ModelServer() as server:
        http = HttpClient(Endpoint(server.url))
        pieces = _Pieces(gguf, io.BytesIO(content(gguf)), size + 1)
        with pytest.raises(ModelFileError, match="became shorter"):
            await http.fetch("/api/blobs/sha256:1", Upload(pieces, size + 1))
        assert pieces.done == size
        await http.aclose()


def test_a_damaged_cache_of_digests_is_made_anew(gguf: Path, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "digests.json"
    path.parent.mkdir()
    path.write_text('{"x": 1')
    seen: list[tuple[int, int]] = []
    cache = DigestCache(path)
    assert asyncio.run(cache.obtain(gguf, lambda *step: seen.append(step))) == sha256(gguf)
    assert seen[-1] == (gguf.stat().st_size, gguf.stat().st_size)
    seen.clear()
    assert asyncio.run(DigestCache(path).obtain(gguf, lambda *step: seen.append(step))) == sha256(gguf)
    assert not seen
    gguf.write_bytes(gguf.read_bytes() + b"\0")
    assert asyncio.run(cache.obtain(gguf, lambda *step: seen.append(step))) == sha256(gguf)
    assert seen
