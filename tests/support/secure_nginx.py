"""nginx that demands client certificates on one port and asks for them on another, and what its log says of TLS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.support.client_certificates import client_authority
from tests.support.logging_nginx import nginx, take_lines
from tests.support.processes import free_port, write_certificates

_LOG_FORMAT = "$connection|$ssl_protocol|$ssl_curve|$ssl_session_reused|$ssl_client_s_dn|$early"
_SITE = """lingering_close off; ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:s:1m; ssl_ecdh_curve X25519:prime256v1; ssl_early_data on;
  ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem; ssl_client_certificate {folder}/clients.pem;
  server {{ listen 127.0.0.1:{demanding} ssl; ssl_verify_client on; set $early $ssl_early_data;
    location / {{ return 200 "hello"; }} }}
  server {{ listen 127.0.0.1:{asking} ssl; ssl_verify_client optional; set $early $ssl_early_data;
    location / {{ return 200 "hello"; }} }}"""


class Handshake(NamedTuple):
    """What the log says of a connection's handshake. subject: the client's; early: of its first request."""

    version: str
    curve: str
    resumed: bool
    subject: str
    early: bool


@dataclass(frozen=True, slots=True)
class SecureNginx:
    """A running one."""

    folder: Path
    demanding: str
    """Its URL where each client must show a certificate."""
    asking: str

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def take_log(self) -> tuple[Counter[Handshake], int]:
        """Connections by their handshake, and the number of requests, since this was called last."""
        lines = take_lines(self.folder / "access.log")
        connections: dict[str, Handshake] = {}
        for line in lines:
            number, version, curve, reused, subject, early = line.split("|")
            name = subject.partition("CN=")[2].partition(",")[0]
            connections.setdefault(number, Handshake(version, curve, reused == "r", name, early == "1"))
        return Counter(connections.values()), len(lines)


@contextmanager
def secure_nginx(folder: Path) -> Iterator[SecureNginx]:
    """It runs until the end of the block; skips the test where it is not installed."""
    folder.mkdir()
    folder.chmod(0o755)
    write_certificates(folder)
    client_authority().cert_pem.write_to_path(str(folder / "clients.pem"))
    demanding, asking = free_port(), free_port()
    site = _SITE.format(folder=folder, demanding=demanding, asking=asking)
    with nginx(folder, site, _LOG_FORMAT, demanding, asking):
        yield SecureNginx(folder, f"https://127.0.0.1:{demanding}/", f"https://127.0.0.1:{asking}/")
