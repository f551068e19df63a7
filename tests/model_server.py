"""A scripted Ollama that holds models: it takes blobs, makes, copies, pulls and deletes, and breaks where told.

async with ModelServer(faults=[Cut(5000)]) as server:   # the first upload breaks after 5,000 bytes
    ...
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from script import Answer, Model, Plain, encode, failure, not_found
from scripted_server import HangUp, Request, ScriptedServer, read_head

if TYPE_CHECKING:
    from collections.abc import Sequence

MODELS_ROUTES = ("/api/create", "/api/pull", "/api/copy", "/api/delete")


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks after so many bytes of an upload."""

    after: int


@dataclass(frozen=True, slots=True)
class Stall:
    """The server takes no more than so many bytes of an upload, and says nothing."""

    after: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """The server answers so after the upload, whatever came."""

    answer: Plain


@dataclass(frozen=True, slots=True)
class Early:
    """The server answers so after so many bytes of an upload, and reads no more of it."""

    after: int
    answer: Plain


FULL_DISK = Refuse(failure(500, "write /models/blobs/sha256-1: no space left on device"))
"""What Ollama says when its disk is full."""


class ModelServer(ScriptedServer):
    """The server. `pulls` are the answers to `/api/pull`, one after the other; the last one stays."""

    def __init__(
        self,
        *replies: Answer,
        models: tuple[Model, ...] = (),
        faults: Sequence[Cut | Stall | Refuse | Early] = (),
        pulls: Sequence[Answer] = (),
        **rest: Any,
    ) -> None:
        super().__init__(*replies, models=models, **rest)
        self.blobs: dict[str, bytes] = {}
        self.faults = list(faults)
        self.pulls = list(pulls)
        self._left: set[asyncio.StreamReader] = set()
        self.created: list[dict[str, Any]] = []

    async def _receive(self, reader: asyncio.StreamReader) -> Request:
        if reader in self._left:
            await asyncio.Event().wait()
        request = await read_head(reader)
        length = int(request.headers.get("content-length", 0))
        upload = request.method == "POST" and request.path.startswith("/api/blobs/")
        if upload and self.faults and not isinstance(self.faults[0], Refuse):
            fault = self.faults.pop(0)
            request.body = await reader.readexactly(min(fault.after, length))
            self.requests.append(request)
            self._notify()
            if isinstance(fault, Early):
                self._left.add(reader)
                self.at[request.path] = fault.answer
                return request
            if isinstance(fault, Stall):
                await asyncio.Event().wait()
            raise HangUp
        request.body = await reader.readexactly(length)
        return request

    def _choose(self, request: Request) -> Answer:
        if request.path in self.at:
            return self.at[request.path]
        if request.path.startswith("/api/blobs/sha256:"):
            return self._blob(request)
        if request.path in MODELS_ROUTES:
            return self._change(request)
        return super()._choose(request)

    def _blob(self, request: Request) -> Plain:
        wanted = request.path.rpartition(":")[2]
        if request.method == "HEAD":
            return Plain(200 if wanted in self.blobs else 404)
        if self.faults:
            fault = self.faults.pop(0)
            assert isinstance(fault, Refuse)
            return fault.answer
        digest = hashlib.sha256(request.body).hexdigest()
        if digest != wanted:
            return failure(400, f'digest mismatch, expected "sha256:{wanted}", got "sha256:{digest}"')
        self.blobs[digest] = request.body
        return Plain(201)

    def _change(self, request: Request) -> Answer:
        asked = request.json
        match request.path:
            case "/api/create":
                return self._create(asked)
            case "/api/pull":
                self._add(Model(name=_tagged(asked["model"])))
                return self.pulls.pop(0) if len(self.pulls) > 1 else self.pulls[0]
            case "/api/copy":
                found = self._named(asked["source"])
                if found is None:
                    return not_found({"model": asked["source"]})
                self._add(replace(found, name=_tagged(asked["destination"])))
        if request.path == "/api/delete":
            found = self._named(asked["model"])
            if found is None:
                return not_found(asked)
            self.models = tuple(model for model in self.models if model is not found)
        return Plain()

    def _create(self, asked: dict[str, Any]) -> Plain:
        self.created.append(asked)
        for digest in (asked.get("files") or {}).values():
            if digest.removeprefix("sha256:") not in self.blobs:
                error = f"open /models/blobs/{digest.replace(':', '-')}: no such file or directory"
                return ndjson({"status": "parsing GGUF"}, {"error": error})
        num_ctx = (asked.get("parameters") or {}).get("num_ctx", 4096)
        self._add(Model(name=_tagged(asked["model"]), num_ctx=num_ctx))
        return ndjson(
            {"status": "parsing GGUF"},
            {"status": "using autodetected template chatml"},
            {"status": "writing manifest"},
            {"status": "success"},
        )

    def _named(self, name: str) -> Model | None:
        return next((model for model in self.models if model.name == _tagged(name)), None)

    def _add(self, model: Model) -> None:
        self.models = (*(other for other in self.models if other.name != model.name), model)


def _tagged(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def ndjson(*records: dict[str, object]) -> Plain:
    """A streamed answer, all of it at once."""
    return Plain(
        body=b"".join(encode(record) + b"\n" for record in records), content_type="application/x-ndjson"
    )


def layer(done: int, total: int) -> dict[str, object]:
    """A record of a pull: `done` of `total` bytes of its one layer."""
    return {"status": "pulling 941f309b54ca", "digest": "sha256:94", "total": total, "completed": done}


def main() -> None:
    """Serve until interrupted: `python tests/model_server.py 11434`."""
    pulls = [ndjson({"status": "pulling manifest"}, layer(40, 100), layer(100, 100), {"status": "success"})]
    models = (Model(), Model(name="llama3.2:3b", digest="c2" * 32, size=2_019_393_189))
    with ModelServer(models=models, pulls=pulls, port=int(sys.argv[1])).in_thread() as server:
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
