"""`loadgen target`: the embedded target as a server to run by hand, and as the child of `compare`."""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Callable, Container
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent import signal_handler
from gevent.event import Event

from loadgen.cli import EXIT_DONE, Outcome
from loadgen.model.authority import authority
from loadgen.model.endpoint import SOCKET_PREFIX, ResolveRule, socket_name
from loadgen.model.exceptions import PlanError
from loadgen.model.target import DEFAULT_PORTS, Target
from loadgen.model.units import NS_PER_S, format_duration
from loadgen.model.value_types import Whole
from loadgen.startup import ENDING_SIGNALS, is_ignored
from loadgen.target.behaviour import Behaviour
from loadgen.target.certificates import server_context
from loadgen.target.replicas import Replicas, replica_addresses
from loadgen.target.server import TargetServer
from loadgen.target.server_tls import ServerTls
from loadgen.wire.replay_guard import ReplayGuard
from loadgen.wire.transport import READ

if TYPE_CHECKING:
    from loadgen.target.name_server import NameServer

_PORTS = Whole(0, 65535)
_OF_SEVERAL = "one of several --replicas; give at least two"
_REPLICAS = "replicas.test"  # a name for all replicas, which nobody else has (RFC 6761 §6.2)


def behaviour_of(options: dict[str, Any]) -> Behaviour:
    """What the options say of the target. Raises PlanError."""
    complaint = _PORTS.complaint(options["port"])
    if complaint:
        raise PlanError(f"--port {complaint}")
    return Behaviour(
        options["size"],
        options["delay"],
        options["close_after"],
        options["idle_timeout"],
        options["ignore_close"],
        options["silent"],
        frozenset(options["decline"]),
        options["max_streams"],
        options["on_expect"],
        options["encoding"],
    )


def check_pairs(options: dict[str, Any], given: Container[str]) -> None:
    """Raise PlanError where an option would do nothing, or what two of them ask for can't be.

    given: the names of the options that the user gave.
    """
    on_file = options["host"].startswith(SOCKET_PREFIX)
    of_address = f"an address, and --host is a socket file, {options['host']}; leave it out"
    closes = options["close_after"] or options["idle_timeout"]
    for flag, is_idle, what_for in (
        ("--ca-file", not options["tls"], "the certificate of --tls; give both"),
        ("--port", on_file and options["port"], of_address),
        ("--dns-port", on_file, of_address),
        ("--dns-ttl", options["dns_port"] is None, "the answers of --dns-port; give both"),
        ("--last-from", options["replicas"] < 2, _OF_SEVERAL),
        ("--last-until", options["replicas"] < 2, _OF_SEVERAL),
        ("--silent", not closes, "--close-after and --idle-timeout; give one of them"),
    ):
        if is_idle and flag.removeprefix("--").replace("-", "_") in given:
            raise PlanError(f"{flag} is for {what_for}")
    if 0 < options["last_until"] <= options["last_from"]:
        raise PlanError(
            f"--last-until {format_duration(options['last_until'])} is not after --last-from "
            f"{format_duration(options['last_from'])}, when the last replica comes"
        )
    if options["dns_ttl"] % NS_PER_S:
        raise PlanError(f"--dns-ttl {format_duration(options['dns_ttl'])}: DNS counts in whole seconds")


def serve(options: dict[str, Any], given: Container[str]) -> Outcome:
    """Listen until a signal comes (or, with --until-eof, standard input ends); prints the URL once it listens.

    given: which options the user gave. Raises PlanError.
    """
    check_pairs(options, given)
    behaviour, tls = behaviour_of(options), ServerTls.of(options)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else soft, hard))
    host = options["host"]
    ca_file = options["ca_file"] or Path(tempfile.gettempdir()) / "loadgen-target-ca.pem"
    try:
        protocols = ("http/1.1",) if "h2" in behaviour.declines else ("h2", "http/1.1")
        addresses = replica_addresses(host, options["replicas"])
        names = ("localhost",) if host.startswith(SOCKET_PREFIX) else (*addresses, "localhost", _REPLICAS)
        context = server_context(names, ca_file, protocols, tls) if options["tls"] else None
        guard = ReplayGuard() if tls.early_data else None  # of all replicas, which share the keys of tickets too
        server = Replicas(
            addresses, options["port"], behaviour, context, options["last_from"], options["last_until"],
            partial(TargetServer, reads_header=options["proxy_protocol"], guard=guard),
        )  # fmt: skip
        names_of = None
        if options["dns_port"] is not None:
            names_of = _name_server(options, server.present)
    except OSError as error:
        where = host if host.startswith(SOCKET_PREFIX) else authority(host, options["port"])
        raise PlanError(f"can't serve on {where}: {error.strerror}") from None
    ended = Event()
    for number in ENDING_SIGNALS:
        if not is_ignored(number):
            signal_handler(number, ended.set)
    if options["until_eof"]:
        watcher = gevent.get_hub().loop.io(sys.stdin.fileno(), READ)
        watcher.start(ended.set)
    print(_url(options, server.port), flush=True)  # noqa: T201
    if names_of is not None:
        print(f"dns {authority(host, names_of.port)}", flush=True)  # noqa: T201
    if len(addresses) > 1 and not options["until_eof"]:
        print(_usage(options, addresses, server.port), file=sys.stderr, flush=True)  # noqa: T201
    if options["tls"] and not options["until_eof"]:
        print(f"trust it with --cacert {ca_file}", file=sys.stderr, flush=True)  # noqa: T201
    ended.wait()
    server.close()
    return Outcome(EXIT_DONE)


def _url(options: dict[str, Any], port: int) -> str:
    """Where it listens. Raises PlanError."""
    scheme, host = "https" if options["tls"] else "http", options["host"]
    if not host.startswith(SOCKET_PREFIX):
        return f"{scheme}://{authority(host, port)}/"
    file = socket_name(host.removeprefix(SOCKET_PREFIX))
    return Target(scheme, "localhost", DEFAULT_PORTS[scheme], "/", file).url(secrets=True)


def _name_server(options: dict[str, Any], present: Callable[[], list[str]]) -> NameServer:
    """Raises OSError where it can't listen."""
    from loadgen.target.name_server import NameServer  # with a library that few targets need

    complaint = _PORTS.complaint(options["dns_port"])
    if complaint:
        raise PlanError(f"--dns-port {complaint}")
    return NameServer(options["host"], options["dns_port"], present, options["dns_ttl"] // NS_PER_S)


def _usage(options: dict[str, Any], addresses: list[str], port: int) -> str:
    """How a run uses all replicas, without a name server that knows them."""
    rule = ResolveRule(_REPLICAS, port, tuple(addresses))
    scheme = "https" if options["tls"] else "http"
    return f"use all: loadgen compare {scheme}://{_REPLICAS}:{port}/ --resolve {rule} --addresses all"
