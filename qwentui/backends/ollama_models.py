"""Ollama's routes that change which models it holds (`server/routes.go`, `server/create.go`).

`/api/pull` and `/api/create` answer with NDJSON records of their progress, and end with `success`; an error
comes as a record at status 200. A pull goes on where it stopped when it is asked for again. A blob, a file
that is known by its SHA-256, is either on the server whole or not at all: what broke off begins again.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from qwentui.backends.framing import NdjsonDecoder
from qwentui.backends.http import Upload
from qwentui.chat.errors import (
    BackendError,
    ConnectFailed,
    ModelFileError,
    ModelNotFound,
    ReplyCut,
    RequestRefused,
    ServerFailed,
)
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from qwentui.backends.http import HttpClient

_BEAT = 0.1  # seconds between two words about an upload
_PIECE = 1 << 20
_SILENCE = 900.0  # seconds: the digest of 20 GB is verified without a word
_QUOTE_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done, in the server's words or ours; `done` of `total` bytes, `total` 0 when not told."""

    status: str
    done: int = 0
    total: int = 0


class _Record(msgspec.Struct):
    """A record of `/api/pull` or `/api/create`."""

    status: str = ""
    total: int = 0
    completed: int = 0
    error: Any = None


_RECORD = msgspec.json.Decoder(_Record)

_HINTS = (
    (
        r"no space left|disk quota",
        N_("The server's disk is full: remove a model there (qwentui model rm NAME)."),
    ),
    (
        r"no such host|dial tcp|connection refused|i/o timeout",
        N_("The server itself must reach the registry."),
    ),
    (r"digest mismatch", N_("What came is not what was meant to come: ask again, it is fetched anew.")),
    (r"newer version of ollama|requires a newer", N_("Update Ollama on the server.")),
    (r"unsupported|unknown (?:model )?architecture", N_("The server is too old for this model; update it.")),
)
_MISSING = re.compile(r"file does not exist|manifest unknown|not found", re.IGNORECASE)


class OllamaModels:
    """What an Ollama server holds, to be changed.

    Args:
        http: The way to the server.
        attempts: How often a pull or an upload is begun again after the connection broke.
        delay: Seconds before that.
    """

    def __init__(self, http: HttpClient, *, attempts: int = 2, delay: float = 0.5) -> None:
        self._http = http
        self._attempts = attempts
        self._delay = delay

    async def pull(self, name: str, report: Callable[[Step], None]) -> None:
        """Have the server fetch `name` from its registry; cancelling keeps there what has come.

        Raises:
            ModelNotFound: The registry has no such model.
            BackendError: Anything else.
        """

        async def once() -> None:
            await self._job("/api/pull", {"model": name}, report)

        await self._resumed(once, report)

    async def create(self, request: Mapping[str, object], report: Callable[[Step], None]) -> None:
        """Make a model of what the server has already.

        Args:
            request: The body of `/api/create`.
            report: Is told each step.

        Raises:
            BackendError: The server refuses.
        """
        await self._job("/api/create", dict(request), report)

    async def delete(self, name: str) -> None:
        """Remove a model from the server's disk, with all that no other model uses.

        Raises:
            ModelNotFound: There is none of that name.
            BackendError: Anything else.
        """
        await self._http.fetch("/api/delete", {"model": name}, method="DELETE", timeout=None)

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name; it takes no more room.

        Raises:
            ModelNotFound: There is none of that name.
            BackendError: Anything else.
        """
        await self._http.fetch("/api/copy", {"source": source, "destination": destination})

    async def has_blob(self, sha256: str) -> bool:
        """Whether the server has a file with this digest.

        Raises:
            BackendError: It does not say.
        """
        try:
            await self._http.fetch(f"/api/blobs/sha256:{sha256}", method="HEAD")
        except RequestRefused as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    async def upload(self, path: Path, sha256: str, report: Callable[[Step], None]) -> None:
        """Send a file, unless the server has it.

        Args:
            path: The file.
            sha256: Its digest, 64 hexadecimal digits.
            report: Is told each step.

        Raises:
            ModelFileError: The file cannot be read, or is not what it was when its digest was computed.
            BackendError: The server refuses.
        """

        async def once() -> None:
            if await self.has_blob(sha256):
                report(Step(_("the server has the file already")))
                return
            with _opened(path) as file:
                await self._send(path, file, sha256, report)

        await self._resumed(once, report)

    async def _send(self, path: Path, file: BinaryIO, sha256: str, report: Callable[[Step], None]) -> None:
        total = await asyncio.to_thread(file.seek, 0, 2)
        await asyncio.to_thread(file.seek, 0)
        pieces = _Pieces(path, file, total)
        async with self._http.open(f"/api/blobs/sha256:{sha256}", Upload(pieces, total)) as exchange:
            sent = False
            while not exchange.head.done():
                await asyncio.wait({exchange.head}, timeout=_BEAT)
                if not sent:
                    report(Step(_("uploading"), pieces.done, total))
                    sent = pieces.done == total
                    if sent:
                        report(Step(_("verifying")))
            try:
                await exchange.begin()
            except RequestRefused as error:
                raise _mismatch(path, error) from error
            await exchange.drain()

    async def _resumed(self, work: Callable[[], Awaitable[None]], report: Callable[[Step], None]) -> None:
        """Do `work`, and again when the connection broke."""
        for left in reversed(range(self._attempts + 1)):
            try:
                await work()
            except (ReplyCut, ConnectFailed) as error:
                if not left:
                    raise
                report(Step(_("{problem} Trying again").format(problem=error.message)))
                await asyncio.sleep(self._delay)
            else:
                return

    async def _job(self, path: str, body: object, report: Callable[[Step], None]) -> None:
        """Ask for work that the server tells about until it is done."""
        async with self._http.open(path, body) as exchange:
            await exchange.begin()
            exchange.silence = _SILENCE
            last = ""
            async with aclosing(exchange.records(NdjsonDecoder(), _RECORD)) as records:
                async for record in records:
                    if record.error is not None:
                        raise job_error(record.error)
                    last = sanitize_line(record.status)
                    report(Step(last, max(record.completed, 0), max(record.total, 0)))
            if last != "success":
                sentence = _("{host} stopped before it was done.").format(host=self._http.endpoint.host)
                raise ReplyCut(sentence, _("What has come stays there; ask again, and it goes on."))


class _Pieces:
    """A file's bytes as they are sent; `done` counts those that the connection has taken.

    Args:
        path: What a user calls it.
        file: Open for reading, at its start.
        total: Its length, which it must keep.
    """

    def __init__(self, path: Path, file: BinaryIO, total: int) -> None:
        self._path = path
        self._file = file
        self._total = total
        self.done = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.done < self._total:
            try:
                piece = await asyncio.to_thread(self._file.read, min(_PIECE, self._total - self.done))
            except OSError as error:
                raise _unreadable(self._path, error) from error
            if not piece:
                raise ModelFileError(
                    _("{path} became shorter while it was sent.").format(path=sanitize_line(str(self._path))),
                    _("Try again."),
                )
            yield piece
            self.done += len(piece)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ModelFileError:
    sentence = _("{path} cannot be read: {reason}.")
    return ModelFileError(sentence.format(path=sanitize_line(str(path)), reason=error.strerror or error))


def _mismatch(path: Path, error: RequestRefused) -> RequestRefused | ModelFileError:
    """The refusal, in better words where the server found another digest than it was told."""
    if "digest mismatch" not in error.message:
        return error
    return ModelFileError(
        _("What the server got is not what {file} was (digest mismatch).").format(
            file=sanitize_line(path.name)
        ),
        _("The file was changed while it was read, or the connection damages data; try again."),
    )


def job_error(error: object) -> BackendError:
    """What an `error` record of a pull or a create means.

    Args:
        error: The record's value, a text.
    """
    text = sanitize_line(error if isinstance(error, str) else str(error), _QUOTE_LIMIT).rstrip(".")
    sentence = _("The server could not finish: {words}.").format(words=text)
    for pattern, hint in _HINTS:
        if re.search(pattern, text, re.IGNORECASE):
            return ServerFailed(sentence, _(hint), status=HTTPStatus.OK)
    if text.startswith("pull model manifest") and _MISSING.search(text):
        return ModelNotFound(
            _("The registry has no such model."),
            _("Look for it at https://ollama.com/library."),
            status=404,
        )
    return ServerFailed(sentence, _("The server's log says more."), status=HTTPStatus.OK)
