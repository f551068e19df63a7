"""Prompt tokens as an OpenAI-compatible server itself counts them, where it has a route for that.

llama.cpp's server renders the prompt at `/apply-template` and cuts it into tokens at `/tokenize`
(`tools/server/README.md`); vLLM does both at `/tokenize` (`vllm/entrypoints/serve/tokenize/protocol.py`).
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from qwentui.chat.errors import ModelNotFound, NotAModelServer, RequestRefused, ServerFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from qwentui.backends.http import HttpClient

    Way = Callable[[Mapping[str, object]], Awaitable[int]]

TIMEOUT = 2.0
"""Seconds that a count may hold up a request, finding out who can count included."""

# What servers and gateways say to a route that they lack, or that takes other fields with them. 400 is not
# among them: so llama.cpp and vLLM report a template that refuses one conversation, perhaps the first.
_NO_SUCH_ROUTE = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.NOT_IMPLEMENTED,
    }
)


class _Prompt(msgspec.Struct):
    prompt: str


class _Tokens(msgspec.Struct):
    tokens: list[int]


class _Counted(msgspec.Struct):
    count: int


_PROMPT = msgspec.json.Decoder(_Prompt)
_TOKENS = msgspec.json.Decoder(_Tokens)
_COUNTED = msgspec.json.Decoder(_Counted)


class ServerCount:
    """Asks one server for counts, and remembers which of the two ways it knows, or that it knows none.

    Args:
        http: The way to the server.
        timeout: Seconds after which a count is given up.
    """

    def __init__(self, http: HttpClient, *, timeout: float = TIMEOUT) -> None:
        self._http = http
        self._timeout = timeout
        self._ways: tuple[Way, ...] = (self._by_llama_cpp, self._by_vllm)
        self._proven = False

    async def of(self, payload: Mapping[str, object]) -> int | None:
        """The tokens of the prompt that the server makes of the body of a chat request.

        None where the server cannot count, or does not this time: too slow, busy, or it refuses the prompt.

        Raises:
            ConnectFailed: There is no connection.
            TlsFailed: The connection is not trusted.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._first_count(payload)
        except TimeoutError:
            return None

    async def _first_count(self, payload: Mapping[str, object]) -> int | None:
        for way in self._ways:
            try:
                tokens = await way(payload)
            except (RequestRefused, ServerFailed, NotAModelServer) as error:
                if not self._proven and _lacks_route(error):
                    self._ways = tuple(other for other in self._ways if other != way)
            else:
                self._ways, self._proven = (way,), True
                return tokens
        return None

    async def _by_llama_cpp(self, payload: Mapping[str, object]) -> int:
        """The chat's own body goes to the template, for the server reads it by the same rules."""
        rendered = await self._http.fetch_json("/apply-template", _PROMPT, payload, timeout=None)
        # The chat tokenizes with both flags, so a BOS token is added and control tokens are obeyed.
        body = {"content": rendered.prompt, "add_special": True, "parse_special": True}
        named = {"model": payload["model"], **body}
        return len((await self._http.fetch_json("/tokenize", _TOKENS, named, timeout=None)).tokens)

    async def continues(self, payload: Mapping[str, object], partial: str) -> bool | None:
        """Whether the prompt of a chat request ends with `partial`; None where the server shows no prompt."""
        try:
            rendered = await self._http.fetch_json("/apply-template", _PROMPT, payload)
        except (RequestRefused, ServerFailed, NotAModelServer):
            return None
        return rendered.prompt.endswith(partial)

    async def _by_vllm(self, payload: Mapping[str, object]) -> int:
        """The chat passes `reasoning_effort` on to the template; `/tokenize` has it from the kwargs alone."""
        kwargs = payload.get("chat_template_kwargs")
        given = dict(kwargs) if isinstance(kwargs, dict) else {}
        if "reasoning_effort" in payload:
            given["reasoning_effort"] = payload["reasoning_effort"]
        body = {
            "model": payload["model"],
            "messages": payload["messages"],
            "add_generation_prompt": True,
            **({"chat_template_kwargs": given} if given else {}),
        }
        return (await self._http.fetch_json("/tokenize", _COUNTED, body, timeout=None)).count


def _lacks_route(error: RequestRefused | ServerFailed | NotAModelServer) -> bool:
    """Whether the server will say the same to every count: it is not this prompt, nor this moment."""
    if isinstance(error, NotAModelServer):
        return True
    return error.status in _NO_SUCH_ROUTE and not isinstance(error, ModelNotFound)
