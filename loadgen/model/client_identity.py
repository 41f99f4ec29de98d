"""Who a client is in TLS, as a value: the files of its certificates, those of their keys, and where the passphrase is.

The target is shown one identity and a proxy over TLS another. Reads no file.
"""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.model.exceptions import PlanError

PROXY = "proxy-"
"""What the options begin with that are about the proxy's side."""


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Of several certificates users take one each, in turns. Raises PlanError where the files can't belong together."""

    certs: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """One for each certificate; empty where the certificates' own files have them."""
    passphrase: str | None = None
    """`env:NAME` or `file:PATH`."""
    prefix: str = ""
    """What the options' names begin with: empty for the target's, PROXY for the proxy's."""

    def __post_init__(self) -> None:
        if self.keys and len(self.keys) != len(self.certs):
            raise PlanError(
                f"there are {len(self.keys)} {self.flag('key')} for {len(self.certs)} {self.flag('cert')}; "
                "give one for each, in their order"
            )
        if self.passphrase and not self.certs:
            raise PlanError(f"{self.flag('key-passphrase')} is for a client certificate; give {self.flag('cert')} too")

    def flag(self, name: str) -> str:
        """The flag of one of its options: `cert`, `key` or `key-passphrase`."""
        return f"--{self.prefix}{name}"
