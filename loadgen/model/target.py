"""The server under test as a value, read from a URL. Resolves and opens nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from loadgen.model.authority import authority, is_ip_literal, parse_authority
from loadgen.model.characters import has_space_or_control
from loadgen.model.endpoint import SOCKET_PREFIX, socket_name
from loadgen.model.exceptions import PlanError
from loadgen.model.redaction import redact_bad_url, redact_url
from loadgen.model.request_target import url_template

DEFAULT_PORTS = {"http": 80, "https": 443}
FIELDS_PATH = "/.loadgen/fields"
"""Where the embedded target answers, as JSON, with the fields that a request had when it arrived, and the number of the
connection that it came on. With the query `keep`, the target's idle timeout spares that connection until its next use.
"""
CONNECTIONS_PATH = "/.loadgen/connections"
"""Where it answers with what became of connections that such requests came on."""
_MAX_SHOWN = 60  # characters of a URL that is wrong
_SOCKET_SCHEME = "+unix"
_SOCKET_HOST = "localhost"
"""The host that requests over a socket file name, as other clients do: a file has none."""
# RFC 3986 appendix B, with a scheme (§3.1) and an authority.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?:#.*)?"
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go. `host` is bare (no brackets, A-labels), `path` is origin-form (RFC 9112 §3.2.1)."""

    scheme: str
    host: str
    port: int
    path: str
    socket: str = ""
    """The socket file that connections go to, `@` and a name for an abstract socket; empty for TCP."""

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
    def tls_name(self) -> str:
        """The host as TLS and certificates name it: without the dot of the root at its end (RFC 6066 §3)."""
        return self.host.removesuffix(".")

    @property
    def is_ip_literal(self) -> bool:
        return is_ip_literal(self.host)

    def url(self, *, secrets: bool) -> str:
        """What `parse_target` reads again; without `secrets` HIDDEN stands for the values of secret parameters."""
        return self.base_url + (self.path if secrets else redact_url(self.path))

    @property
    def base_url(self) -> str:
        """What its URLs begin with, before the path: the origin, or the socket file in place of the authority."""
        if self.socket:
            return f"{self.scheme}{_SOCKET_SCHEME}://{quote(self.socket, safe='')}"
        return self.origin

    @property
    def origin(self) -> str:
        """Scheme and authority, as the server and its cookies know them (RFC 9110 §4.3.1)."""
        return f"{self.scheme}://{self.host_field}"

    def __str__(self) -> str:
        return self.url(secrets=False)


def parse_target(url: str) -> Target:
    """Read an absolute http or https URL (RFC 3986). Raises PlanError with one line for people.

    A character of path and query that no URL can hold is percent-encoded; a fragment is left out. A server that listens
    on a socket file is `unix:/file` or `unix:/file:/path`, as nginx writes it, or `http+unix://%2Ffile/path`.
    """
    if url.lower().startswith(SOCKET_PREFIX):
        file, _, path = url[len(SOCKET_PREFIX) :].partition(":")
        url = f"http{_SOCKET_SCHEME}://{quote(file, safe='', errors='surrogatepass')}{path}"
    text = redact_bad_url(url)[:_MAX_SHOWN]
    shown = f"the URL {text!r}"
    if has_space_or_control(url):
        raise PlanError(f"{shown} has a space or control character; percent-encode it")
    found = _URL.fullmatch(url)
    if found is None:
        raise PlanError(f"{shown} has no scheme; write it like http://{text}")
    scheme = found["scheme"].lower()
    over_socket = scheme.endswith(_SOCKET_SCHEME)
    scheme = scheme.removesuffix(_SOCKET_SCHEME)
    if scheme not in DEFAULT_PORTS:
        raise PlanError(f"the URL's scheme {scheme[:_MAX_SHOWN]!r} is unknown; use http or https")
    if "@" in found["authority"]:
        raise PlanError("the URL holds credentials; send them with -H 'Authorization: ...' instead")
    try:
        file = socket_name(unquote(found["authority"])) if over_socket else ""
        _, host, port = parse_authority(_SOCKET_HOST if file else found["authority"])
        path = url_template((found["path"] or "/") + (found["query"] or ""))
    except UnicodeEncodeError:
        raise PlanError(f"{shown} holds half of a surrogate pair, which is no character") from None
    except ValueError as error:
        if "@" in url:  # what would be shown as the host may be the beginning of a password
            raise PlanError("the URL can't be read; credentials don't belong there, and `@` is %40 in a path") from None
        raise PlanError(f"{shown}: {error}") from None
    return Target(scheme, host, DEFAULT_PORTS[scheme] if port is None else port, path, file)
