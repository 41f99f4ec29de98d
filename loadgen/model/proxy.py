"""The proxy that connections go through as a value, read from a URL. Resolves and opens nothing.

No text made here holds its credentials unless the caller asks for them.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from loadgen.model.authority import authority, is_ip_literal, parse_authority
from loadgen.model.characters import has_control, has_space_or_control
from loadgen.model.exceptions import PlanError
from loadgen.model.redaction import HIDDEN

HTTP, HTTPS, SOCKS5, SOCKS5H = "http", "https", "socks5", "socks5h"
# Those of the schemes (RFC 9110 §4.2, RFC 1928 §3), as in any other URL.
_DEFAULT_PORTS = {HTTP: 80, HTTPS: 443, SOCKS5: 1080, SOCKS5H: 1080}
_MAX_SOCKS_BYTES = 255  # of a user, or a password (RFC 1929 §2)
_END_OF_AUTHORITY = re.compile(r"(?=[/?#])")  # RFC 3986 §3.2
_LIKE = "write it like http://127.0.0.1:3128, with USER:PASSWORD@ before the host where it wants them"


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, spoken to in clear or over TLS, or a SOCKS server. Without a user it has no credentials."""

    host: str
    port: int
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)
    scheme: str = HTTP
    """One of those that `parse_proxy` reads."""

    @property
    def is_tls(self) -> bool:
        """It is spoken to over TLS."""
        return self.scheme == HTTPS

    @property
    def is_socks(self) -> bool:
        """A SOCKS server (RFC 1928): it passes bytes on, and reads no request."""
        return self.scheme in (SOCKS5, SOCKS5H)

    @property
    def takes_addresses(self) -> bool:
        """The client looks the target's name up itself, as with curl's socks5; all others are given the name."""
        return self.scheme == SOCKS5

    @property
    def is_ip_literal(self) -> bool:
        return is_ip_literal(self.host)

    @property
    def is_hidden(self) -> bool:
        """It has credentials, and the record that it was read from left them out."""
        return self.user == HIDDEN

    def check_credentials(self) -> None:
        """Raise PlanError where it has credentials that are not known here."""
        if self.is_hidden:
            raise PlanError(
                "the run did not record its proxy's credentials; give them again with "
                f"--proxy {self.scheme}://USER:PASSWORD@{self}"
            )

    @property
    def authorization(self) -> str:
        """The value of Proxy-Authorization by the Basic scheme (RFC 7617), empty where there are no credentials."""
        if self.user is None or self.is_socks:
            return ""
        return f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode('ascii')}"

    def url(self, *, secrets: bool) -> str:
        """What `parse_proxy` reads again; without `secrets` HIDDEN stands for the credentials."""
        if self.user is None:
            return f"{self.scheme}://{self}"
        if not secrets or self.is_hidden:
            return f"{self.scheme}://{HIDDEN}@{self}"
        return f"{self.scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{self}"

    def without_credentials(self) -> Proxy:
        """The same proxy, used by a client without credentials."""
        return Proxy(self.host, self.port, scheme=self.scheme)

    def __str__(self) -> str:
        return authority(self.host, self.port)


def parse_proxy(url: str) -> Proxy:
    """Read `http://[user[:password]@]host[:port]`, user and password percent-encoded (RFC 3986 §3.2.1).

    The scheme may be https, socks5 or socks5h too, with curl's meaning (curl(1), --proxy).
    Raises PlanError with one line for people, which never repeats the URL: it may hold a password.
    """
    if has_space_or_control(url):
        raise PlanError("--proxy: the URL has a space or a control character; percent-encode it")
    if "://" not in url:
        raise PlanError(f"--proxy: the URL has no scheme; {_LIKE}")
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise PlanError(
            f"--proxy: the scheme {scheme[:20]!r} is not supported; give one of {', '.join(_DEFAULT_PORTS)}"
        )
    text, more = (*_END_OF_AUTHORITY.split(rest, maxsplit=1), "")[:2]
    if "@" in more:  # what would be shown as the host may be the password
        raise PlanError(f"--proxy: the URL can't be read; percent-encode user and password, and {_LIKE}")
    try:
        user_info, host, port = parse_authority(text)
    except ValueError as error:
        raise PlanError(f"--proxy: the URL can't be read: {error}; {_LIKE}") from None
    if more not in ("", "/"):
        raise PlanError(f"--proxy: the URL has more than a host and a port; {_LIKE}")
    user, password = _credentials(user_info)
    proxy = Proxy(host, _DEFAULT_PORTS[scheme] if port is None else port, user, password, scheme)
    (_check_socks if proxy.is_socks else _check_basic)(proxy)
    return proxy


def _credentials(user_info: str | None) -> tuple[str | None, str]:
    if user_info is None:
        return None, ""
    user, _, password = user_info.partition(":")
    try:
        user, password = unquote(user, errors="strict"), unquote(password, errors="strict")
    except UnicodeDecodeError:
        raise PlanError("--proxy: user and password must be UTF-8, percent-encoded") from None
    return user, password


def _check_basic(proxy: Proxy) -> None:
    if ":" in (proxy.user or ""):
        raise PlanError("--proxy: the user's name holds a colon, which Basic credentials can't (RFC 7617 §2)")
    if has_control(f"{proxy.user}{proxy.password}"):
        raise PlanError("--proxy: the credentials hold a control character (RFC 7617 §2)")


def _check_socks(proxy: Proxy) -> None:
    if proxy.user is None or proxy.is_hidden:
        return
    if not all(1 <= len(text.encode()) <= _MAX_SOCKS_BYTES for text in (proxy.user, proxy.password)):
        raise PlanError(
            f"--proxy: SOCKS takes a user and a password of 1 to {_MAX_SOCKS_BYTES} bytes each (RFC 1929 §2)"
        )
