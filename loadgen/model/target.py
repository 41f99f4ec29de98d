"""The server under test as a value, read from a URL. Resolves and opens nothing."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from loadgen.model.characters import has_space_or_control
from loadgen.model.exceptions import PlanError
from loadgen.model.redaction import redact_bad_url, redact_url

DEFAULT_PORTS = {"http": 80, "https": 443}
FIELDS_PATH = "/.loadgen/fields"
"""Where the embedded target answers, as JSON, with the fields that a request had when it arrived."""
_NAME = re.compile(r"[0-9A-Za-z._-]+")


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go. `host` is bare (no brackets, A-labels), `path` is origin-form (RFC 9112 §3.2.1)."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def host_field(self) -> str:
        """The Host field's value (RFC 9110 §7.2): brackets around IPv6, no port where it is the default."""
        whole = self.authority
        return whole.rpartition(":")[0] if self.port == DEFAULT_PORTS[self.scheme] else whole

    @property
    def authority(self) -> str:
        """Host and port, as CONNECT names them (RFC 9112 §3.2.3)."""
        return authority(self.host, self.port)

    @property
    def is_ip_literal(self) -> bool:
        return is_ip_literal(self.host)

    def url(self, *, secrets: bool) -> str:
        """What `parse_target` reads again; without `secrets` HIDDEN stands for the values of secret parameters."""
        return f"{self.scheme}://{self.host_field}{self.path if secrets else redact_url(self.path)}"

    def __str__(self) -> str:
        return self.url(secrets=False)


def authority(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address (RFC 3986 §3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_ip_literal(host: str) -> bool:
    """Whether the host is an address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def parse_target(url: str) -> Target:
    """Read an absolute http or https URL (RFC 3986). Raises PlanError with one line for people."""
    shown = redact_bad_url(url)
    if has_space_or_control(url):
        raise PlanError(f"the URL {shown!r} has a space or control character; percent-encode it")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise PlanError(f"the URL {shown!r} can't be read: {error}") from None
    if "://" not in url or not parts.scheme:
        raise PlanError(f"the URL {shown!r} has no scheme; write it like http://{shown}")
    if parts.scheme not in DEFAULT_PORTS:
        raise PlanError(f"the URL's scheme {parts.scheme!r} is unknown; use http or https")
    if not parts.hostname:
        raise PlanError(f"the URL {shown!r} names no host")
    if parts.username is not None or parts.password is not None:
        raise PlanError("the URL holds credentials; send them with -H 'Authorization: ...' instead")
    try:
        port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not 1 <= port <= 65535:
        raise PlanError(f"the URL {shown!r} has a bad port; it is a number from 1 to 65535")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise PlanError(f"the URL's path {redact_url(path)!r} is not ASCII; percent-encode it")
    return Target(parts.scheme, bare_host(parts.hostname), port, path)


def bare_host(host: str) -> str:
    """A URL's host without brackets, a name in A-labels. Raises PlanError where it is none."""
    if ":" in host:
        try:
            zone = ipaddress.IPv6Address(host).scope_id
        except ValueError:
            raise PlanError(f"{host!r} is not an IPv6 address") from None
        if zone is not None:
            raise PlanError(f"the IPv6 address {host!r} names a zone, which is not supported")
        return host
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _NAME.fullmatch(name):
        raise PlanError(f"{host!r} is not a host name")
    return name
