from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.backends.address import Endpoint, parse_host
from qwentui.chat.errors import SettingsError

# The first part is Ollama's own table (`envconfig/config_test.go`), with loopback for what only listens.
ADDRESSES = {
    "": "http://127.0.0.1:11434",
    "1.2.3.4": "http://1.2.3.4:11434",
    ":1234": "http://127.0.0.1:1234",
    "1.2.3.4:1234": "http://1.2.3.4:1234",
    "example.com": "http://example.com:11434",
    "example.com:1234": "http://example.com:1234",
    "[::1]": "http://[::1]:11434",
    "[::]": "http://[::1]:11434",
    "::1": "http://[::1]:11434",
    "[::1]:1337": "http://[::1]:1337",
    " 1.2.3.4 ": "http://1.2.3.4:11434",
    '"1.2.3.4"': "http://1.2.3.4:11434",
    ' " 1.2.3.4 " ': "http://1.2.3.4:11434",
    "'1.2.3.4'": "http://1.2.3.4:11434",
    "http://1.2.3.4": "http://1.2.3.4:80",
    "http://1.2.3.4:4321": "http://1.2.3.4:4321",
    "https://1.2.3.4": "https://1.2.3.4:443",
    "https://1.2.3.4:4321": "https://1.2.3.4:4321",
    "https://example.com/ollama": "https://example.com:443/ollama",
    "0.0.0.0": "http://127.0.0.1:11434",
    "0.0.0.0:8080": "http://127.0.0.1:8080",
    "[::]:8080": "http://[::1]:8080",
    "https://example.com/a/b/": "https://example.com:443/a/b",
    "example.com/ollama": "http://example.com:11434/ollama",
    "HTTPS://example.com": "https://example.com:443",
    "ollama.com": "https://ollama.com:443",
    "my_host": "http://my_host:11434",
    "münchen.de": "http://münchen.de:11434",
    "me:secret@example.com:1": "http://me:secret@example.com:1",
    "https://me:p%40ss@example.com": "https://me:p%40ss@example.com:443",
}


@pytest.mark.parametrize(("text", "url"), ADDRESSES.items())
def test_addresses_follow_the_rules_of_ollama_host(text: str, url: str) -> None:
    assert parse_host(text) == url


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (":0", "port"),
        (":66000", "port"),
        (":-1", "port"),
        ("host:http", "port"),
        ("host:", "port"),
        ("host:" + "1" * 5000, "port"),
        ("a:b:c", "port"),
        ("ftp://host", "http://"),
        ("unix:///run/ollama.sock", "http://"),
        ("two words", "host name"),
        ("[::1]x", "host name"),
        ("[nonsense]:80", "host name"),
        ("host?x=1", "host name"),
        ("host/a b", "path"),
        ("host/a?b", "path"),
        ("evil\x1b[2Jhost", "host name"),
    ],
)
def test_what_is_no_address_is_one_sentence(text: str, part: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_host(text)
    assert part in caught.value.message
    assert caught.value.hint
    assert caught.value.message.isprintable()


def test_errors_keep_the_password_to_themselves() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_host("me:secret@host:port")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("password", ["[", "a#b", "a?b", "%40", "ü", "x y"])
def test_a_password_may_hold_what_parts_a_url(password: str) -> None:
    endpoint = Endpoint(parse_host(f"me:{password}@a10:11434"))
    assert endpoint.host == "a10:11434"
    expected = "@" if password == "%40" else password
    assert b64decode(endpoint.authorization.removeprefix("Basic ")).decode() == f"me:{expected}"


@given(st.text())
def test_any_text_is_an_address_or_a_settings_error(text: str) -> None:
    try:
        url = parse_host(text)
    except SettingsError:
        return
    assert parse_host(url) == url
    assert Endpoint(url).host


def test_an_endpoint_shows_no_secret() -> None:
    endpoint = Endpoint(
        "https://me:secret@example.com:443/ollama", bearer="token", headers=(("X-Key", "key"),)
    )
    assert endpoint.url == "https://example.com:443/ollama"
    assert endpoint.host == "example.com/ollama"
    assert repr(endpoint) == "Endpoint('example.com/ollama')"


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        (Endpoint(), "127.0.0.1:11434"),
        (Endpoint("http://a10:80"), "a10"),
        (Endpoint("https://a10:80"), "a10:80"),
        (Endpoint("http://[::1]:11434/x"), "[::1]:11434/x"),
        (Endpoint(uds="/run/ollama.sock"), "unix:/run/ollama.sock"),
    ],
)
def test_the_host_is_what_a_user_reads(endpoint: Endpoint, host: str) -> None:
    assert endpoint.host == host


def basic(pair: str) -> str:
    return "Basic " + b64encode(pair.encode()).decode()


@pytest.mark.parametrize(
    ("endpoint", "authorization"),
    [
        (Endpoint(), ""),
        (Endpoint(bearer="token"), "Bearer token"),
        (Endpoint(basic=("me", "p:w")), basic("me:p:w")),
        (Endpoint("http://me:p%40ss@h:1"), basic("me:p@ss")),
        (Endpoint("http://me@h:1"), basic("me:")),
        (Endpoint("http://me:pw@h:1", basic=("you", "x")), basic("you:x")),
        (Endpoint("http://me:pw@h:1", bearer="token", basic=("you", "x")), "Bearer token"),
    ],
)
def test_one_authorization_is_chosen(endpoint: Endpoint, authorization: str) -> None:
    assert endpoint.authorization == authorization


@pytest.mark.parametrize("header", [("X Y", "1"), ("", "1"), ("X", "a\r\nEvil: 1"), ("X", "ü")])
def test_a_header_that_cannot_be_sent_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(SettingsError, match="header"):
        Endpoint(headers=(header,))


def test_a_token_with_a_line_end_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        Endpoint(bearer="secret\n")
    assert "secret" not in str(caught.value)
