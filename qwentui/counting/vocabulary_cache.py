"""Vocabularies on disk, so that a server sends each of them once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from qwentui.counting.vocabulary import TokenTable, Vocabulary, read_table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_MAGIC = b"qwentui vocabulary 1\n"
_HASH_BYTES = hashlib.sha256().digest_size
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


class _Entry(msgspec.Struct, frozen=True):
    digest: str
    table: TokenTable


class VocabularyCache:
    """A directory with one file a model, named by the digest of its manifest (`/api/tags`).

    A file is the format's name and version, the SHA-256 of the rest, and the rest in MessagePack. One that
    is damaged, cut short or of another version counts as absent. Errors of the disk do so too: without a
    cache the program is slower, not wrong.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def obtain(
        self, digest: str, fetch: Callable[[], Awaitable[Mapping[str, object] | bytes]]
    ) -> Vocabulary | None:
        """The vocabulary of a model: from disk, else from `fetch`, which asks the server.

        `fetch` gives the verbose `/api/show` answer, decoded or as bytes; what it raises comes out of
        here. None when the model's tokens cannot be counted exactly. The work is done in threads.
        """
        table = await asyncio.to_thread(self.load, digest)
        if table is None:
            table = await asyncio.to_thread(read_table, await fetch())
            if table is None:
                return None
            await asyncio.to_thread(self.save, digest, table)
        return await asyncio.to_thread(Vocabulary, table)

    def load(self, digest: str) -> TokenTable | None:
        """What the disk holds for `digest`, or None."""
        path = self._path(digest)
        if path is None:
            return None
        try:
            data = path.read_bytes()
        except OSError:
            return None
        checksum, payload = data[len(_MAGIC) :][:_HASH_BYTES], data[len(_MAGIC) + _HASH_BYTES :]
        if not data.startswith(_MAGIC) or hashlib.sha256(payload).digest() != checksum:
            return None
        try:
            entry = msgspec.msgpack.decode(payload, type=_Entry)
        except msgspec.MsgspecError:
            return None
        return entry.table if entry.digest == digest else None

    def save(self, digest: str, table: TokenTable) -> None:
        """Put `table` on disk for `digest`, readable by its owner only, whole or not at all."""
        path = self._path(digest)
        if path is None:
            return
        payload = msgspec.msgpack.encode(_Entry(digest, table))
        with contextlib.suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            # mkstemp creates with mode 0600.
            handle, name = tempfile.mkstemp(dir=self._directory, prefix=path.stem, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_MAGIC + hashlib.sha256(payload).digest() + payload)
                Path(name).replace(path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise

    def _path(self, digest: str) -> Path | None:
        """The file for `digest`; None for what is no digest, since a server must not name our files."""
        match = _DIGEST.fullmatch(digest)
        return self._directory / f"{match[1]}.vocab" if match else None
