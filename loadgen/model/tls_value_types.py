"""The value types of the options about TLS: versions, groups, protocols of ALPN, a server's name, where a secret is.

They check how a value is written. Whether the TLS library knows it, wire/tls_context.py finds out.
"""

from __future__ import annotations

import re
from pathlib import Path

from loadgen.model.authority import is_ip_literal
from loadgen.model.exceptions import PlanError
from loadgen.model.file_value_types import FileName
from loadgen.model.input_files import check_regular, read_input
from loadgen.model.json_types import JSON_TEXT, JSON_TEXTS, or_null
from loadgen.model.value_types import Texts, ValueType, Words, shortened

VERSIONS = ("1.2", "1.3")
"""The versions of TLS that loadgen speaks (RFC 8996 forbids those before them)."""
NONE = "none"
"""No such extension in the ClientHello, for --alpn and --sni."""

_MAX_CERTIFICATE_BYTES = 16 << 20
_MAX_PASSPHRASE_BYTES = 4 << 10
# Labels of at most 63 characters (RFC 1035 §2.3.4). A text fits in one way only: else a long wrong one takes hours.
_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_-]{1,63})*")
_MAX_PROTOCOL_BYTES = 255  # RFC 7301 §3.1


class CertificateFiles(Texts, FileName):
    """Files with certificates and keys, one for each use of the option, by their absolute paths."""

    is_repeated = True

    def __init__(self, flag: str) -> None:
        self._flag = flag

    def make(self, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            check_regular(Path(name), self._flag, _MAX_CERTIFICATE_BYTES)
        return tuple(str(Path(name).resolve()) for name in value)

    def from_folder(self, value: tuple[str, ...], folder: Path) -> tuple[str, ...]:
        return tuple(str(folder / name) for name in value)


class SecretSource(Words):
    """Where a secret is: `env:NAME` or `file:PATH`. The secret itself is never an argument, and never recorded."""

    holds_secrets = True  # somebody may write the secret itself: no message repeats it
    json = or_null(JSON_TEXT)

    def read(self, text: str) -> str:
        kind, _, name = text.partition(":")
        if kind not in ("env", "file") or not name or "\0" in name:
            raise ValueError(
                "write env:NAME or file:PATH: a secret itself is never given here, where other programs can read it"
            )
        return text

    def make(self, value: str) -> str:
        kind, _, name = value.partition(":")
        return f"file:{Path(name).resolve()}" if kind == "file" else value

    def from_folder(self, value: str, folder: Path) -> str:
        kind, _, name = value.partition(":")
        return f"file:{folder / name}" if kind == "file" else value


class TlsVersions(ValueType):
    """`1.2`, `1.3` or `1.2-1.3`: what a ClientHello offers."""

    name = "version"
    file_types = (str, float)
    file_words = 'a version or a range in quotes, like "1.3" or "1.2-1.3"'
    json = or_null(JSON_TEXT)

    def read(self, text: str) -> str:
        low, high = version_range(text.strip())
        if low not in VERSIONS or high not in VERSIONS or low > high:
            raise ValueError(f"{shortened(text)!r} is no version of TLS that is spoken here; write 1.2, 1.3 or 1.2-1.3")
        return low if low == high else f"{low}-{high}"


def version_range(text: str) -> tuple[str, str]:
    """The lowest and the highest version of `1.2-1.3`, or of `1.3`."""
    low, dash, high = text.partition("-")
    return low, high if dash else low


class OpenSslNames(ValueType):
    """Names that OpenSSL knows, separated by colons, the preferred one first. Only how they are written is checked."""

    json = or_null(JSON_TEXT)

    def __init__(self, name: str, pattern: str, like: str) -> None:
        """name: what they are, for people. like: how they are written."""
        self.name = name
        self._pattern = re.compile(pattern)
        self._like = like

    def read(self, text: str) -> str:
        if not self._pattern.fullmatch(text):
            raise ValueError(f"{shortened(text)!r} are no {self.name}; write them like {self._like}")
        return text


GROUPS = OpenSslNames("groups", r"[A-Za-z0-9_.?*/-]+(:[A-Za-z0-9_.?*/-]+)*", "X25519:P-256")
"""Groups for the key exchange."""
CIPHERS = OpenSslNames("ciphers", r"[!-~]+", "ECDHE-RSA-AES128-GCM-SHA256")
"""Cipher suites; those of TLS 1.3 begin with TLS_."""


class AlpnProtocols(ValueType):
    """Protocols that ALPN offers, the preferred one first, as a tuple; `none` is an empty one."""

    name = "protocols"
    is_list = True
    json = or_null(JSON_TEXTS)

    def read(self, text: str) -> tuple[str, ...]:
        found = tuple(one.strip() for one in text.split(","))
        if found == (NONE,):
            return ()
        for one in found:
            if not one or not one.isascii() or not one.isprintable() or len(one) > _MAX_PROTOCOL_BYTES:
                raise ValueError(f"{shortened(text)!r} names no protocols; write them like h2,http/1.1, or none")
        return found

    def write(self, value: tuple[str, ...] | None) -> list[str] | None:
        return None if value is None else list(value) or [NONE]

    def record(self, value: tuple[str, ...] | None, *, secrets: bool) -> list[str] | None:  # protocols are none
        return None if value is None else list(value)

    def restore(self, value: list[str] | None) -> tuple[str, ...] | None:
        return None if value is None else tuple(value)


class ServerName(ValueType):
    """A name for the server name extension (SNI), or `none`."""

    name = "name"
    json = or_null(JSON_TEXT)

    def read(self, text: str) -> str:
        name = text.removesuffix(".")
        if is_ip_literal(name):
            raise ValueError(f"{shortened(text)!r} is an address, and SNI has only names (RFC 6066 §3)")
        if not _NAME.fullmatch(name):
            raise ValueError(f"{shortened(text)!r} is no host name; write one like example.com, or none")
        return name.lower()


def read_secret(source: str, flag: str) -> str:
    """The secret at `env:NAME` or `file:PATH` (there the first line). Raises PlanError, without the secret."""
    kind, _, name = source.partition(":")
    if kind == "env":
        import os

        if name not in os.environ:
            raise PlanError(f"{flag}: the environment has no variable {name}")
        return os.environ[name]
    content = read_input(Path(name), flag, _MAX_PASSPHRASE_BYTES)
    try:
        return content.decode("utf-8").partition("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise PlanError(f"{flag} {name}: the passphrase is not in UTF-8") from None
