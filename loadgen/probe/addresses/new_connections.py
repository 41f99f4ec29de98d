"""Opens connections one after another and knows the certificate of each, by which backends may be told apart."""

from __future__ import annotations

from hashlib import sha256

from loadgen.probe.addresses.backend_marks import CERTIFICATE, Marks, marks_of
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession, Reply
from loadgen.probe.tls.tls_client import TlsClient

_DIGITS = 12
"""Of the certificate's digest: enough to tell a few apart."""


class NewConnections:
    """Connections of one probe. Those that are opened side by side need one such object each."""

    def __init__(self, session: ProbeSession) -> None:
        self._session = session
        self._header = session.plan.backend_header
        self._tls = None if self._header or not session.plan.target.is_tls else TlsClient(session)

    def open(self) -> ProbeStream:
        """The next one. Raises OpenFailure or OverBudget."""
        return self._session.open() if self._tls is None else self._tls.open()

    def marks_of(self, reply: Reply, stream: ProbeStream) -> Marks:
        """The marks of a response on the newest connection."""
        found = marks_of(reply, stream, self._header)
        if self._tls is not None and (chain := self._tls.facts.certificates):
            found[CERTIFICATE] = sha256(chain[0]).hexdigest()[:_DIGITS]
        return found
