"""What the way to a target is made of: the part of a plan that a route needs, whichever plan that is."""

from __future__ import annotations

from typing import Protocol

from loadgen.model.addressing import Addressing
from loadgen.model.proxy import Proxy
from loadgen.model.proxying import Proxying
from loadgen.model.target import Target
from loadgen.model.tls_settings import TlsSettings


class RoutePlan(Protocol):
    """A run's plan, or an audit's."""

    @property
    def target(self) -> Target: ...
    @property
    def cacert(self) -> str | None: ...
    @property
    def insecure(self) -> bool: ...
    @property
    def tls(self) -> TlsSettings: ...
    @property
    def source_ips(self) -> tuple[str, ...]: ...
    @property
    def proxy(self) -> Proxy | None: ...
    @property
    def proxying(self) -> Proxying: ...
    @property
    def addressing(self) -> Addressing: ...
