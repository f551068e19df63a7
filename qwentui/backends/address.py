"""Where a server is and how it is reached, as values; no I/O."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from qwentui.chat.errors import SettingsError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _

DEFAULT_PORT = 11434
"""Ollama's port."""

_PORTS = {"http": 80, "https": 443}
_HOSTNAME = re.compile(r"""[^\s\x00-\x20\x7f"'%/:<>?@#\[\]\\^`{|}]+""")
_PATH = re.compile(r"""[^\s\x00-\x20\x7f"<>?#\\^`{|}]*""")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_LAST_PORT = 65535
_EXAMPLE = N_('Write it like "a10:11434", "192.168.1.5" or "https://gpu.example.com/ollama".')


def parse_host(text: str) -> str:
    """The URL that an address stands for, by the rules of OLLAMA_HOST (Ollama, `envconfig.Host`).

    Without a scheme it is http and port 11434, `http://` means 80 and `https://` 443; a path prefix is
    kept, and an address that only a server can listen on (0.0.0.0, ::) becomes loopback. Unlike Ollama it
    keeps a user and password, and refuses a bad port in place of silently taking the default.

    Raises:
        SettingsError: The text is no address.
    """
    value = text.strip().strip("\"'").strip()
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = ("https", "ollama.com:443") if value == "ollama.com" else ("http", value)
    scheme = scheme.lower()
    authority, _slash, path = rest.partition("/")
    user, at, location = authority.rpartition("@")
    shown = f"{location}/{path}" if path else location
    if scheme not in _PORTS:
        raise _unusable(_("The address {address!r} begins with neither http:// nor https://."), shown)
    if not _PATH.fullmatch(path):
        raise _unusable(_("The address {address!r} has a path that cannot be used."), shown)
    host, port = _split(location)
    if not host:
        raise _unusable(_("The address {address!r} holds no host name."), shown)
    if port is None:
        port = str(_PORTS[scheme] if separator else DEFAULT_PORT)
    if not (re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) <= _LAST_PORT):
        raise _unusable(_("The address {address!r} has a port that is no number from 1 to 65535."), shown)
    # A password may hold what parts a URL; what is quoted already stays.
    credentials = quote(user, safe=":%!$&'()*+,;=~", errors="replace")
    return f"{scheme}://{credentials}{at}{host}:{int(port)}/{path}".rstrip("/")


def _unusable(sentence: str, address: str) -> SettingsError:
    return SettingsError(sentence.format(address=sanitize_line(address)), _(_EXAMPLE))


def _split(location: str) -> tuple[str, str | None]:
    """Host, in brackets if it is IPv6 and "" if it is none, and port, None when there is none."""
    literal = _ip(location.strip("[]"))
    if literal is not None:
        return literal, None
    if location.startswith("["):
        inside, _, port = location[1:].partition("]:")
        return _ip(inside) or "", port
    host, colon, port = location.partition(":")
    name = _ip(host) or host or "127.0.0.1"
    return name if _HOSTNAME.fullmatch(name) else "", port if colon else None


def _ip(text: str) -> str | None:
    """The literal for a URL, loopback in place of the unspecified address; None if it is no IP address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    match address:
        case IPv4Address():
            return "127.0.0.1" if address.is_unspecified else str(address)
        case IPv6Address():
            return "[::1]" if address.is_unspecified else f"[{address}]"


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """How a server is reached: a URL as `parse_host` gives it, and what goes along.

    `bearer` or `basic` (user and password) become the Authorization header; without them a user and
    password in the URL do. `ca_file` is a PEM file of authorities trusted in place of the system's,
    `client_cert` a PEM file with our certificate and `client_key` its key if that is elsewhere. `uds` is
    the path of a Unix socket that takes the place of host and port. `trust_env` lets HTTP_PROXY and the
    like decide the way; off, for they would also catch a server on localhost. `verify` off accepts any
    certificate.

    Raises:
        SettingsError: A header cannot be sent as it is.
    """

    base_url: str = f"http://127.0.0.1:{DEFAULT_PORT}"
    bearer: str = ""
    basic: tuple[str, str] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    uds: str = ""
    trust_env: bool = False
    verify: bool = True

    def __post_init__(self) -> None:
        for name, value in (*self.headers, ("Authorization", self.authorization)):
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise SettingsError(
                    _("The header {name!r} cannot be sent.").format(name=name),
                    _("Names and values are plain ASCII without line ends."),
                )

    def __repr__(self) -> str:
        return f"Endpoint({self.host!r})"

    @property
    def url(self) -> str:
        """The base URL without user and password, and without a slash at its end."""
        parts = urlsplit(self.base_url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether the connection is made over TLS."""
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        """The address as a user reads it: no scheme, no credentials, no port that goes without saying."""
        if self.uds:
            return f"unix:{self.uds}"
        scheme, _, rest = self.url.partition("://")
        authority, slash, path = rest.partition("/")
        return authority.removesuffix(f":{_PORTS[scheme]}") + slash + path

    @property
    def authorization(self) -> str:
        """The value of the Authorization header, or ""."""
        if self.bearer:
            return f"Bearer {self.bearer}"
        parts = urlsplit(self.base_url)
        basic = self.basic
        if basic is None and parts.username is not None:
            basic = unquote(parts.username), unquote(parts.password or "")
        if basic is None:
            return ""
        return "Basic " + b64encode(":".join(basic).encode()).decode()
