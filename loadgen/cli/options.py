"""How the options of `compare` and `sweep` become a Plan, and what is checked before anything starts."""

from __future__ import annotations

import ipaddress
import os
import resource
import secrets
import socket
from pathlib import Path
from typing import Any

from loadgen.model.arrivals import CONSTANT
from loadgen.model.cell import SIZE_FIELD, Axes, check_rate
from loadgen.model.exceptions import PlanError
from loadgen.model.files import check_readable
from loadgen.model.headers import parse_header
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import ConnectionPolicy, parse_policies
from loadgen.model.proxy import Proxy, parse_proxy
from loadgen.model.target import Target, parse_target

# Besides one for each connection: standard streams, the loop, row files, libraries, and connections that linger.
_DESCRIPTORS_OF_OUR_OWN = 64 + 512
_LONGEST_DATA_BYTES = 64 << 20
_EMBEDDED_HOST = "127.0.0.1"
_DEFAULT_POLICIES = "persistent,close"
_NOTHING_VARIED = "nothing is varied; give several values of --recycle, --gap, --size, --users or --rate"
NOT_RECORDED = "the run did not record its proxy's credentials; give them again with --proxy http://USER:PASSWORD@{}"
WATCHED_BY_ITSELF = "--server-pid is for a URL; the embedded target's own process is watched by itself"


def build_plan(options: dict[str, Any]) -> Plan:
    """The plan that the options describe; without URL its target's port is still a placeholder. Raises PlanError."""
    _check_pairs(options)
    axes = _axes(options)
    policies = _policies(options, axes)
    target = parse_target(options["url"]) if options["url"] is not None else _embedded(policies, axes, options["tls"])
    data, cacert = options["data"], options["cacert"]
    if cacert is not None:
        check_readable(Path(cacert), "--cacert")
        cacert = str(Path(cacert).resolve())
    plan = Plan(
        target=target,
        policies=policies,
        load=_load(options),
        method=(options["method"] or ("POST" if data is not None else "GET")).upper(),
        headers=tuple(parse_header(line) for line in options["header"]),
        body=read_data(data),
        cacert=cacert,
        insecure=options["insecure"],
        max_body_bytes=options["max_body"],
        seed=secrets.randbelow(1 << 31) if options["seed"] is None else options["seed"],
        retry_stale=options["retry_stale"],
        cookies=options["cookies"],
        source_ips=options["source_ip"],
        server_pid=options["server_pid"],
        axes=axes,
        processes=options.get("processes", 1),
        trailers=options["trailers"],
        proxy=_proxy(options["proxy"]),
    )
    if axes and len(plan.cells) == 1:
        raise PlanError(_NOTHING_VARIED)
    return plan


def _proxy(url: str | None) -> Proxy | None:
    """The proxy that --proxy names, or that a plan does. Raises PlanError."""
    proxy = None if url is None else parse_proxy(url)
    if proxy is not None and proxy.is_hidden:
        raise PlanError(NOT_RECORDED.format(proxy))
    return proxy


def _check_pairs(options: dict[str, Any]) -> None:
    if options["tls"] and options["url"]:
        raise PlanError("--tls is for the embedded target; with a URL its scheme decides")
    if options["cacert"] and not options["url"]:
        raise PlanError("--cacert is for a URL; the embedded target has an authority of its own, trusted by itself")
    if options["server_pid"] is not None and not options["url"]:
        raise PlanError(WATCHED_BY_ITSELF)
    for option in ("arrivals", "max_connections"):
        if options[option] is not None and options["rate"] is None:
            raise PlanError(f"--{option.replace('_', '-')} is for arrivals at a fixed rate; give --rate too")


def _axes(options: dict[str, Any]) -> Axes:
    """What a sweep varies: a single number of users or a single rate is simply the load."""
    if "recycle" not in options:
        return Axes()
    users, rates = ((found if found and len(found) > 1 else ()) for found in (options["users"], options["rate"]))
    if users and options["rate"]:
        raise PlanError("--users can't be varied together with --rate: with a rate the arrivals decide, not users")
    for size in options["size"] or ():
        if size < 0:
            raise PlanError(f"--size is {size}; it can't be negative")
    axes = Axes(users, rates, options["recycle"] or (), options["gap"] or (), options["size"] or ())
    if not axes:
        raise PlanError(_NOTHING_VARIED)
    return axes


def _policies(options: dict[str, Any], axes: Axes) -> tuple[ConnectionPolicy, ...]:
    if options["policies"] is None:
        return () if axes.recycle or axes.gap else parse_policies(_DEFAULT_POLICIES)
    return parse_policies(options["policies"])


def _embedded(policies: tuple[ConnectionPolicy, ...], axes: Axes, tls: bool) -> Target:
    """Where the embedded target will be but for its port; a policy that looks names up needs a name."""
    host = "localhost" if any(policy.resolves for policy in policies) else _EMBEDDED_HOST
    return Target("https" if tls else "http", host, 1, f"/?size={SIZE_FIELD}" if axes.size else "/")


def _load(options: dict[str, Any]) -> Load:
    users, rates = (found if isinstance(found, tuple) else (found,) for found in (options["users"], options["rate"]))
    for rate_rps in rates:
        if rate_rps is not None:
            check_rate(rate_rps)
    return Load(
        users=users[0],
        rounds=options["rounds"],
        block_ns=options["block"],
        warmup_ns=options["warmup"],
        think_ns=options["think"],
        timeout_ns=options["timeout"],
        rate_rps=rates[0] or 0.0,
        arrivals=options["arrivals"] or CONSTANT,
        **({} if options["max_connections"] is None else {"max_connections": options["max_connections"]}),
    )


def check_machine(plan: Plan) -> None:
    """What this machine must have for the plan: descriptors, source addresses, the server's process.

    Raises PlanError. The soft limit of file descriptors is raised as far as the plan needs.
    """
    _raise_descriptor_limit(plan)
    for address in plan.source_ips:
        _check_source(address, plan.peer)
    if plan.server_pid is not None:
        try:
            if plan.server_pid < 1:
                raise ProcessLookupError
            os.kill(plan.server_pid, 0)
        except (ProcessLookupError, OverflowError):
            raise PlanError(f"--server-pid {plan.server_pid}: there is no such process on this machine") from None
        except PermissionError:
            pass  # it is somebody else's; what can be read of it will be


def _raise_descriptor_limit(plan: Plan) -> None:
    most = plan.peak_connections  # each worker is a process of its own
    needed = most + _DESCRIPTORS_OF_OUR_OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        option = "--max-connections" if any(cell.rate_rps for cell in plan.cells) else "--users"
        raise PlanError(
            f"{option} {most} needs {needed} file descriptors, the hard limit is {hard}; raise it with ulimit -Hn"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _check_source(text: str, peer: Target | Proxy) -> None:
    address = ipaddress.ip_address(text)
    if peer.is_ip_literal and ipaddress.ip_address(peer.host).version != address.version:
        raise PlanError(f"--source-ip {text} is an IPv{address.version} address, and {peer.host} is none")
    if address.is_multicast or address.is_unspecified or _is_broadcast(address):
        raise PlanError(f"--source-ip {text} is no address that a connection can come from; give one of an interface")
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6) as probe:
        try:
            probe.bind((text, 0))
        except OSError:
            raise PlanError(f"--source-ip {text}: not an address of this machine") from None


def _is_broadcast(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Ask the kernel, which knows the networks here: only a socket that is told so may send to many. Sends nothing."""
    if address.version == 6:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), 9))
        except PermissionError:
            return True
        except OSError:  # no way there: not an address of this machine either
            return False
    return False


def read_data(data: str | bytes | None, folder: Path = Path()) -> bytes:
    """What --data says: bytes as they are, a text, or `@FILE` in `folder`. Raises PlanError."""
    if data is None or isinstance(data, bytes):
        return data or b""
    if not data.startswith("@"):
        return os.fsencode(data)
    path = folder / data[1:]
    check_readable(path, "--data")
    with path.open("rb") as file:
        body = file.read(_LONGEST_DATA_BYTES + 1)
    if len(body) > _LONGEST_DATA_BYTES:
        raise PlanError(f"--data {path} is longer than {_LONGEST_DATA_BYTES >> 20} MiB")
    return body
