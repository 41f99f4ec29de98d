"""How a client does TLS: what it offers in its ClientHello, and who it is. A value; knows no library of TLS."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from loadgen.model.client_identity import ClientIdentity
from loadgen.model.exceptions import PlanError
from loadgen.model.options import OPTIONS, default
from loadgen.model.tls_value_types import NONE, VERSIONS, version_range

H2, HTTP1 = "h2", "http/1.1"


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """What `--cert`, `--tls-version` and the others say; None where nothing is said."""

    certs: tuple[str, ...] = default("cert")
    """Files of client certificates, which users take in turns."""
    keys: tuple[str, ...] = default("key")
    """Files of their keys, one for each; empty where the certificates' own files have them."""
    passphrase: str | None = None
    """Where the passphrase of the keys is: `env:NAME` or `file:PATH`."""
    version: str | None = None
    """`1.2`, `1.3` or `1.2-1.3`; None: both."""
    ciphers: str | None = None
    """By OpenSSL's names, separated by colons; None: the library's own."""
    groups: str | None = None
    """Separated by colons; None: the classical ones."""
    alpn: tuple[str, ...] | None = None
    """Protocols that ALPN offers, none where empty; None: what each policy speaks."""
    sni: str | None = None
    """The server's name, or `none`; None: the URL's."""
    tickets: bool = default("tickets")
    """Session tickets are taken."""

    def __post_init__(self) -> None:
        _ = self.identity  # which checks that its files can belong together

    @property
    def identity(self) -> ClientIdentity:
        """Who the client is to the target."""
        return ClientIdentity(self.certs, self.keys, self.passphrase)

    @property
    def versions(self) -> tuple[str, str]:
        """The lowest and the highest version that is offered."""
        return version_range(self.version) if self.version else (VERSIONS[0], VERSIONS[-1])

    @property
    def sends_name(self) -> bool:
        """The ClientHello names the server."""
        return self.sni != NONE

    def server_name(self, host: str) -> str:
        """The name that the server's certificate must have: what --sni asks for, else that of the URL."""
        return self.sni if self.sni and self.sends_name else host

    def offered(self, speaks_h2: bool) -> tuple[str, ...]:
        """What ALPN offers on a connection that can speak HTTP/2, or can't."""
        if self.alpn is None:
            return (H2, HTTP1) if speaks_h2 else (HTTP1,)
        return self.alpn if speaks_h2 else tuple(name for name in self.alpn if name != H2)

    def check_policy(self, policy: str, speaks_h2: bool) -> None:
        """Raise PlanError where a policy could not speak what it has to."""
        if self.alpn is None:
            return
        if speaks_h2 and H2 not in self.alpn:
            raise PlanError(f"--alpn has no h2, and the policy {policy} needs it; add it")
        if not speaks_h2 and self.alpn and not self.offered(speaks_h2):
            raise PlanError(f"--alpn h2 leaves the policy {policy} nothing to offer; add http/1.1")

    def check_early_data(self, policy: str) -> None:
        """Raise PlanError where no session could allow early data."""
        if self.versions[1] != VERSIONS[-1]:
            raise PlanError(f"the policy {policy} sends early data, which TLS {self.version} does not have")
        if not self.tickets:
            raise PlanError(f"the policy {policy} sends early data, which takes a ticket; leave out --no-tickets")

    def with_offers(self, version: str | None, groups: str | None) -> TlsSettings:
        """The same with a sweep's values, where there are any."""
        if version is None and groups is None:
            return self
        return replace(self, version=version or self.version, groups=groups or self.groups)

    def given(self) -> tuple[str, ...]:
        """The options that were given, as flags."""
        # A flag that is set unless something is said is given as its opposite.
        flags = {one.plan_field: f"--no-{one.key}" if one.default is True else f"--{one.key}" for one in OPTIONS}
        return tuple(
            flags[f"tls.{one.name}"]
            for one in fields(self)
            if getattr(self, one.name) != getattr(DEFAULT_TLS, one.name)
        )


DEFAULT_TLS = TlsSettings()
