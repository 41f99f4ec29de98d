"""A throw-away certificate authority for the embedded target. Only the CA file outlives the process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trustme
from OpenSSL import SSL

from loadgen.model.files import write_whole


def server_context(names: tuple[str, ...], ca_file: Path, protocols: tuple[str, ...] = ()) -> SSL.Context:
    """A server's TLS context with a fresh certificate for `names`; writes the CA's certificate (PEM) to `ca_file`.

    protocols: what it accepts by ALPN (RFC 7301), the best first; a client that offers none of them gets no answer to
    its offer. Raises OSError where the file can't be written.
    """
    authority = trustme.CA(organization_name="loadgen embedded target")
    write_whole(ca_file, lambda file: file.write(authority.cert_pem.bytes()))
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_session_id(b"loadgen")
    authority.issue_cert(*names).configure_cert(context)

    def select(_: SSL.Connection, offered: list[bytes]) -> Any:
        known = (name for name in map(str.encode, protocols) if name in offered)
        return next(known, SSL.NO_OVERLAPPING_PROTOCOLS)

    context.set_alpn_select_callback(select)
    return context
