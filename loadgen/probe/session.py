"""What one probe works with: connections to the target, requests on them, other probes' findings. Decides nothing.

It counts what the probe spends, and holds it to what the probe said beforehand.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gevent.event import AsyncResult
from gevent.lock import Semaphore

from loadgen.model.target import Target
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import Loss, NoResponse, OpenFailure, OverBudget, ProbeFailure
from loadgen.probe.finding import Finding
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.trace import Traces
from loadgen.wire import poller
from loadgen.wire.address_race import AddressRace
from loadgen.wire.errors import FAILURES
from loadgen.wire.http1.head import BodyTooLarge, Malformed, ResponseHead
from loadgen.wire.http1.request_writer import build_request
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.route import Route
from loadgen.wire.transport import SocketAddress, Transport

MAX_BODY_BYTES = 8 << 20
GATEWAY_ERRORS = frozenset({502, 503, 504})
"""What a proxy answers where the server behind it does not (RFC 9110 §15.6.3 to §15.6.5)."""

LIMITS_CLIENTS = frozenset({429, 503})
"""What a server answers that wants fewer requests (RFC 6585 §4, RFC 9110 §15.6.4)."""


class Reply(NamedTuple):
    """One response. Times are those of the poller's clock (ns)."""

    head: ResponseHead
    body: bytes
    sent_ns: int
    """When the request was sent,"""
    first_ns: int
    """when the first byte of the response came,"""
    done_ns: int
    """and the last one."""
    extra: bytes
    """Bytes that followed the response, and belong to none."""
    interim: int
    """Responses with 1xx before it."""
    notes: int = 0
    """The bits of each Leniency that it needed."""
    trailers: tuple[tuple[bytes, bytes], ...] = ()
    """The fields of its trailer section."""

    def field(self, name: str) -> str | None:
        """The value of a field, its lines joined as one list (RFC 9110 §5.3); None where there is none."""
        wanted = name.lower().encode()
        found = [value.decode("latin-1") for key, value in self.head.headers if key.lower() == wanted]
        return ", ".join(found) if found else None

    @property
    def took_ns(self) -> int:
        """The time from the request to the end of the response."""
        return self.done_ns - self.sent_ns

    @property
    def persists(self) -> bool:
        """By its version and its Connection field the connection stays open (RFC 9112 §9.3)."""
        return self.head.persists


@dataclass
class AuditState:
    """What all probes of an audit share."""

    plan: AuditPlan
    route: Route
    traces: Traces
    deadline_ns: int
    """The whole audit ends by then."""
    findings: dict[str, AsyncResult] = field(default_factory=dict)
    """Of each probe that runs."""
    first: Reply | None = None
    """The first response; None where the server gave none,"""
    first_failure: str = ""
    """and then why."""
    requests: int = 0
    connections: int = 0
    last_sent_ns: dict[str, int] = field(default_factory=dict)
    """When each probe sent its latest request to the target."""
    resolved: list[SocketAddress] = field(default_factory=list)
    """All addresses of the name, in the resolver's order; empty until it was asked."""
    alone: Semaphore = field(default_factory=Semaphore)
    """Held by a probe that may stop the server for a moment."""

    @classmethod
    def of(cls, plan: AuditPlan) -> AuditState:
        """For an audit that begins now. Raises PlanError where `cacert` can't be used."""
        zero_ns = poller.of_hub().monotonic_ns()
        route = Route.of(plan)
        return cls(plan, route, Traces(zero_ns), zero_ns + plan.max_time_ns)


@dataclass(slots=True)
class Spent:
    """What one probe has used so far."""

    requests: int = 0
    connections: int = 0


class ProbeSession:
    """One probe's view of the audit."""

    def __init__(self, state: AuditState, name: str, max_requests: int, max_connections: int) -> None:
        self.plan = state.plan
        self.route = state.route
        self.deadline_ns = state.deadline_ns
        self.spent = Spent()
        self.waiting_for = ""
        """To be set before a long wait: what for, for the progress line."""
        self.waiting_until_ns = 0
        """When that wait ends at the latest."""
        self.silences = 0
        """How many waits for a response ended without a byte."""
        self.alone = state.alone
        """To be held where this probe may stop the server for a moment, so that no two of them do at once."""
        self._state = state
        self._name = name
        self._max_requests = max_requests
        self._max_connections = max_connections
        self._clock = poller.of_hub()

    def toward(self, target: Target) -> ProbeSession:
        """A view of another server, without the proxy, that spends from the same budget. Raises PlanError."""
        other = copy.copy(self)
        other.plan = replace(self.plan, target=target, proxy=None)
        other.route = Route.of(other.plan)
        return other

    @property
    def first(self) -> Reply:
        """The target's response to a first plain request. Raises NoResponse, with the reason, where it gave none."""
        found = self._state.first
        if found is None:
            raise NoResponse(Loss.TIMEOUT, b"", self.now_ns(), self._state.first_failure)
        return found

    def is_limited(self, status: int) -> bool:
        """The server wants fewer requests: it says so by this status, which the first response did not have."""
        return status in LIMITS_CLIENTS and status != self.first.head.status

    def check_limit(self, status: int) -> None:
        """Raises ProbeFailure where the server wants fewer requests: what this response shows is not usual."""
        if self.is_limited(status):
            raise ProbeFailure(f"status {status}: the server wants fewer requests")

    def now_ns(self) -> int:
        return self._clock.monotonic_ns()

    def until_ns(self, wait_ns: int) -> int:
        """The moment in `wait_ns`, but not after the audit's end."""
        return min(self.now_ns() + wait_ns, self.deadline_ns)

    @property
    def timeout_at_ns(self) -> int:
        """The deadline of a request that begins now."""
        return self.until_ns(self.plan.timeout_ns)

    def finding(self, name: str) -> Finding | None:
        """What another probe found out, once it has; None where it does not run or ended without a finding.

        The probe names it in `needs` where it can't do without.
        """
        result = self._state.findings.get(name)
        found: Finding | None = None if result is None else result.get()
        return found

    def has_ended(self, name: str, wait_ns: int) -> bool:
        """Whether another probe has ended by then, or does not run; waits that long at most."""
        result = self._state.findings.get(name)
        if result is not None:
            result.wait(timeout=max(0, self.until_ns(wait_ns) - self.now_ns()) / NS_PER_S)
        return result is None or result.ready()

    def others_sent_since(self, at_ns: int) -> bool:
        """Another probe has sent the target a request since then, which a proxy may have sent on our connection."""
        return any(sent_ns >= at_ns for name, sent_ns in self._state.last_sent_ns.items() if name != self._name)

    def addresses(self) -> list[SocketAddress]:
        """The addresses of the target, or of its proxy, in the resolver's order. Raises OpenFailure.

        Without those that did not answer the first request; `resolved` has them too.
        """
        if not self.route.addresses:
            found = self.look_up()
            if not self.route.addresses:
                if self._is_usual:
                    self._state.resolved = found
                try:
                    self.route.set_addresses(found)
                except OSError as error:
                    raise OpenFailure("resolve", error) from None
        return list(self.route.addresses)

    @property
    def resolved(self) -> list[SocketAddress]:
        """All addresses, in the resolver's order, those included that do not answer."""
        return list(self._state.resolved or self.addresses())

    @property
    def _is_usual(self) -> bool:
        """It looks at the audit's target, on the audit's way to it."""
        return self.route is self._state.route

    def look_up(self) -> list[SocketAddress]:
        """Ask the resolver now. Raises OpenFailure."""
        result: AsyncResult = AsyncResult()
        self.route.look_up(result.set)
        found: list[SocketAddress] | OSError = result.get(timeout=None)
        if isinstance(found, OSError):
            raise OpenFailure("resolve", found)
        return found

    def open(
        self,
        *,
        transport: Callable[[], Transport] | None = None,
        address: SocketAddress | None = None,
        wait_ns: int | None = None,
    ) -> ProbeStream:
        """A new connection, open. Raises OpenFailure or OverBudget.

        transport: makes another one than the target's usual one; address: instead of the first one.
        """
        if self.spent.connections >= self._max_connections:
            raise OverBudget(f"it would need more than {self._max_connections} connections")
        to = self.addresses()[0] if address is None else address
        self.spent.connections += 1
        self._state.connections += 1
        usual = self.route.transport if address is None else self.route.attempt
        made = usual() if transport is None else transport()
        stream = ProbeStream(made, self._state.traces.new(self._name, self.now_ns()))
        stream.open(to, self.until_ns(self.plan.timeout_ns if wait_ns is None else wait_ns))
        if isinstance(made, AddressRace) and made.address is not None:
            self.route.settle(made.address)  # the other connections go where the first one went
        return stream

    def request(
        self,
        *,
        method: str = "GET",
        path: str | None = None,
        fields: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        connection: str = "",
        version: str = "1.1",
    ) -> bytes:
        """One request as bytes, in absolute-form where a proxy forwards it. path: instead of the URL's.

        The user's own fields are in it. connection: the value of the Connection field; empty for none.
        """
        target = self.plan.target
        wanted = target.path if path is None else path
        uri = f"{target.scheme}://{target.host_field}{wanted}" if self.plan.is_forwarded else wanted
        given = {name.lower() for name, _ in fields}
        own = tuple(pair for pair in self.plan.headers if pair[0].lower() not in given)
        return build_request(
            method, uri, target.host_field, (*own, *self.route.proxy_fields, *fields), body, connection, version
        )

    def spend(self, requests: int) -> None:
        """Count requests that the caller sends itself. Raises OverBudget."""
        if self.spent.requests + requests > self._max_requests:
            raise OverBudget(f"it would need more than {self._max_requests} requests")
        self.spent.requests += requests
        self._state.requests += requests
        if self._is_usual:
            self._state.last_sent_ns[self._name] = self.now_ns()

    def send(self, stream: ProbeStream, data: bytes, requests: int = 1) -> int:
        """Send bytes with that many requests; returns when they were sent (ns). Raises NoResponse or OverBudget."""
        self.spend(requests)
        try:
            return stream.send(data, self.timeout_at_ns)
        except TimeoutError:
            raise NoResponse(Loss.TIMEOUT, b"", self.now_ns(), "the server does not read the request") from None
        except FAILURES:
            # It may have said why before it ended the connection: that is read by the caller.
            return self.now_ns()

    def read(
        self, stream: ProbeStream, sent_ns: int = 0, *, is_head: bool = False, rest: bytes = b"",
        pipelined: bool = False, wait_ns: int | None = None,
    ) -> Reply:  # fmt: skip
        """The next response. Raises NoResponse.

        rest: bytes that were read before and belong to it. pipelined: bytes behind it are the next one's; they are in
        `extra`. wait_ns: instead of the plan's timeout.
        """
        reader = ResponseReader(MAX_BODY_BYTES)
        reader.no_body = is_head
        reader.pipelined = pipelined
        body, received = bytearray(), bytearray(rest)
        until_ns = self.until_ns(self.plan.timeout_ns if wait_ns is None else wait_ns)
        first_ns = at_ns = self.now_ns()
        data = rest
        while True:
            try:
                complete = bool(data) and reader.feed(data, body.extend)
            except BodyTooLarge:
                detail = f"the response is longer than the {MAX_BODY_BYTES >> 20} MiB that are read; name a smaller one"
                raise NoResponse(Loss.TOO_LONG, bytes(received), at_ns, detail) from None
            except Malformed as error:
                raise NoResponse(Loss.MALFORMED, bytes(received), at_ns, f"the answer is not HTTP: {error}") from None
            if complete:
                break
            chunk = stream.receive(until_ns)
            if chunk is None:
                self.silences += not received
                raise NoResponse(Loss.TIMEOUT, bytes(received), self.now_ns())
            at_ns = chunk.at_ns
            if not chunk.data:
                if chunk.ended == "fin" and reader.finish():
                    break
                raise NoResponse(stream.loss, bytes(received), at_ns)
            if not received:
                first_ns = at_ns
            data = chunk.data
            received += data
        assert reader.head is not None
        extra = reader.rest if pipelined else reader.extra
        return Reply(
            reader.head, bytes(body), sent_ns or first_ns, first_ns, at_ns, extra, reader.interim, reader.notes,
            tuple(reader.trailers),
        )  # fmt: skip

    def ask(self, stream: ProbeStream, request: bytes | None = None, *, is_head: bool = False) -> Reply:
        """Send one request, a plain GET if none is given, and read its response. Raises NoResponse or OverBudget."""
        sent_ns = self.send(stream, self.request() if request is None else request)
        return self.read(stream, sent_ns, is_head=is_head)
