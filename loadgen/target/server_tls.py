"""How the embedded target does TLS, as a value: whose certificates it demands, versions, tickets. Serves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.model.tls_value_types import version_range


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What `loadgen target --tls` does besides."""

    client_ca: Path | None = None
    """The file of an authority: each client must show a certificate that it signed."""
    version: str | None = None
    """`1.2`, `1.3` or `1.2-1.3`; None: both."""
    tickets: bool = True
    """A session is in the client's ticket; else in the server's memory, and the client knows its number alone."""

    early_data: bool = False
    """Requests are taken before the client's handshake is done (0-RTT), each ClientHello once."""

    def __post_init__(self) -> None:
        if self.early_data and self.versions[1] != "1.3":
            raise PlanError(f"--early-data is of TLS 1.3, and --tls-version is {self.version}")
        if self.early_data and not self.tickets:
            raise PlanError("--early-data takes a ticket; leave out --no-tickets")

    @classmethod
    def of(cls, options: dict[str, Any]) -> ServerTls:
        """What the options of the command say. Raises PlanError."""
        found = cls(options["client_ca"], options["tls_version"], options["tickets"], options["early_data"])
        if found != cls() and not options["tls"]:
            raise PlanError("--client-ca, --tls-version, --no-tickets and --early-data are for --tls")
        return found

    @property
    def versions(self) -> tuple[str, str]:
        """The lowest and the highest version."""
        return version_range(self.version or "1.2-1.3")
