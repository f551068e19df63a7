from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from outcome import nothing_left, outcome_of
from script import Plain
from scripted_server import ScriptedServer

from qwentui.backends import http
from qwentui.backends.address import Endpoint
from qwentui.backends.ollama import OllamaBackend
from qwentui.chat.errors import BackendError, ConnectFailed, NotAModelServer, TlsFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BODY = b'{"version":"1.2.3"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that is its own authority, and its key, in one PEM file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    extensions = (
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "basicConstraints=critical,CA:TRUE",
        "keyUsage=critical,digitalSignature,keyCertSign",
    )
    command: list[str | Path] = [openssl, "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    for extension in extensions:
        command += ["-addext", extension]
    subprocess.run(command, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return both


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def tls_server(certificate: Path, *, ask_for_client: bool = False) -> AsyncIterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    if ask_for_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    # A client that turns away is no news, but asyncio's TLS would log it.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def version(endpoint: Endpoint) -> str:
    backend = OllamaBackend(endpoint)
    try:
        return await backend.version()
    finally:
        await backend.aclose()
        await nothing_left()


async def error_of(endpoint: Endpoint) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await version(endpoint)
    assert caught.value.hint
    return caught.value


async def test_credentials_and_headers_go_with_every_request() -> None:
    async with ScriptedServer() as server:
        headers = (("X-Access", "id"), ("user-agent", "mine"))
        await version(Endpoint(server.url, bearer="token", headers=headers))
        sent = server.requests[0].headers
    assert sent["authorization"] == "Bearer token"
    assert sent["x-access"] == "id"
    assert sent["user-agent"] == "mine"
    assert sent["accept-encoding"] == "identity"
    assert "origin" not in sent


async def test_a_user_in_the_address_becomes_basic_authentication() -> None:
    async with ScriptedServer() as server:
        await version(Endpoint(server.url.replace("://", "://me:pw@")))
        assert server.requests[0].headers["authorization"] == "Basic bWU6cHc="


async def test_a_path_prefix_stands_before_every_path() -> None:
    async with ScriptedServer(at={"/gpu/ollama/api/version": Plain(body=BODY)}) as server:
        assert await version(Endpoint(server.url + "/gpu/ollama")) == "1.2.3"


async def test_the_proxy_of_the_environment_counts_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer() as server, ScriptedServer() as proxy:
        for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", proxy.url)
        await version(Endpoint(server.url))
        assert (len(server.requests), len(proxy.requests)) == (1, 0)
        await error_of(Endpoint(server.url, trust_env=True))
        assert [request.path for request in proxy.requests] == [f"{server.url}/api/version"]


async def test_a_proxy_that_cannot_be_used_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "gopher://proxy")
    error = await error_of(Endpoint(trust_env=True))
    assert type(error) is ConnectFailed
    assert "proxy" in error.message


async def test_a_unix_socket_takes_the_place_of_the_port(tmp_path: Path) -> None:
    path = tmp_path / "o.sock"
    server = await asyncio.start_unix_server(answer, path)
    async with server:
        assert await version(Endpoint(uds=str(path))) == "1.2.3"
    error = await error_of(Endpoint(uds=str(tmp_path / "none.sock")))
    assert type(error) is ConnectFailed
    assert "Nothing listens at unix:" in error.message


async def test_an_authority_of_ones_own_is_trusted(certificate: Path) -> None:
    async with tls_server(certificate) as url:
        assert await version(Endpoint(url, ca_file=str(certificate))) == "1.2.3"
        assert await version(Endpoint(url, verify=False)) == "1.2.3"


async def test_an_unknown_authority_is_not_trusted(certificate: Path) -> None:
    async with tls_server(certificate) as url:
        error = await error_of(Endpoint(url))
    assert type(error) is TlsFailed
    assert "not trusted" in error.message
    assert "ca_file" in error.hint


async def test_a_name_that_the_certificate_does_not_hold_is_not_trusted(certificate: Path) -> None:
    async with tls_server(certificate) as url:
        error = await error_of(Endpoint(url.replace("127.0.0.1", "127.0.0.2"), ca_file=str(certificate)))
    assert isinstance(error, (TlsFailed, ConnectFailed))


async def test_our_own_certificate_is_shown_when_asked_for(certificate: Path) -> None:
    endpoint = Endpoint(ca_file=str(certificate))
    async with tls_server(certificate, ask_for_client=True) as url:
        mine = replace(endpoint, base_url=url, client_cert=str(certificate))
        assert await version(mine) == "1.2.3"
        error = await error_of(replace(mine, client_cert=""))
    assert type(error) in (TlsFailed, ConnectFailed)


async def test_tls_to_a_plain_port_that_waits_for_more_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECT_TIMEOUT", 0.2)
    async with ScriptedServer() as server:
        error = await error_of(Endpoint(server.url.replace("http:", "https:")))
    assert type(error) is ConnectFailed
    assert "http://" in error.hint


async def test_cancelling_a_tls_handshake_leaves_no_connection() -> None:
    accepted = asyncio.Event()
    closed = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        writer.close()
        closed.set()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        backend = OllamaBackend(Endpoint(url))
        asking = asyncio.create_task(backend.version())
        await accepted.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(closed.wait(), 10)
        await backend.aclose()
    await nothing_left()


async def test_tls_to_a_plain_port_that_answers_says_so() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        error = await error_of(Endpoint(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    assert type(error) is TlsFailed
    assert "http://" in error.hint


async def test_plain_http_to_a_tls_port_says_so(certificate: Path) -> None:
    async with tls_server(certificate) as url:
        error = await error_of(Endpoint(url.replace("https:", "http:")))
    assert isinstance(error, (NotAModelServer, ConnectFailed))


async def test_a_certificate_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("nothing")
    for path in map(str, (garbage, tmp_path / "missing.pem")):
        for endpoint in (Endpoint("https://x:1", ca_file=path), Endpoint("https://x:1", client_cert=path)):
            error = await error_of(endpoint)
            assert type(error) is TlsFailed
            assert path in error.message


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://no-such-host.invalid:1", "No address is known for no-such-host.invalid:1"),
        ("http://127.0.0.1:1", "Nothing listens at 127.0.0.1:1"),
        ("http://[fe80::1%25nowhere]:1", "No address is known"),
        ("http://xn--:1", "xn--:1"),
        (f"http://{'x' * 70}:1", "xxx"),
    ],
)
async def test_an_address_that_leads_nowhere_is_one_sentence(url: str, part: str) -> None:
    error = await error_of(Endpoint(url))
    assert type(error) is ConnectFailed
    assert part in error.message


async def test_two_requests_at_once_share_one_client() -> None:
    async with ScriptedServer() as server:
        backend = OllamaBackend(Endpoint(server.url))
        outcome, name, models = await asyncio.gather(outcome_of(backend), backend.version(), backend.models())
        await backend.aclose()
    assert outcome.error is None
    assert (name, len(models)) == ("0.32.15", 1)
    await nothing_left()


def test_nothing_heavy_is_imported_before_the_first_request() -> None:
    code = "import sys, qwentui.backends.detect; print([m for m in ('httpx', 'anyio', 'h11') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
