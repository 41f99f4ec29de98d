"""Connection policies: how a client treats connections. The thing under test, as a value."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from loadgen.model.errors import PlanError


@dataclass(frozen=True, slots=True)
class ConnectionPolicy:
    """One policy.

    reuses: the client sends its next request on the same connection, when RFC 9112 §9.3 allows it.
    connection_option: what the client writes into the Connection field of each request.
    resumes_tls: a new connection offers the user's last TLS session; otherwise each handshake is a full one.
    """

    name: str
    reuses: bool
    connection_option: str
    resumes_tls: bool = False
    needs_tls: bool = False
    meaning: str = ""


POLICIES = {
    policy.name: policy
    for policy in (
        # An HTTP/1.1 server needs no option to keep the connection; an HTTP/1.0 server does.
        ConnectionPolicy("persistent", True, "keep-alive", meaning="one connection per user, kept open"),
        ConnectionPolicy("close", False, "close", meaning="a new connection for each request, full TLS handshake"),
        ConnectionPolicy(
            "close-resume", False, "close", resumes_tls=True, needs_tls=True,
            meaning="a new connection for each request, TLS session resumed",
        ),
    )
}  # fmt: skip


def parse_policies(text: str) -> tuple[ConnectionPolicy, ...]:
    """Read a comma-separated list of policy names. Raises PlanError, naming the nearest known policy."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise PlanError(f"no policy is named; choose from {', '.join(POLICIES)}")
    for name in names:
        if name not in POLICIES:
            near = difflib.get_close_matches(name, POLICIES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(POLICIES)}"
            raise PlanError(f"the policy {name!r} is unknown; {hint}")
        if names.count(name) > 1:
            raise PlanError(f"the policy {name!r} is named twice")
    return tuple(POLICIES[name] for name in names)
