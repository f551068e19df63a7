"""The SHA-256 of large files: computed once, and known again as long as the file has not changed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from qwentui.backends.threaded import in_thread
from qwentui.chat.errors import ModelFileError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 4 << 20
_KEPT = 100


class _Known(msgspec.Struct):
    """What a file was when its digest was computed; `changed` in nanoseconds."""

    size: int
    changed: int
    inode: int
    sha256: str

    def is_of(self, status: os.stat_result) -> bool:
        return (self.size, self.changed, self.inode) == (status.st_size, status.st_mtime_ns, status.st_ino)


_FILE = msgspec.json.Decoder(dict[str, _Known])


class DigestCache:
    """Digests of files, kept in one small JSON file.

    Args:
        path: Where to keep them; made with its folder when first written, and a damaged one is made anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def obtain(self, file: Path, progress: Callable[[int, int], None]) -> str:
        """The SHA-256 of `file`, 64 hexadecimal digits.

        Args:
            file: The file to read.
            progress: Is told the bytes read and their total, if the file must be read.

        Raises:
            ModelFileError: It cannot be read.
        """
        name = sanitize_line(str(file))
        try:
            file = await asyncio.to_thread(file.resolve)
            status = await asyncio.to_thread(file.stat)
            known = (await asyncio.to_thread(self._read)).get(str(file))
            if known is not None and known.is_of(status):
                return known.sha256
            digest = await in_thread(
                lambda step: _digest(file, step), lambda done: progress(done, status.st_size)
            )
        except OSError as error:
            raise ModelFileError(
                _("{path} cannot be read: {reason}.").format(path=name, reason=error.strerror or error)
            ) from error
        found = _Known(status.st_size, status.st_mtime_ns, status.st_ino, digest)
        await asyncio.to_thread(self._keep, str(file), found)
        return digest

    def forget(self, file: Path) -> None:
        """Compute the digest of `file` anew the next time."""
        self._keep(str(file.resolve()), None)

    def _read(self) -> dict[str, _Known]:
        try:
            return _FILE.decode(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}

    def _keep(self, name: str, found: _Known | None) -> None:
        """Write it down; a disk that refuses costs the next time, and nothing else."""
        known = self._read()
        known.pop(name, None)
        if found is not None:
            known[name] = found
        newest = dict(list(known.items())[-_KEPT:])
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, written = tempfile.mkstemp(prefix=".digests-", dir=self._path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(msgspec.json.encode(newest))
                Path(written).replace(self._path)
            except BaseException:
                Path(written).unlink(missing_ok=True)
                raise


def _digest(path: Path, step: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(_CHUNK)
        view = memoryview(buffer)
        done = 0
        while count := file.readinto(buffer):
            digest.update(view[:count])
            done += count
            step(done)
    return digest.hexdigest()
