"""A run as one value: what is sent, to whom, under which policies, for how long. Executes nothing."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import asdict, dataclass
from typing import Any

from loadgen.model.arrivals import CONSTANT, parse_arrivals
from loadgen.model.cell import NO_AXES, Axes, Cell, cells, check_rate
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import SECRET_FIELDS, check_header
from loadgen.model.policy import H2, H2_PRIOR, H2C_UPGRADE, WEBSOCKET, ConnectionPolicy, parse_policies
from loadgen.model.proxy import HIDDEN as HIDDEN
from loadgen.model.proxy import Proxy, parse_proxy
from loadgen.model.target import Target, parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S, format_duration

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
IDEMPOTENT = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")  # RFC 9110 §9.2.2
_MOST_CONNECTIONS = 1_000_000
_MOST_PROCESSES = 256
# What can't go through a proxy in clear but by a tunnel: RFC 6455 §4.1; HTTP/2 has no form of request for that.
_TUNNELLED = (WEBSOCKET, H2, H2_PRIOR)


@dataclass(frozen=True, slots=True)
class Load:
    """The load of each block, the same under every policy.

    A closed loop of `users`, unless rate_rps says how many arrivals per second are due, at equal distances or as a
    Poisson process; then at most max_connections are open at the same time, and users play no part.
    """

    users: int = 50
    rounds: int = 5
    block_ns: int = 2 * NS_PER_S
    warmup_ns: int = 500 * NS_PER_MS
    think_ns: int = 0
    timeout_ns: int = 10 * NS_PER_S
    rate_rps: float = 0.0
    arrivals: str = CONSTANT
    max_connections: int = 1_000

    def __post_init__(self) -> None:
        if self.users < 1:
            raise PlanError(f"--users is {self.users}; at least 1 is needed")
        if self.rounds < 1:
            raise PlanError(f"--rounds is {self.rounds}; at least 1 is needed")
        if self.block_ns < 10 * NS_PER_MS:
            raise PlanError(f"--block is {format_duration(self.block_ns)}; at least 10 ms is needed")
        if not 0 <= self.warmup_ns < self.block_ns:
            raise PlanError(
                f"--warmup is {format_duration(self.warmup_ns)}, a part of each block of "
                f"{format_duration(self.block_ns)}; it must be shorter"
            )
        if self.timeout_ns < NS_PER_MS:
            raise PlanError(f"--timeout is {format_duration(self.timeout_ns)}; at least 1 ms is needed")
        if self.rate_rps:
            check_rate(self.rate_rps)
        parse_arrivals(self.arrivals)
        if not 1 <= self.max_connections <= _MOST_CONNECTIONS:
            raise PlanError(
                f"--max-connections is {self.max_connections}; it must lie between 1 and {_MOST_CONNECTIONS:,}"
            )


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run depends on; equal plans with equal seeds run the same blocks in the same order.

    retry_stale: an idempotent request that met a stale connection is sent once more (RFC 9110 §9.2.2). cookies: each
    user keeps the cookies that it is given. source_ips: local addresses to connect from, in turns. server_pid: the
    process whose CPU time, memory and sockets are read, with its children. axes: what a sweep varies. processes: how
    many workers share the load. trailers: requests say that trailer sections are understood (RFC 9110 §10.1.4).
    proxy: who is connected to in the target's place.
    """

    target: Target
    policies: tuple[ConnectionPolicy, ...]
    load: Load = Load()
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cacert: str | None = None
    insecure: bool = False
    max_body_bytes: int = 64 * 1024 * 1024
    seed: int = 0
    retry_stale: bool = False
    cookies: bool = True
    source_ips: tuple[str, ...] = ()
    server_pid: int | None = None
    axes: Axes = NO_AXES
    processes: int = 1
    trailers: bool = False
    proxy: Proxy | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise PlanError(f"the method {self.method!r} is unknown; use one of {', '.join(METHODS)}")
        for name, value in self.headers:
            check_header(name, value)
        for cell in self.cells:
            self._check(cell)
        if self.max_body_bytes < 0 or self.seed < 0:
            raise PlanError("--max-body and --seed can't be negative")
        if self.cacert and self.insecure:
            raise PlanError("--cacert and --insecure contradict each other; give one of them")
        if self.retry_stale and self.method not in IDEMPOTENT:
            raise PlanError(
                f"--retry-stale: {self.method} is not idempotent, so it is never repeated (RFC 9110 §9.2.2)"
            )
        for address in self.source_ips:
            _check_address(address)
        if self.proxy is not None and any(name.lower() == "proxy-authorization" for name, _ in self.headers):
            raise PlanError("the header 'Proxy-Authorization' can't be given: it follows from --proxy")
        if self.processes != 1:
            self._check_processes()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What the blocks of a round are given, one each. Raises PlanError."""
        return cells(self.policies, self.load.users, self.load.rate_rps, self.target.path, self.axes)

    @property
    def peak_connections(self) -> int:
        """No block of one worker has more connections at the same time than this."""
        most = max(self.load.max_connections if cell.rate_rps else cell.users for cell in self.cells)
        return -(-most // self.processes)

    @property
    def peer(self) -> Target | Proxy:
        """Whom connections go to."""
        return self.proxy or self.target

    def tunnels(self, policy: ConnectionPolicy) -> bool:
        """Connections go through a tunnel that the proxy is asked for; else it is sent the requests themselves."""
        return self.proxy is not None and (self.target.is_tls or policy.protocol in _TUNNELLED)

    def request_target(self, policy: ConnectionPolicy, path: str) -> str:
        """What a request line says for `path` (origin-form): absolute-form to a proxy (RFC 9112 §3.2.2)."""
        if self.proxy is None or self.tunnels(policy):
            return path
        return f"{self.target.scheme}://{self.target.host_field}{path}"

    def _check(self, cell: Cell) -> None:
        policy = cell.policy
        if policy.resumes_tls and not self.target.is_tls:
            raise PlanError(
                f"the policy {policy.name!r} resumes TLS sessions, and a target in clear has none; "
                "use an https URL (or --tls with the embedded target)"
            )
        if policy.resolves and self.peer.is_ip_literal:
            raise PlanError(f"the policy {policy.name!r} looks a name up, and {self.peer.host} is an address already")
        if policy.protocol in (H2C_UPGRADE, H2_PRIOR) and self.target.is_tls:
            raise PlanError(
                f"the policy {policy.name!r} is HTTP/2 in clear, and the target speaks TLS; use h2, which does it there"
            )
        if policy.pipelines and self.method not in IDEMPOTENT:
            raise PlanError(f"the policy {policy.name!r}: {self.method} can't be pipelined (RFC 9112 §9.3.2)")
        if policy.depth > 1 and self.retry_stale:
            raise PlanError(
                f"the policy {policy.name!r} excludes --retry-stale: which of several in flight was lost is not known"
            )
        if policy.protocol == WEBSOCKET and self.retry_stale:
            raise PlanError(f"the policy {policy.name!r} excludes --retry-stale: a message is no idempotent request")
        if cell.users < 1:
            raise PlanError(f"--users is {cell.users}; at least 1 is needed")
        if not cell.rate_rps:
            return
        if self.load.think_ns:
            raise PlanError("--think is for users; with --rate the arrivals decide when a request is due")
        if policy.gap_ns or policy.pipelines:
            raise PlanError(
                f"the policy {policy.name!r} needs users; with --rate the arrivals decide what is sent when"
            )

    def _check_processes(self) -> None:
        if not 1 <= self.processes <= _MOST_PROCESSES:
            raise PlanError(f"--processes is {self.processes}; it must lie between 1 and {_MOST_PROCESSES}")
        if self.axes:
            raise PlanError("--processes is for a comparison; a sweep runs in one process")
        for policy in self.policies:
            if policy.pool:
                raise PlanError(
                    f"the policy {policy.name!r} shares one pool among all users; it can't be spread over --processes"
                )
        if self.load.rate_rps:
            shared, option = self.load.max_connections, "--max-connections"
            check_rate(self.load.rate_rps / self.processes)
        else:
            shared, option = self.load.users, "--users"
        if shared < self.processes:
            raise PlanError(f"{option} {shared} can't be spread over --processes {self.processes}; each needs one")

    def to_json(self, *, secrets: bool) -> dict[str, Any]:
        """The plan as JSON values. Without `secrets`, values of credential fields are replaced by HIDDEN."""
        headers = [
            [name, value if secrets or name.lower() not in SECRET_FIELDS else HIDDEN] for name, value in self.headers
        ]
        return {
            "url": str(self.target),
            "policies": [policy.name for policy in self.policies],
            **asdict(self.load),
            "method": self.method,
            "headers": headers,
            "body_base64": base64.b64encode(self.body).decode("ascii"),
            "cacert": self.cacert,
            "insecure": self.insecure,
            "max_body_bytes": self.max_body_bytes,
            "seed": self.seed,
            "retry_stale": self.retry_stale,
            "cookies": self.cookies,
            "source_ips": list(self.source_ips),
            "server_pid": self.server_pid,
            "axes": {name: list(values) for name, values in asdict(self.axes).items()},
            "processes": self.processes,
            "trailers": self.trailers,
            "proxy": self.proxy and self.proxy.url(secrets=secrets),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Plan:
        """The inverse of `to_json`. Raises PlanError or KeyError where the values are no plan."""
        axes = Axes(**{name: tuple(found) for name, found in values.get("axes", {}).items()})
        names = values["policies"]
        return cls(
            target=parse_target(values["url"]),
            policies=parse_policies(",".join(names)) if names or not axes else (),
            # What a plan of an earlier version does not say was then as it is now by default.
            load=Load(**{name: values[name] for name in Load.__dataclass_fields__ if name in values}),
            method=values["method"],
            headers=tuple((name, value) for name, value in values["headers"]),
            body=base64.b64decode(values["body_base64"]),
            cacert=values["cacert"],
            insecure=values["insecure"],
            max_body_bytes=values["max_body_bytes"],
            seed=values["seed"],
            retry_stale=values.get("retry_stale", False),
            cookies=values.get("cookies", True),
            source_ips=tuple(values.get("source_ips", ())),
            server_pid=values.get("server_pid"),
            axes=axes,
            processes=values.get("processes", 1),
            trailers=values.get("trailers", False),
            proxy=parse_proxy(values["proxy"]) if values.get("proxy") else None,
        )


def _check_address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise PlanError(f"--source-ip {text!r} is no IP address") from None
