"""Where a connection goes in place of what the URL names: the rules of --connect-to and --resolve. Opens nothing.

Both are curl's (curl(1)): they change where a connection goes and nothing else. Host, SNI, certificates and cookies
stay the URL's.
"""

from __future__ import annotations

import ipaddress
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from loadgen.model.authority import authority, is_ip_literal, parse_authority, plain_address
from loadgen.model.exceptions import PlanError

SOCKET_PREFIX = "unix:"
MAX_SOCKET_BYTES = 107
"""Of a socket file's name: struct sockaddr_un of unix(7) has room for 108 bytes, one of which ends it."""
_MAX_SHOWN = 60
_HOST, _PORT = r"\[[^\[\]]*\]|[^:\[\]]*", r"[0-9]*"
_TO_RULE = re.compile(rf"(?:(?P<from_host>{_HOST}):(?P<from_port>{_PORT}):)?(?P<host>{_HOST}):(?P<port>{_PORT})")
_TO_SOCKET = re.compile(rf"(?:(?P<from_host>{_HOST}):(?P<from_port>{_PORT}):)?unix:(?P<socket>.+)", re.DOTALL)
_RESOLVE_RULE = re.compile(rf"(?P<host>{_HOST}):(?P<port>[0-9]+):(?P<addresses>.+)", re.DOTALL)
_ANY = "*"
_DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a connection is opened to: a host and a port, or a socket file of this machine."""

    host: str
    port: int
    socket: str = ""
    """The socket file's absolute path, `@` and a name for an abstract socket (unix(7)); empty for TCP."""
    addresses: tuple[str, ...] = ()
    """The host's addresses where --resolve gives them; empty where the resolver is asked."""

    @property
    def is_fixed(self) -> bool:
        """No name has to be looked up."""
        return bool(self.socket or self.addresses) or is_ip_literal(self.host)

    @property
    def is_local(self) -> bool:
        """Connections stay on this machine, as far as that is known without a look-up."""
        return not self.remote

    @property
    def remote(self) -> tuple[str, ...]:
        """The host or those of its addresses that are not this machine's."""
        names = () if self.socket else self.addresses or (self.host,)
        return tuple(
            name
            for name in names
            if not (ipaddress.ip_address(name).is_loopback if is_ip_literal(name) else name == "localhost")
        )

    @property
    def authority(self) -> str:
        """As CONNECT names it (RFC 9112 §3.2.3)."""
        return authority(self.host, self.port)

    def __str__(self) -> str:
        return f"{SOCKET_PREFIX}{self.socket}" if self.socket else self.authority


@dataclass(frozen=True, slots=True)
class ConnectRule:
    """--connect-to: connections for one host and port go to another one, or to a socket file."""

    from_host: str = ""
    """Empty for any."""
    from_port: int | None = None
    """None for any."""
    host: str = ""
    """Empty for the same."""
    port: int | None = None
    """None for the same."""
    socket: str = ""

    def fits(self, host: str, port: int) -> bool:
        """Whether it is for connections to this host, compared as a text, and this port."""
        return self.from_host in ("", host) and self.from_port in (None, port)

    def __str__(self) -> str:
        to = f"{SOCKET_PREFIX}{self.socket}" if self.socket else _pair(self.host, self.port)
        if self.from_host or self.from_port is not None:
            return f"{_pair(self.from_host, self.from_port)}:{to}"
        return to


@dataclass(frozen=True, slots=True)
class ResolveRule:
    """--resolve: the addresses of a host, for connections to one port."""

    host: str
    """`*` for any."""
    port: int
    addresses: tuple[str, ...]

    def fits(self, host: str, port: int) -> bool:
        """Whether it is for connections to this host and port."""
        return self.host in (_ANY, host) and self.port == port

    def __str__(self) -> str:
        addresses = ",".join(f"[{one}]" if ":" in one else one for one in self.addresses)
        return f"{_pair(self.host, self.port)}:{addresses}"


def parse_connect_rule(text: str) -> ConnectRule:
    """Read `HOST:PORT`, `HOST1:PORT1:HOST2:PORT2`, or either with `unix:PATH` at the end.

    Raises ValueError with one line for people.
    """
    found = _TO_SOCKET.fullmatch(text) or _TO_RULE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:_MAX_SHOWN]!r} can't be read; write HOST:PORT, HOST1:PORT1:HOST2:PORT2 or unix:PATH")
    parts = found.groupdict()
    rule = ConnectRule(
        _host(parts["from_host"] or ""),
        _port(parts["from_port"] or ""),
        _host(parts.get("host") or ""),
        _port(parts.get("port") or ""),
        socket_name(parts["socket"]) if parts.get("socket") else "",
    )
    if not rule.host and rule.port is None and not rule.socket:
        raise ValueError(f"{text[:_MAX_SHOWN]!r} names neither a host nor a port to connect to")
    return rule


def parse_resolve_rule(text: str) -> ResolveRule:
    """Read `HOST:PORT:ADDR[,ADDR]...`, where HOST may be `*`. Raises ValueError with one line for people."""
    if text.startswith(("+", "-")):
        raise ValueError(f"{text[:_MAX_SHOWN]!r} begins with {text[0]!r}, which is not supported; leave it out")
    found = _RESOLVE_RULE.fullmatch(text)
    port = _port(found["port"]) if found else None
    if found is None or not found["host"] or port is None:
        raise ValueError(f"{text[:_MAX_SHOWN]!r} can't be read; write HOST:PORT:ADDR, or several ADDR with commas")
    host = found["host"] if found["host"] == _ANY else _host(found["host"])
    return ResolveRule(host, port, tuple(map(_address, found["addresses"].split(","))))


def parse_dns_server(text: str) -> tuple[str, int]:
    """Read `ADDR` or `ADDR:PORT`, an IPv6 address with a port in brackets: address and port. Raises ValueError."""
    if is_ip_literal(text):
        return text, _DNS_PORT
    found = parse_authority(text)
    if not is_ip_literal(found.host):
        raise ValueError(f"{text[:_MAX_SHOWN]!r} is not an IP address, with a port or without")
    return found.host, found.port or _DNS_PORT


def socket_name(text: str) -> str:
    """A socket file's absolute path, or an abstract socket's name with its `@`. Raises ValueError where it is none."""
    if text in ("", "@") or "\0" in text:
        raise ValueError("it names no socket file; write unix:/path/to/file, or unix:@name for an abstract socket")
    name = text if text.startswith("@") else str(Path(text).absolute())
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > MAX_SOCKET_BYTES:
        raise ValueError(f"the socket file's name has {size} bytes; the kernel takes at most {MAX_SOCKET_BYTES}")
    return name


def endpoint(host: str, port: int, connect_to: tuple[ConnectRule, ...], resolve: tuple[ResolveRule, ...]) -> Endpoint:
    """Where a connection for this host and port goes: by the first rule that fits; curl's `*` comes last."""
    socket = ""
    for rule in connect_to:
        if rule.fits(host, port):
            host, port, socket = rule.host or host, rule.port or port, rule.socket
            break
    if socket:
        return Endpoint(host, 0, socket)
    for one in sorted(resolve, key=lambda one: one.host == _ANY):
        if one.fits(host, port):
            return Endpoint(host, port, addresses=one.addresses)
    return Endpoint(host, port)


def check_socket_file(path: str) -> None:
    """Raise PlanError where there is no socket file of this name; an abstract socket can't be looked for."""
    if path.startswith("@"):
        return
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError) as error:
        raise PlanError(f"the socket file {path[:200]!r}: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISSOCK(mode):
        raise PlanError(f"{path[:200]!r} is not a socket file")


def _pair(host: str, port: int | None) -> str:
    """`HOST:PORT` as rules are written, either of which may be empty."""
    return f"{f'[{host}]' if ':' in host else host}:{'' if port is None else port}"


def _host(text: str) -> str:
    """A host of a rule, as a URL's is read. Raises ValueError."""
    return parse_authority(text).host if text else ""


def _port(text: str) -> int | None:
    return parse_authority(f"h:{text}").port if text else None


def _address(text: str) -> str:
    """One of --resolve's addresses, bare. Raises ValueError."""
    return plain_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
