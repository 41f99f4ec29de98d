"""The authority of a URL (RFC 3986 §3.2): user information, host and port, taken apart strictly. Resolves nothing.

`urllib.parse` lets pass what no standard allows, such as `[::1]x:80`, and differs between versions of Python.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

_NAME = re.compile(r"[0-9A-Za-z._-]+")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_BRACKETED = re.compile(r"\[([^\[\]]*)\](.*)", re.DOTALL)
_MAX_NAME_CHARACTERS = 253  # RFC 1035 §2.3.4: 255 bytes, with a byte before each label and one for the root
_MAX_PORT = 65535


class Authority(NamedTuple):
    """The parts of an authority."""

    user_info: str | None
    """What stands before `@`, as it is written; None without `@`."""
    host: str
    """Bare: an IPv6 address without brackets, a name in A-labels and in lower case."""
    port: int | None
    """None where none is given."""


def parse_authority(text: str) -> Authority:
    """Take an authority apart. Raises ValueError with one line for people, which never repeats the user information."""
    user_info, at, rest = text.rpartition("@")
    host, port = _split_port(rest)
    if not rest or rest.startswith(":"):
        raise ValueError("it names no host")
    return Authority(user_info if at else None, host, _port(port))


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


def plain_address(text: str) -> str:
    """A bare IP address in its usual form. Raises ValueError with one line for people, also where it names a zone."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is not an IP address") from None
    if address.version == 6 and address.scope_id is not None:
        raise ValueError(f"{text[:60]!r} names a zone, which is not supported")
    return f"{address}"


def _split_port(text: str) -> tuple[str, str | None]:
    """The host, checked, and what stands behind its colon; None without colon."""
    if text.startswith("["):
        found = _BRACKETED.fullmatch(text)
        if found is None:
            raise ValueError("the bracket before its IPv6 address is not closed")
        address, rest = found.groups()
        if rest and not rest.startswith(":"):
            raise ValueError(f"behind the bracket stands {rest[:20]!r}, where only :PORT may stand")
        return _ipv6(address), rest[1:] if rest else None
    if is_ipv6(text):
        raise ValueError(f"an IPv6 address stands in brackets; write [{text}]")
    name, colon, port = text.partition(":")
    return _name(name) if name else "", port if colon else None


def _port(text: str | None) -> int | None:
    if not text:  # an empty port is the scheme's own (RFC 3986 §3.2.3)
        return None
    digits = text.lstrip("0")
    if not (text.isascii() and text.isdigit() and len(digits) <= len(f"{_MAX_PORT}") and 1 <= int(text) <= _MAX_PORT):
        raise ValueError(f"it has a bad port; it is a number from 1 to {_MAX_PORT}")
    return int(text)


def is_ipv6(text: str) -> bool:
    """Whether it is an IPv6 address, bare."""
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _ipv6(text: str) -> str:
    try:
        zone = ipaddress.IPv6Address(text).scope_id
    except ValueError:
        raise ValueError(f"{text[:60]!r} is not an IPv6 address") from None
    if zone is not None:
        raise ValueError(f"the IPv6 address {text[:60]!r} names a zone, which is not supported")
    return text.lower()


def _name(text: str) -> str:
    """A name, or an IPv4 address."""
    try:
        name = text[: _MAX_NAME_CHARACTERS * 4].encode("idna").decode("ascii").lower()  # a longer one is none anyway
    except UnicodeError:
        name = ""
    label = name.removesuffix(".").rpartition(".")[2]
    if not _NAME.fullmatch(name) or not label or len(name.removesuffix(".")) > _MAX_NAME_CHARACTERS:
        raise ValueError(f"{text[:60]!r} is not a host name")
    # A name's last label is no number (RFC 1123 §2.1). C libraries read `127.1`, `0x7f.1` and `010.0.0.1` as addresses,
    # and not all alike.
    if _NUMBER.fullmatch(label) and not is_ip_literal(name):
        raise ValueError(f"{text[:60]!r} is not an IPv4 address; write it as four numbers from 0 to 255")
    return name
