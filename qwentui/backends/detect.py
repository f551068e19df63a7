"""Which kind of server answers at an address."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from qwentui.backends.framing import FramingError, decode
from qwentui.backends.http import SILENCE, HttpClient
from qwentui.backends.ollama import OllamaBackend
from qwentui.backends.openai import OpenAIBackend
from qwentui.chat.errors import AccessDenied, NotAModelServer, RequestRefused
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwentui.backends.address import Endpoint
    from qwentui.backends.base import Backend
    from qwentui.chat.errors import BackendError

Api = Literal["auto", "ollama", "openai"]

PROBE_TIMEOUT = 10.0
"""Seconds for each question."""

_PROBE_LIMIT = 1024 * 1024  # bytes; the longest true answer is a list of models


class _Version(msgspec.Struct):
    version: str


class _Models(msgspec.Struct):
    data: list[Any]


async def detect(endpoint: Endpoint, api: Api = "auto", *, silence: float = SILENCE) -> Backend:
    """The backend for what answers at `endpoint`; whoever gets it closes it.

    Args:
        endpoint: Where to ask; a `/v1` at the end of its URL is left off.
        api: The API to expect, or "auto" to find out.
        silence: Seconds without a byte after which a reply that has begun counts as broken.

    Raises:
        BackendError: Nothing answers, nothing that serves models, or it does not let us in.
    """
    endpoint = replace(endpoint, base_url=endpoint.base_url.removesuffix("/v1"))
    http = HttpClient(endpoint)
    try:
        found = await _find(http, api)
    finally:
        await http.aclose()
    return (OllamaBackend if found == "ollama" else OpenAIBackend)(endpoint, silence=silence)


async def _find(http: HttpClient, api: Api) -> Api:
    """Ask for what only one kind of server says; a failing server or connection is raised at once."""
    refusals: list[BackendError] = []
    for kind, path, fits in _PROBES:
        if api not in ("auto", kind):
            continue
        try:
            body = await http.fetch(path, timeout=PROBE_TIMEOUT, limit=_PROBE_LIMIT)
        except (RequestRefused, NotAModelServer) as error:
            refusals.append(error)
        else:
            if fits(body):
                return kind
    telling = (e for kind in (AccessDenied, NotAModelServer) for e in refusals if isinstance(e, kind))
    raise next(telling, _nobody(http.endpoint.host))


def _nobody(host: str) -> NotAModelServer:
    return NotAModelServer(
        _("{host} is neither Ollama nor an OpenAI-compatible server.").format(host=host),
        _("Check the address, its port and its path."),
    )


def _decodes(decoder: msgspec.json.Decoder[Any]) -> Callable[[bytes], bool]:
    def fits(body: bytes) -> bool:
        try:
            decode(body, decoder)
        except FramingError:
            return False
        return True

    return fits


_PROBES: tuple[tuple[Api, str, Callable[[bytes], bool]], ...] = (
    ("ollama", "/api/version", _decodes(msgspec.json.Decoder(_Version))),
    ("openai", "/v1/models", _decodes(msgspec.json.Decoder(_Models))),
    ("ollama", "/", lambda body: body.strip() == b"Ollama is running"),
)
