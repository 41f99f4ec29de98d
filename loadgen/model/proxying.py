"""What belongs to the way by a proxy besides its URL, and the header that names the client. Opens nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loadgen.model.client_identity import PROXY, ClientIdentity
from loadgen.model.exceptions import PlanError
from loadgen.model.no_proxy import covers
from loadgen.model.options import check_ranges, default
from loadgen.model.proxy import Proxy
from loadgen.model.target import Target


@dataclass(frozen=True, slots=True)
class Proxying:
    """Without any of its values a proxy's certificate is checked as a browser does, and it is used for every target."""

    cacert: str | None = None
    """The file with the authorities that are trusted for an https proxy; None: the system's, whatever --cacert says."""
    insecure: bool = default("proxy_insecure")
    """The proxy's certificate is not verified."""
    certs: tuple[str, ...] = default("proxy_cert")
    """Files of client certificates for an https proxy, which users take in turns."""
    keys: tuple[str, ...] = default("proxy_key")
    """Files of their keys, one for each; empty where the certificates' own files have them."""
    passphrase: str | None = None
    """Where the passphrase of these keys is: `env:NAME` or `file:PATH`."""
    no_proxy: tuple[str, ...] = default("no_proxy")
    """Hosts that are reached without the proxy."""
    protocol: int | None = None
    """The version of the PROXY protocol whose header each connection begins with; None for no header."""

    def __post_init__(self) -> None:
        check_ranges(self, "proxying")
        _ = self.identity  # which checks that its files can belong together

    @property
    def identity(self) -> ClientIdentity:
        """Who the client is to an https proxy."""
        return ClientIdentity(self.certs, self.keys, self.passphrase, PROXY)

    def bypasses(self, target: Target) -> bool:
        """Whether this target is reached without the proxy."""
        return any(covers(one, target.host) for one in self.no_proxy)

    def check(self, proxy: Proxy | None, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Raise PlanError where these values contradict each other or the proxy. headers: of all requests."""
        if proxy is not None and any(name.lower() == "proxy-authorization" for name, _ in headers):
            raise PlanError("the header 'Proxy-Authorization' can't be given: it follows from --proxy")
        given = {"--proxy-cacert": self.cacert, "--proxy-insecure": self.insecure, "--proxy-cert": self.certs}
        flag = next((flag for flag, value in given.items() if value), "")
        if flag and (proxy is None or not proxy.is_tls):
            raise PlanError(f"{flag} is for a proxy over TLS; give one as --proxy https://HOST:PORT")
        if self.cacert and self.insecure:
            raise PlanError("--proxy-cacert and --proxy-insecure contradict each other; give one of them")
        if self.no_proxy and proxy is None:
            raise PlanError("--no-proxy names hosts that a proxy is not used for; give --proxy too")
        if self.protocol is not None and proxy is not None:
            raise PlanError("--proxy-protocol says who connects to the target, and that is --proxy; give one of them")


DEFAULT_PROXYING = Proxying()
