"""A run as one value: what is sent where, under which policies, for how long. Executes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from loadgen.model import plan_fields
from loadgen.model.addressing import DEFAULT_ADDRESSING, Addressing, check_source
from loadgen.model.body_transfer import DEFAULT_TRANSFER, BodyTransfer
from loadgen.model.cell import NO_AXES, Axes, Cell, cells, cells_of_targets
from loadgen.model.endpoint import Endpoint
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import check_headers
from loadgen.model.length_options import MAX_ROUNDS
from loadgen.model.load import DEFAULT_LOAD, MAX_BLOCKS
from loadgen.model.load import Load as Load
from loadgen.model.named_target import NamedTarget, check_targets
from loadgen.model.options import check_ranges, default, option_named
from loadgen.model.origins import origins_of
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.policy import H2, H2_PRIOR, HTTP2, WEBSOCKET, ConnectionPolicy, RunConditions, check_run
from loadgen.model.proxy import Proxy
from loadgen.model.proxying import DEFAULT_PROXYING, Proxying
from loadgen.model.request_conditions import check_for_one, check_one_origin, check_origins, check_requests
from loadgen.model.request_method import IDEMPOTENT, check_method
from loadgen.model.retries import check_retries, retried_outcomes
from loadgen.model.target import Target
from loadgen.model.templating import DEFAULT_TEMPLATING, Templating
from loadgen.model.tls_settings import DEFAULT_TLS, TlsSettings

if TYPE_CHECKING:  # every worker imports this module, and these types take 20 ms to make
    from loadgen.model.plan_record import PlanRecord

# Protocols that need a CONNECT tunnel even to an http target: RFC 6455 §4.1; HTTP/2 has no form of request for a proxy.
_TUNNELLED = (WEBSOCKET, H2, H2_PRIOR)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run depends on; equal plans with equal seeds run the same blocks in the same order."""

    target: Target
    """Where requests go; of several targets the first, but see `of_cell`."""
    policies: tuple[ConnectionPolicy, ...]
    """Empty where the axes make them."""
    load: Load = DEFAULT_LOAD
    method: str = default("method")
    headers: tuple[tuple[str, str], ...] = default("header")
    body: bytes = default("data")
    transfer: BodyTransfer = DEFAULT_TRANSFER
    """How the body is sent."""
    templating: Templating = DEFAULT_TEMPLATING
    """Whether URL, header fields and body are templates."""
    requests: tuple[PlannedRequest, ...] = default("urls")
    """Where there are several, all of them; the target's own path is not used then."""
    cacert: str | None = None
    """The file with the authorities that are trusted; None: the system's."""
    insecure: bool = default("insecure")
    """Certificates are not verified."""
    tls: TlsSettings = DEFAULT_TLS
    """What the client offers in its handshakes, and who it is."""
    max_body_bytes: int = default("max_body")
    """A longer response body is an error."""
    seed: int = default("seed")
    """Of the order of the blocks."""
    retry_stale: bool = default("retry_stale")
    """Requests are sent once more: idempotent ones that met a stale connection, and unprocessed streams of HTTP/2."""
    cookies: bool = default("cookies")
    """Each user keeps the cookies that it is given."""
    source_ips: tuple[str, ...] = default("source_ip")
    """Local addresses to connect from, in turns."""
    server_pid: int | None = None
    """The process whose CPU time, memory and sockets are read, with its children."""
    axes: Axes = NO_AXES
    """What a sweep varies."""
    processes: int = default("processes")
    """How many workers share the load."""
    trailers: bool = default("trailers")
    """Requests say that trailer sections are understood (RFC 9110 §10.1.4)."""
    max_samples: int = default("max_samples")
    """Requests whose rows are kept."""
    proxy: Proxy | None = None
    """Connections go to it in place of the target; of several targets those do not that `proxying` names."""
    proxying: Proxying = DEFAULT_PROXYING
    """How a proxy is trusted, what is reached without it, and a header that names the client."""
    targets: tuple[NamedTarget, ...] = default("target")
    """Where there are several, all of them: each cell has one, and they take turns as policies do."""
    addressing: Addressing = DEFAULT_ADDRESSING
    """Which addresses connections go to."""
    until_precision: float | None = None
    """Go on after the load's rounds until each ratio is known within this share; None: the rounds are all."""
    max_time_ns: int = default("max_time")
    """With that: the longest time of the whole load."""
    equivalent: float | None = default("equivalent")
    """The share by which mean latencies may differ and still count as equivalent; None where that is not asked."""
    fail_if: tuple[str, ...] = default("fail_if")
    """Gates: the run fails where one of these expressions holds. Whether its fields exist is not checked here."""
    max_errors: float | None = default("max_errors")
    """The share of a policy's requests that may fail; None where that is not limited."""

    def __post_init__(self) -> None:
        check_method(self.method)
        check_headers(self.headers)
        if self.targets:
            self._check_targets()
        for cell in self.cells:
            self._check(cell)
        policies = [cell.policy for cell in self.cells]
        paths = dict.fromkeys(cell.path for cell in self.cells)
        headers = (*self.headers, *(field for one in self.requests for field in one.headers))
        self.transfer.check(self.has_body, self.requests, headers, policies)
        others = {"--urls": self.requests, "--retry-stale": self.retry_stale}
        other = next((option for option, is_given in others.items() if is_given), "")
        self.templating.check(paths, self.headers, self.body, policies, others=other)
        check_ranges(self)
        self.load.check_length(len(self.cells))
        if self.until_precision is not None:
            if self.load.requests is not None:
                raise PlanError("--requests contradicts --until-precision, which decides how long the run is")
            self.load.check_precision(len(self.cells), self.max_time_ns)
        if self.cacert and self.insecure:
            raise PlanError("--cacert and --insecure contradict each other; give one of them")
        self._check_tls()
        if self.requests:
            check_requests(self.requests, self.methods, policies, self.has_body)
            check_for_one(size=self.axes.size, retry_stale=self.retry_stale)
            if self.targets:
                check_one_origin(self.requests, self.each_target)
            else:
                check_origins(self.target, self.origins, policies, self.addressing.backend_header)
        if self.retry_stale:
            in_http2 = any(policy.protocol in HTTP2 for policy in self.policies)
            check_retries(self.riskiest_method, is_idempotent=self.is_idempotent, knows_unprocessed=in_http2)
        for address in self.source_ips:
            check_source(address)
        for target in self.each_target:
            self.addressing.check(target, self.proxy_to(target), self.source_ips)
        self.proxying.check(self.proxy, headers)
        if self.processes != 1:
            if self.axes:
                raise PlanError("--processes is for a comparison; a sweep runs in one process")
            self.load.check_processes(self.processes)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of a round: each block runs one. Raises PlanError."""
        if self.targets:
            return cells_of_targets(self.policies, self.load.users, self.load.rate_rps, self.targets)
        return cells(self.policies, self.load.users, self.load.rate_rps, self.target.path, self.axes)

    @property
    def methods(self) -> tuple[str, ...]:
        """Those of all requests."""
        return tuple(dict.fromkeys(one.method or self.method for one in self.requests)) or (self.method,)

    @property
    def riskiest_method(self) -> str:
        """The first that is not idempotent (RFC 9110 §9.2.2); else the first."""
        return next((method for method in self.methods if method not in IDEMPOTENT), self.methods[0])

    @property
    def is_idempotent(self) -> bool:
        """All methods are."""
        return self.riskiest_method in IDEMPOTENT

    def part(self, **fields: Any) -> Plan:
        """With these values, unchecked: what holds for the whole, as that a request has a body, need not for a part."""
        found = copy(self)
        for name, value in fields.items():
            object.__setattr__(found, name, value)  # plans are frozen, and this one is not seen yet
        return found

    def of_request(self, request: PlannedRequest) -> Plan:
        """The plan of this request alone."""
        return self.part(requests=(), **self.fields_of(request))

    @property
    def has_body(self) -> bool:
        """Requests have a body, unless a line of several says otherwise."""
        return bool(self.body) or self.transfer.file is not None

    def fields_of(self, request: PlannedRequest) -> dict[str, Any]:
        """The fields that say what is sent, as this request has them."""
        fields = request.over(self.method, self.headers, self.body)
        transfer = self.transfer.of_request(
            has_body=bool(fields["body"]), has_own=bool(request.body), chunked=request.chunked
        )
        return fields | {"transfer": transfer}

    def of_target(self, name: str | None) -> Plan:
        """The plan as the target of this name has it; itself where there is one alone."""
        found = self._target_called(name)
        plan = self if found == self.target else replace(self, target=found)
        if len(self.origins) > 1:
            return plan  # each of them has the proxy or none
        return plan if self.proxy_to(found) == self.proxy else plan.without_proxy()

    def _target_called(self, name: str | None) -> Target:
        return next((one.target for one in self.targets if one.name == name), self.target)

    def of_cell(self, cell: Cell) -> Plan:
        """The plan as the cell's target has it."""
        return self.of_target(cell.target)

    def proxy_to(self, target: Target) -> Proxy | None:
        """The proxy that connections for this target go to; None where there is none, or it is not used for it."""
        return None if self.proxying.bypasses(target) else self.proxy

    @property
    def used_proxy(self) -> Proxy | None:
        """The proxy, where any of the targets is reached by it."""
        return self.proxy if any(self.proxy_to(one) is not None for one in self.each_target) else None

    def without_proxy(self) -> Plan:
        """The plan of a run whose connections all go to the target itself."""
        return replace(self, proxy=None, proxying=Proxying(protocol=self.proxying.protocol))

    def by_target(self) -> dict[str | None, Plan]:
        """The plan as each of several targets has it, by name; itself, under None, where there is one alone."""
        return {one.name: self.of_target(one.name) for one in self.targets} or {None: self.of_target(None)}

    @property
    def each_target(self) -> tuple[Target, ...]:
        """All targets, also where there is one alone, and of requests to several origins all of these."""
        return tuple(one.target for one in self.targets) or self.origins

    @property
    def origins(self) -> tuple[Target, ...]:
        """The origins that requests go to, in the order of the requests; the target alone where there is one."""
        return origins_of(self.target, self.requests)

    @property
    def target_names(self) -> dict[str, str]:
        """The name of each cell's target; empty where there is one alone."""
        return {cell.name: cell.target for cell in self.cells if cell.target is not None}

    @property
    def peak_connections(self) -> int:
        """The most connections that one worker has at the same time, besides those that wait for their close."""
        return -(-max(map(self._peak_of, self.cells)) // self.processes)

    def _peak_of(self, cell: Cell) -> int:
        most = self.load.max_connections if cell.rate_rps else cell.users
        return min(cell.policy.pool or most, most) * len(self.origins)

    @property
    def retried_outcomes(self) -> frozenset[int]:
        """Outcomes of requests that are sent once more (RFC 9110 §9.2.2, RFC 9113 §8.7)."""
        return retried_outcomes(is_idempotent=self.is_idempotent) if self.retry_stale else frozenset()

    @property
    def endpoint(self) -> Endpoint:
        """Where connections go: the proxy if there is one, else the target, or what --connect-to names instead."""
        return self.addressing.endpoint(self.target, self.proxy_to(self.target))

    def tls_of(self, cell: Cell) -> TlsSettings:
        """What the client offers in the handshakes of a cell."""
        return self.tls.with_offers(cell.tls_version, cell.groups)

    def tunnels(self, policy: ConnectionPolicy) -> bool:
        """Whether connections go through a tunnel, by CONNECT or SOCKS; see also `asks_proxy`."""
        proxy = self.proxy_to(self.target)
        if proxy is None:
            return False
        # A forwarding proxy would connect to what the URL names.
        elsewhere = self.addressing.leads_elsewhere(self.target)
        return self.target.is_tls or proxy.is_socks or elsewhere or policy.protocol in _TUNNELLED

    def asks_proxy(self, policy: ConnectionPolicy) -> bool:
        """Whether the proxy gets this policy's requests itself, so that connections and responses are the proxy's."""
        return self.proxy_to(self.target) is not None and not self.tunnels(policy)

    def request_target(self, policy: ConnectionPolicy, path: str) -> str:
        """The target in a request line for `path` (origin-form): absolute-form to a proxy (RFC 9112 §3.2.2)."""
        if not self.asks_proxy(policy):
            return path
        return f"{self.target.origin}{path}"

    def _check_targets(self) -> None:
        check_targets(self.targets)
        if self.axes:
            raise PlanError("a sweep has one target; several take turns in loadgen compare")
        if self.server_pid is not None:
            raise PlanError("--server-pid is for a run with one target; with several, leave it out")

    def _check(self, cell: Cell) -> None:
        for target in (self._target_called(cell.target),) if self.targets else self.origins:
            check_run(cell.policy, self.conditions(cell, target))
        option_named("users").check_range(cell.users)
        if cell.size is not None:
            option_named("size").check_range(cell.size)
        if not cell.rate_rps:
            return
        if self.load.think_ns:
            raise PlanError("--think is for users; with --rate the arrivals decide when a request is due")

    def conditions(self, cell: Cell, target: Target) -> RunConditions:
        """What a cell's policy has to do with at this target."""
        proxy = self.proxy_to(target)
        # Of several origins one has TLS sessions: the others do without.
        has_sessions = not self.targets and any(one.is_tls for one in self.origins)
        end = self.addressing.endpoint(target, proxy)
        if proxy is not None and proxy.takes_addresses and end.is_fixed:
            end = self.addressing.endpoint(target)  # its name is looked up here too
        return RunConditions(
            is_proxy_tls=proxy is not None and proxy.is_tls,
            is_tls=target.is_tls or (cell.policy.resumes_tls and has_sessions),
            peer=end.socket or end.host,
            peer_is_address=end.is_fixed,
            method=self.riskiest_method,
            is_idempotent=self.is_idempotent,
            retries_stale=self.retry_stale,
            is_open_loop=cell.rate_rps > 0,
            processes=self.processes,
            races=self.addressing.happy_eyeballs_ns is not None,
        )

    @property
    def max_rounds(self) -> int:
        """The most rounds that can be run: with a precision as many as fit in the longest time, else the load's."""
        if self.until_precision is None:
            return self.load.rounds
        fitting = self.max_time_ns // (len(self.cells) * self.load.block_ns)
        return min(fitting, MAX_ROUNDS, MAX_BLOCKS // len(self.cells))

    @property
    def min_rounds(self) -> int:
        """The rounds that are run however precise the first ones are."""
        return min(self.load.rounds, self.max_rounds)

    def _check_tls(self) -> None:
        given = (*self.tls.given(), *(f"--{name.replace('_', '-')}" for name in self.axes.of_tls()))
        if given and not any(one.is_tls for one in self.each_target):
            raise PlanError(f"{given[0]} is for TLS, and {self.target} is in clear; use an https URL")
        for cell in self.cells:
            self.tls.check_policy(cell.policy.name, cell.policy.protocol == H2)
            if cell.policy.early_data:
                self.tls_of(cell).check_early_data(cell.policy.name)

    def to_json(self, *, secrets: bool) -> PlanRecord:
        """The plan as JSON values. Without `secrets`, values of credential fields are replaced by HIDDEN."""
        return cast("PlanRecord", plan_fields.record(self, secrets=secrets))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Plan:
        """The inverse of `to_json`. Raises PlanError or KeyError where the values are no plan."""
        return cls(**plan_fields.restore(values))
