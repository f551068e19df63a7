"""A small, real package index (the simple repository API, PEP 503 and 658) that serves one wheel.

with PackageIndex(wheel, hold_after=1 << 20) as index:
    index.settings()         # what makes pip ask this index and no other
    index.ranges             # the Range header of every request for the wheel, "" where there was none
    index.release()          # lets go what is held
"""

from __future__ import annotations

import base64
import os
import re
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

_DEADLINE = 20.0
_CHUNK = 1 << 16


def write_wheel(folder: Path, package: str, version: str, members: dict[str, bytes]) -> Path:
    """A wheel that pip accepts, with `members` stored as they are."""
    name = f"{package.replace('-', '_')}-{version}"
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(f"{name}.dist-info/METADATA", _metadata(package, version))
        archive.writestr(
            f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}.dist-info/RECORD", "")
    return path


def _metadata(package: str, version: str) -> str:
    return f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"


@dataclass
class PackageIndex:
    """The index.

    Args:
        wheel: The file to serve; its name tells the package.
        ranges_known: Whether range requests are obeyed.
        metadata_served: Whether the metadata can be had apart from the wheel (PEP 658).
        hold_after: Offset in the wheel at which the answer stops until `release`.
        cut_after: Offset in the wheel at which the connection is dropped, the first time it is reached.
        dead_after: Offset in the wheel beyond which every connection is dropped.
        password: The password of the user "qwen", without whom nobody gets anything.
    """

    wheel: Path
    ranges_known: bool = True
    metadata_served: bool = True
    hold_after: int | None = None
    cut_after: int | None = None
    dead_after: int | None = None
    password: str = ""
    ranges: list[str] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"index": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def release(self) -> None:
        """Let go what is held, and hold nothing any more."""
        self._released.set()

    def settings(self) -> dict[str, str]:
        """The environment that makes pip ask this index."""
        login = f"qwen:{self.password}@" if self.password else ""
        return no_other_index() | {
            "PIP_INDEX_URL": f"http://{login}127.0.0.1:{self._server.server_port}/simple"
        }

    def pass_gates(self, start: int, end: int) -> int:
        """Where the bytes from `start` to `end` must stop; waits at a gate that is closed."""
        if self.dead_after is not None and end > self.dead_after:
            return max(start, self.dead_after)
        if self.cut_after is not None and start <= self.cut_after < end:
            cut, self.cut_after = self.cut_after, None
            return cut
        if self.hold_after is not None and start <= self.hold_after < end and not self._released.is_set():
            if start < self.hold_after:
                return self.hold_after
            self.held.set()
            self._released.wait(_DEADLINE)
        return end


def no_other_index() -> dict[str, str]:
    """The environment that keeps pip from the settings of the machine that runs the tests."""
    return {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    index: PackageIndex

    def do_GET(self) -> None:
        wheel = self.index.wheel
        package, version = wheel.name.split("-")[:2]
        page = f"/simple/{package.replace('_', '-')}/"
        if not self._let_in():
            self._answer(401, b"", {"WWW-Authenticate": 'Basic realm="index"'})
        elif self.path == page:
            apart = ' data-core-metadata="true"' if self.index.metadata_served else ""
            link = f'<a href="/files/{wheel.name}"{apart}>{wheel.name}</a>'
            self._answer(200, f"<!DOCTYPE html><body>{link}</body>".encode(), {"Content-Type": "text/html"})
        elif self.path == f"/files/{wheel.name}.metadata" and self.index.metadata_served:
            self._answer(200, _metadata(package, version).encode(), {})
        elif self.path == f"/files/{wheel.name}":
            self._send_wheel(wheel.read_bytes())
        else:
            self._answer(404, b"no such page", {})

    def do_HEAD(self) -> None:
        headers = {"Accept-Ranges": "bytes"} if self.index.ranges_known else {}
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(self.index.wheel.stat().st_size))
        self.end_headers()

    def _let_in(self) -> bool:
        login = base64.b64encode(f"qwen:{self.index.password}".encode()).decode()
        return not self.index.password or self.headers.get("Authorization") == f"Basic {login}"

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_wheel(self, data: bytes) -> None:
        asked = self.headers.get("Range", "")
        by_pip = "pip/" in self.headers.get("User-Agent", "")
        if not by_pip:
            self.index.ranges.append(asked)
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked) if self.index.ranges_known else None
        if match is None:
            self._send_slice(data, 0, len(data), {}, 200)
            return
        start, end = int(match[1]), int(match[2]) + 1 if match[2] else len(data)
        if start >= len(data):
            self._answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        self._send_slice(data, start, end, {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}, 206)

    def _send_slice(self, data: bytes, start: int, end: int, headers: dict[str, str], status: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        try:
            while start < end:
                upto = min(start + _CHUNK, end)
                stop = self.index.pass_gates(start, upto)
                self.wfile.write(data[start:stop])
                if stop < upto and stop != self.index.hold_after:
                    self.close_connection = True
                    return
                start = stop
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""
