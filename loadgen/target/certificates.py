"""A throw-away certificate authority for the embedded target. Only the CA file outlives the process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from OpenSSL import SSL

from loadgen.model.exceptions import PlanError
from loadgen.model.files import write_whole
from loadgen.target.server_tls import ServerTls
from loadgen.wire.early_reading import allow_early_data
from loadgen.wire.openssl import lib
from loadgen.wire.tls_context import VERSIONS

_USUAL = ServerTls()


def server_context(
    names: tuple[str, ...], ca_file: Path, protocols: tuple[str, ...] = (), tls: ServerTls = _USUAL
) -> SSL.Context:
    """A server's TLS context with a fresh certificate for `names`; writes the CA's certificate (PEM) to `ca_file`.

    protocols: what it accepts by ALPN (RFC 7301), the best first; a client that offers none of them gets no answer to
    its offer. Raises OSError where the file can't be written, PlanError where that of `tls` holds no authority.
    """
    import trustme  # takes a fifth of a target's start, and most targets speak no TLS

    authority = trustme.CA(organization_name="loadgen embedded target")
    write_whole(ca_file, lambda file: file.write(authority.cert_pem.bytes()))
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    low, high = tls.versions
    context.set_min_proto_version(VERSIONS[low])
    context.set_max_proto_version(VERSIONS[high])
    context.set_session_id(b"loadgen")
    if not tls.tickets:
        context.set_options(lib.SSL_OP_NO_TICKET)
    if tls.early_data:
        allow_early_data(context)
    if tls.client_ca is not None:
        _demand_certificates(context, tls.client_ca)
    authority.issue_cert(*names).configure_cert(context)

    def select(_: SSL.Connection, offered: list[bytes]) -> Any:
        known = (name for name in map(str.encode, protocols) if name in offered)
        return next(known, SSL.NO_OVERLAPPING_PROTOCOLS)

    context.set_alpn_select_callback(select)
    return context


def _demand_certificates(context: SSL.Context, authority: Path) -> None:
    name = str(authority)
    try:
        context.load_verify_locations(name)
        context.load_client_ca(name.encode())
    except SSL.Error:
        raise PlanError(f"--client-ca {authority}: no PEM certificate can be read from it") from None
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
