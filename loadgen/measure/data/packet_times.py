"""From TCP segments to what the wire saw of each connection: its handshakes, and each request with its response.

How to use it, for a capture of one interface in which all connections of interest begin:

    segments = read_pcap(path.read_bytes())        # tcpdump -i lo -w FILE --time-stamp-precision=nano tcp port N
    found = packet_times(segments, server_port=N)  # in the order of their SYNs
    found[0].connect_ns, found[0].tls_ns, found[0].exchanges[0].response_ns, found[0].retransmits

`packet_errors.py` finds the samples that belong to them. In TLS 1.3 a server sends session tickets on its own, which
can't be told from a response by their heads: until a connection's first response has come, such bytes count as its
beginning. So in TLS look at `exchanges[1:]`, or have the server send no tickets. Knows no sample and no file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from loadgen.measure.data.pcap import FIN, SYN, Segment

# Content types of a TLS record (RFC 8446 §5.1), and the length of a record's head.
_CHANGE_CIPHER, _HANDSHAKE, _APPLICATION = 20, 22, 23
_RECORD_HEAD_BYTES = 5
_MAX_RECORD_BYTES = (1 << 14) + 256
_WRAP = 1 << 32


@dataclass(slots=True)
class PacketExchange:
    """When the first segment of a request, and the first and the last one of its response, were seen (ns)."""

    request_ns: int
    response_ns: int | None = None
    response_end_ns: int | None = None


@dataclass(slots=True)
class PacketConnection:
    """One TCP connection. Times are of the capture's clock (ns); None is what was not seen."""

    client: tuple[bytes, int]
    """Address and port of the side that sent the SYN."""
    syn_ns: int
    """Of the first SYN, where it was sent more than once."""
    syn_ack_ns: int | None = None
    hello_ns: int | None = None
    """The client's first TLS record; None in clear."""
    tls_end_ns: int | None = None
    """The last segment of the TLS handshake that the client waits for, or that it sends."""
    exchanges: list[PacketExchange] = field(default_factory=list)
    retransmits: int = 0
    """Segments that were seen again, of either side, SYNs included."""
    syn_retransmits: int = 0

    @property
    def connect_ns(self) -> int | None:
        """From the (first) SYN to the SYN/ACK."""
        return None if self.syn_ack_ns is None else self.syn_ack_ns - self.syn_ns

    @property
    def tls_ns(self) -> int | None:
        """From the ClientHello until the handshake's last segment."""
        return None if self.hello_ns is None or self.tls_end_ns is None else self.tls_end_ns - self.hello_ns


def packet_times(segments: Iterable[Segment], server_port: int) -> list[PacketConnection]:
    """The connections to `server_port`, in the order of their SYNs.

    Segments of a connection whose SYN was not captured are passed over. A port may be used again: a SYN with another
    sequence number begins another connection.
    """
    found: list[_Reader] = []
    by_client: dict[tuple[bytes, int], _Reader] = {}
    for segment in segments:
        from_client = segment.destination[1] == server_port
        if not from_client and segment.source[1] != server_port:
            continue
        client = segment.source if from_client else segment.destination
        reader = by_client.get(client)
        if from_client and segment.flags & SYN and (reader is None or not reader.has_begun_with(segment)):
            reader = by_client[client] = _Reader(segment)
            found.append(reader)
        elif reader is not None:
            reader.take(segment, from_client)
    return [reader.times for reader in found]


class _Reader:
    """One connection, segment by segment."""

    def __init__(self, syn: Segment) -> None:
        self.times = PacketConnection(syn.source, syn.time_ns)
        self._first_sequence = syn.sequence
        self._next: dict[bool, int | None] = {True: (syn.sequence + 1) % _WRAP, False: None}
        """By side (True for the client): the sequence number behind the last byte seen."""
        self._records = _ClientRecords()
        self._is_tls: bool | None = None
        self._server_ns: int | None = None
        """The last of the server's segments before the first request."""

    def has_begun_with(self, syn: Segment) -> bool:
        return syn.sequence == self._first_sequence

    def take(self, segment: Segment, from_client: bool) -> None:
        if self._is_again(segment, from_client):
            self.times.retransmits += 1
            self.times.syn_retransmits += bool(from_client and segment.flags & SYN)
        elif segment.flags & SYN:
            self.times.syn_ack_ns = segment.time_ns
        elif segment.payload_bytes:
            (self._take_of_client if from_client else self._take_of_server)(segment)

    def _is_again(self, segment: Segment, from_client: bool) -> bool:
        """All of it was seen before; a bare ACK never is."""
        size = segment.payload_bytes + bool(segment.flags & SYN) + bool(segment.flags & FIN)
        if not size:
            return False
        end, known = (segment.sequence + size) % _WRAP, self._next[from_client]
        # Sequence numbers wrap: half of them lie before any number (RFC 9293 §3.4).
        if known is not None and (known - end) % _WRAP < _WRAP // 2:
            return True
        self._next[from_client] = end
        return False

    def _take_of_client(self, segment: Segment) -> None:
        times = self.times
        if self._is_tls is None:
            self._is_tls = segment.payload[:1] == bytes((_HANDSHAKE,))
            if self._is_tls:
                times.hello_ns = segment.time_ns
        if self._is_tls and not times.exchanges:
            self._records.take(segment)
            if self._records.ends_handshake:
                times.tls_end_ns = segment.time_ns
            if not self._records.has_request:
                return
            if self._records.is_tls12 and self._server_ns is not None:
                times.tls_end_ns = max(times.tls_end_ns or 0, self._server_ns)
        if not times.exchanges or times.exchanges[-1].response_ns is not None:
            times.exchanges.append(PacketExchange(segment.time_ns))

    def _take_of_server(self, segment: Segment) -> None:
        exchanges = self.times.exchanges
        if not exchanges:
            self._server_ns = segment.time_ns
            return
        if exchanges[-1].response_ns is None:
            exchanges[-1].response_ns = segment.time_ns
        exchanges[-1].response_end_ns = segment.time_ns


def _hello_head(record_bytes: int) -> bytes:
    """How a record of that size begins where it is one ClientHello (RFC 8446 §4)."""
    return b"\x01" + max(0, record_bytes - 4).to_bytes(3, "big")


class _ClientRecords:
    """Walks the heads of a client's TLS records, to tell the handshake from the first request.

    In TLS 1.2 the client's Finished is a handshake record behind ChangeCipherSpec (RFC 5246 §7.3), and the first
    record of application data is the request. In TLS 1.3 Finished looks like application data (RFC 8446 §5.2), and the
    request is the second such record.
    """

    def __init__(self) -> None:
        self.is_tls12 = False
        self.ends_handshake = False
        """The last segment had the client's Finished."""
        self.has_request = False
        self._skip_bytes = 0
        """Of a record that began in an earlier segment."""
        self._kinds: list[int] = []

    def take(self, segment: Segment) -> None:
        self.ends_handshake = False
        offset = self._skip_bytes
        while offset + _RECORD_HEAD_BYTES <= len(segment.payload):
            kind = segment.payload[offset]
            size = int.from_bytes(segment.payload[offset + 3 : offset + 5], "big")
            if size > _MAX_RECORD_BYTES:
                break  # not where a record begins
            body = offset + _RECORD_HEAD_BYTES
            self._note(kind, is_hello=segment.payload[body : body + 4] == _hello_head(size))
            offset = body + size
        self._skip_bytes = max(0, offset - segment.payload_bytes)

    def _note(self, kind: int, *, is_hello: bool) -> None:
        kinds = self._kinds
        # A ClientHello behind ChangeCipherSpec is the second one of TLS 1.3 (RFC 8446 §4.1.4).
        if kind == _HANDSHAKE and _CHANGE_CIPHER in kinds and not is_hello:
            self.is_tls12 = self.ends_handshake = True
        elif kind == _APPLICATION:
            if self.is_tls12 or _APPLICATION in kinds:
                self.has_request = True
            else:
                self.ends_handshake = True
        kinds.append(kind)
