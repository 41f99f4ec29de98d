"""A request with a field about the connection, beside the same request without it. Knows no probe."""

from __future__ import annotations

from typing import NamedTuple

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.failures import NoResponse, ProbeFailure
from loadgen.probe.finding import Finding
from loadgen.probe.session import LIMITS_CLIENTS, ProbeSession, Reply

REQUESTS = 4
CONNECTIONS = 2
"""What `beside_plain` costs."""
VALUES = {
    "status": "status of the response to the request with the field",
    "plain_status": "status without it",
    "kept": "the connection served another request after it",
    "plain_kept": "the same without it",
}
_ERRORS = 400


class BesidePlain(NamedTuple):
    """Both responses, and whether their connections served another request."""

    reply: Reply
    kept: bool
    plain: Reply
    plain_kept: bool

    @property
    def values(self) -> dict[str, FindingValue]:
        return {
            "status": self.reply.head.status, "plain_status": self.plain.head.status,
            "kept": self.kept, "plain_kept": self.plain_kept,
        }  # fmt: skip

    def refusal(self, field: str) -> Finding | None:
        """The request with the field got an error, and the one without it did not; else None.

        Raises ProbeFailure where that may be due to the number of requests.
        """
        status = self.reply.head.status
        if status in LIMITS_CLIENTS and status != self.plain.head.status:
            raise ProbeFailure(f"status {status}: the server wants fewer requests")
        if status >= _ERRORS > self.plain.head.status:
            return Finding(
                verdict=Verdict.WARNING,
                measured=f"a request with {field} is refused with {status}",
                values=self.values,
                advice=f"let the server ignore it: clients and proxies may send {field}",
                topic="hop_by_hop",
            )
        return None

    def trouble(self, field: str) -> Finding | None:
        """What the field has spoilt; None where nothing."""
        refusal = self.refusal(field)
        if refusal is None and self.plain_kept and not self.kept:
            return Finding(
                verdict=Verdict.WARNING,
                measured=f"after a request with {field} the connection is not kept",
                values=self.values,
                advice=f"clients that send {field} pay for a connection with each request",
                topic="hop_by_hop",
            )
        return refusal


def beside_plain(session: ProbeSession, request: bytes) -> BesidePlain:
    """Both requests, each on a connection of its own, and another one behind each. Raises NoResponse or OverBudget."""
    plain, plain_kept = _kept(session, session.request())
    reply, kept = _kept(session, request)
    return BesidePlain(reply, kept, plain, plain_kept)


def _kept(session: ProbeSession, request: bytes) -> tuple[Reply, bool]:
    with session.open() as stream:
        reply = session.ask(stream, request)
        if not reply.persists or reply.extra:
            return reply, False
        try:
            session.ask(stream)
        except NoResponse:
            return reply, False
    return reply, True
