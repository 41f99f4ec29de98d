"""A DNS server for tests: every name has the addresses that it is given, with a TTL. Knows no HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable

import dns.exception
import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import gevent
from gevent.monkey import get_original

from loadgen.model.authority import is_ipv6
from loadgen.wire.transport import READ

_MAX_BYTES = 4096


class NameServer:
    """Answers over UDP at `host`. addresses: gives the present ones. Raises OSError where it can't listen."""

    def __init__(self, host: str, port: int, addresses: Callable[[], list[str]], ttl_s: int) -> None:
        self._addresses = addresses
        self._ttl_s = ttl_s
        self._socket = get_original("socket", "socket")(
            socket.AF_INET6 if is_ipv6(host) else socket.AF_INET, socket.SOCK_DGRAM
        )
        self._socket.bind((host, port))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._watcher = gevent.get_hub().loop.io(self._socket.fileno(), READ)
        self._watcher.start(self._answer)

    def close(self) -> None:
        """Answer no more."""
        self._watcher.close()
        self._socket.close()

    def reply(self, query: bytes) -> bytes:
        """The answer to a query; empty where it is none."""
        try:
            asked = dns.message.from_wire(query)
        except dns.exception.DNSException:
            return b""
        response = dns.message.make_response(asked)
        response.flags |= dns.flags.AA
        for question in asked.question:
            kind = dns.rdatatype.to_text(question.rdtype)
            wanted = [one for one in self._addresses() if kind == ("AAAA" if is_ipv6(one) else "A")]
            if wanted:
                response.answer.append(dns.rrset.from_text_list(question.name, self._ttl_s, "IN", kind, wanted))
        wire: bytes = response.to_wire()
        return wire

    def _answer(self) -> None:
        try:
            query, client = self._socket.recvfrom(_MAX_BYTES)
            found = self.reply(query)
            if found:
                self._socket.sendto(found, client)
        except OSError:  # none is there, or the client has gone
            return
