"""HTTP to one endpoint: clients made on first use, and every failure as an error of the tree.

httpx is imported, and the certificates read, in a thread: both take long enough to be seen as a stutter.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from qwentui import __version__
from qwentui.backends.early_answer import CONNECTED, watch
from qwentui.backends.exchange import Exchange
from qwentui.backends.failures import stranger_error
from qwentui.backends.framing import RECORD_LIMIT, FramingError, decode
from qwentui.chat.errors import BackendError, ConnectFailed, NotAModelServer, ReplyCut, TlsFailed
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator

    import httpx

    from qwentui.backends.address import Endpoint

CONNECT_TIMEOUT = 10.0
WRITE_TIMEOUT = 30.0
ANSWER_TIMEOUT = 30.0
"""Seconds for a whole answer that no model has to work for."""

SILENCE = 300.0
"""Seconds without a byte after which a reply that has begun counts as broken, unless a backend is told."""

_KEEPALIVE = 60.0  # seconds that an idle connection is kept; a new one costs round trips of SSH or TLS
_IDLE_LIMIT = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is no JSON: `length` bytes, produced piece by piece."""

    content: AsyncIterable[bytes]
    length: int


class HttpClient:
    """Requests to one endpoint; connections are kept for the next one, and belong to one event loop.

    Every exchange has an httpx client, and so a connection pool, to itself: a request that is cancelled at
    an unlucky moment leaves its connection in the pool for good (httpcore 1.0), and closing the whole pool
    is what surely closes it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._make: Callable[[], httpx.AsyncClient] | None = None
        self._preparing = asyncio.Lock()
        self._idle: list[httpx.AsyncClient] = []
        self._closed = False

    async def fetch(
        self,
        path: str,
        body: object = None,
        *,
        method: str = "",
        timeout: float | None = ANSWER_TIMEOUT,  # noqa: ASYNC109 - it is part of the error's sentence
        limit: int = RECORD_LIMIT,
    ) -> bytes:
        """The whole body of an answer with status 200: to a POST of `body` as JSON, else to a GET.

        Args:
            path: The path below the endpoint's URL.
            body: What to send; None makes it a GET.
            method: Another method than these.
            timeout: Seconds for the whole exchange, None to wait for as long as it takes.
            limit: The most bytes that the body may have.

        Raises:
            BackendError: Any other outcome.
        """
        host = self.endpoint.host
        try:
            async with asyncio.timeout(timeout), self.open(path, body, method=method) as exchange:
                await exchange.begin()
                data = await exchange.read_all(limit)
        except TimeoutError as error:
            hint = _("The server may be overloaded, or something else listens there.")
            sentence = _("{host} gave no full answer within {seconds:g} s.")
            raise ConnectFailed(sentence.format(host=host, seconds=timeout), hint) from error
        except ReplyCut as error:
            raise ConnectFailed(_("{host} broke off its answer.").format(host=host), error.hint) from error
        if len(data) > limit:
            raise stranger_error(self.endpoint.host)
        return data

    async def fetch_json(
        self,
        path: str,
        decoder: msgspec.json.Decoder[T],
        body: object = None,
        *,
        timeout: float | None = ANSWER_TIMEOUT,  # noqa: ASYNC109 - as above
        limit: int = RECORD_LIMIT,
    ) -> T:
        """The same, decoded.

        Raises:
            BackendError: Any other outcome; NotAModelServer when the body is not what the decoder wants.
        """
        data = await self.fetch(path, body, timeout=timeout, limit=limit)
        try:
            return decode(data, decoder)
        except FramingError as error:
            raise stranger_error(self.endpoint.host) from error

    @asynccontextmanager
    async def open(self, path: str, body: object = None, *, method: str = "") -> AsyncIterator[Exchange]:
        """Begin a request; leaving the block closes its connection unless the answer was read to its end.

        Neither the connection nor the headers are waited for: that is for `Exchange.begin`.
        """
        client = await self._take(fresh=isinstance(body, Upload))
        sent = asyncio.Event()
        head = asyncio.ensure_future(self._send(client, method, path, body, sent))
        exchange = Exchange(self.endpoint.host, head, sent)
        try:
            yield exchange
        finally:
            try:
                await exchange.aclose()
            finally:
                await self._give_back(client, reusable=exchange.ended)

    async def _send(
        self, client: httpx.AsyncClient, method: str, path: str, body: object, sent: asyncio.Event
    ) -> httpx.Response:
        import httpx

        async def trace(event: str, info: dict[str, Any]) -> None:
            if event == "http11.send_request_body.complete":
                sent.set()
            elif event in CONNECTED and isinstance(body, Upload) and not self.endpoint.secure:
                watch(info["return_value"])

        content, headers = _encoded(body)
        method = method or ("GET" if body is None else "POST")
        try:
            url = self.endpoint.url + path
            request = client.build_request(
                method, url, content=content, headers=headers, extensions={"trace": trace}
            )
            return await client.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            raise connection_error(error, self.endpoint) from error

    async def _take(self, *, fresh: bool) -> httpx.AsyncClient:
        if self._idle and not fresh:
            return self._idle.pop()
        async with self._preparing:
            if self._make is None:
                self._make = await asyncio.to_thread(_prepare, self.endpoint)
        return self._make()

    async def _give_back(self, client: httpx.AsyncClient, *, reusable: bool) -> None:
        if reusable and not self._closed and len(self._idle) < _IDLE_LIMIT:
            self._idle.append(client)
        else:
            await client.aclose()

    async def aclose(self) -> None:
        """Close every connection that no exchange holds; each exchange closes its own."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()


def _encoded(body: object) -> tuple[bytes | AsyncIterable[bytes] | None, dict[str, str]]:
    """A body as httpx takes it, and the headers that tell of it."""
    if body is None:
        return None, {}
    if isinstance(body, Upload):
        return body.content, {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(body.length),
        }
    return msgspec.json.encode(body), {"Content-Type": "application/json"}


def connection_error(error: Exception, endpoint: Endpoint) -> BackendError:
    """What a failure before the headers means.

    Args:
        error: An `httpx.HTTPError` or `httpx.InvalidURL`, an OSError, or a UnicodeError of the host name.
        endpoint: Where the request went.
    """
    known = (_known_cause(cause, endpoint.host) for cause in _causes(error))
    return next((found for found in known if found is not None), None) or _by_kind(error, endpoint.host)


def _known_cause(cause: BaseException, host: str) -> BackendError | None:
    match cause:
        case ssl.SSLWantReadError():  # what a handshake says that waits for its next bytes
            hint = _("If it speaks plain HTTP, write the address with http://.")
            return ConnectFailed(_("{host} did not answer in TLS.").format(host=host), hint)
        case ssl.SSLError():
            return _tls_error(cause, host)
        case socket.gaierror():
            sentence = _("No address is known for {host}.")
            return ConnectFailed(sentence.format(host=host), _("Check the name, and the network."))
        case ConnectionRefusedError() | FileNotFoundError():
            hint = _("Start Ollama there (`ollama serve`), or give another address: --host or OLLAMA_HOST.")
            return ConnectFailed(_("Nothing listens at {host}.").format(host=host), hint)
    return None


def _by_kind(error: Exception, host: str) -> BackendError:
    import httpx

    match error:
        case httpx.TimeoutException():
            hint = _("It may be off, or a firewall drops the connection.")
            return ConnectFailed(_("{host} did not react in time.").format(host=host), hint)
        case httpx.RemoteProtocolError() if "without sending a response" not in str(error):
            hint = _("Check the address: another program may listen there, or the server may want https://.")
            return NotAModelServer(_("{host} does not speak HTTP.").format(host=host), hint)
        case httpx.RemoteProtocolError() | httpx.ReadError():
            hint = _("The server stopped, or it is no model server.")
            sentence = _("{host} closed the connection without an answer.")
            return ConnectFailed(sentence.format(host=host), hint)
    sentence = _("No connection to {host}: {reason}.").format(host=host, reason=_reason(error))
    return ConnectFailed(sentence, _("Check the address, and the network."))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that led to it, groups of parallel attempts included."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _causes(member)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield from _causes(cause)


def _reason(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
    return sanitize_line(str(error)).rstrip(".") or type(error).__name__


def _tls_error(error: ssl.SSLError, host: str) -> TlsFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = _(
            "If it is signed by an authority of your own, name that one's file in the settings (ca_file)."
        )
        sentence = _("The certificate of {host} is not trusted: {reason}.")
        return TlsFailed(sentence.format(host=host, reason=error.verify_message), hint)
    reason = sanitize_line((error.reason or str(error)).replace("_", " ").lower())
    hint = _(
        "If it speaks plain HTTP, write the address with http://; it may also want a client certificate."
    )
    return TlsFailed(_("TLS with {host} failed: {reason}.").format(host=host, reason=reason), hint)


def _prepare(endpoint: Endpoint) -> Callable[[], httpx.AsyncClient]:
    """What makes a client in no time; runs in a thread."""
    import anyio
    import httpx

    anyio.run(anyio.sleep, 0)  # imports what the first request would import inside the event loop
    context = _tls_context(endpoint)
    headers = httpx.Headers({"User-Agent": f"qwentui/{__version__}", "Accept-Encoding": "identity"})
    if endpoint.authorization:
        headers["Authorization"] = endpoint.authorization
    headers.update(dict(endpoint.headers))
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEEPALIVE)
    timeout = httpx.Timeout(connect=CONNECT_TIMEOUT, read=None, write=WRITE_TIMEOUT, pool=None)

    def make() -> httpx.AsyncClient:
        transport = None
        if endpoint.uds:
            transport = httpx.AsyncHTTPTransport(uds=endpoint.uds, verify=context, limits=limits)
        try:
            return httpx.AsyncClient(
                headers=headers,
                verify=context,
                trust_env=endpoint.trust_env,
                timeout=timeout,
                limits=limits,
                transport=transport,
            )
        except (ValueError, ImportError) as error:
            sentence = _("The proxy of the environment cannot be used: {reason}.")
            hint = _("Correct HTTP_PROXY and its kin, or turn trust_env off in the settings.")
            raise ConnectFailed(sentence.format(reason=_reason(error)), hint) from error

    return make


def _tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    """What we trust, and our own certificate; an empty one costs nothing where no TLS is spoken."""
    if not endpoint.secure and not endpoint.trust_env:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    path = endpoint.ca_file
    try:
        context = ssl.create_default_context(cafile=path or None)
        path = endpoint.client_cert
        if path:
            context.load_cert_chain(path, endpoint.client_key or None)
    except OSError as error:
        raise TlsFailed(
            _("The certificate file {path} cannot be used: {reason}.").format(
                path=path, reason=_reason(error)
            ),
            _("It must be a PEM file."),
        ) from error
    if not endpoint.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
