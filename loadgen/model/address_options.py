"""The options that say where connections go, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.address_spread import FIRST, SPREADS
from loadgen.model.address_value_types import (
    CONNECT_RULES,
    RESOLVE_RULES,
    DnsServer,
    DnsTtl,
    FieldName,
    OptionalDuration,
)
from loadgen.model.option import PROBE, TO_TARGET, LocustArgument, Option, OptionGroup
from loadgen.model.units import NS_PER_MS
from loadgen.model.value_types import Choice, Flag

# The connection attempt delay must not be less than 10 ms (RFC 8305 §5).
_MIN_DELAY_NS, _MAX_DELAY_NS = 10 * NS_PER_MS, 60_000 * NS_PER_MS
_OWN_PORT = "the embedded target listens on a port of its own"
_CONNECTIONS = OptionGroup.CONNECTIONS

ADDRESS_OPTIONS: tuple[Option, ...] = (
    Option(
        name="connect_to", group=_CONNECTIONS, type=CONNECT_RULES, plan_field="addressing.connect_to", default=(),
        metavar="RULE", commands=TO_TARGET, url_only=_OWN_PORT, locust=LocustArgument(),
        help="Connect to HOST:PORT, or unix:PATH, in place of the URL's; curl's HOST1:PORT1:HOST2:PORT2 too.",
    ),
    Option(
        name="resolve", group=_CONNECTIONS, type=RESOLVE_RULES, plan_field="addressing.resolve", default=(),
        metavar="HOST:PORT:ADDR", commands=TO_TARGET, url_only=_OWN_PORT, locust=LocustArgument(),
        help="HOST has this address, or these with commas, for connections to PORT; no name is looked up.",
    ),
    Option(
        name="ipv4", group=_CONNECTIONS, short="-4", type=Flag(), plan_field="addressing.ipv4", default=False,
        commands=TO_TARGET, locust=LocustArgument(), help="Use a name's IPv4 addresses alone.",
    ),
    Option(
        name="ipv6", group=_CONNECTIONS, short="-6", type=Flag(), plan_field="addressing.ipv6", default=False,
        commands=TO_TARGET, locust=LocustArgument(), help="Use a name's IPv6 addresses alone.",
    ),
    Option(
        name="addresses", group=_CONNECTIONS, type=Choice(*SPREADS), plan_field="addressing.addresses", default=FIRST,
        locust=LocustArgument(),
        help="Which of a name's addresses a new connection goes to: the first, all in turn, or any.",
    ),
    Option(
        name="happy_eyeballs", group=_CONNECTIONS, type=OptionalDuration(_MIN_DELAY_NS, _MAX_DELAY_NS),
        plan_field="addressing.happy_eyeballs_ns", is_implicit=True, metavar="DELAY", commands=TO_TARGET,
        url_only=_OWN_PORT, locust=LocustArgument(default=""),
        help="Try a name's addresses, IPv6 and IPv4 in turns, each DELAY after the one before, until one answers; "
        "RFC 8305 says 250ms.",
    ),
    Option(
        name="dns_ttl", group=_CONNECTIONS, type=DnsTtl(NS_PER_MS), plan_field="addressing.dns_ttl_ns",
        is_implicit=True, metavar="T|record", locust=LocustArgument(default=""),
        help="Look the name up again for a new connection once its addresses are this old, or as old as the records' "
        "TTLs say; else once a run.",
    ),
    Option(
        name="dns_server", group=_CONNECTIONS, type=DnsServer(), plan_field="addressing.dns_server",
        is_implicit=True, metavar="ADDR[:PORT]", locust=LocustArgument(default=""),
        help="Ask this DNS server, not the system's resolver.",
    ),
    Option(
        name="backend_header", group=OptionGroup.TARGET, type=FieldName(), plan_field="addressing.backend_header",
        is_implicit=True, commands=TO_TARGET, metavar="NAME",
        locust=LocustArgument(default=""),
        help="Response field that says which backend answered.",
    ),
)  # fmt: skip
ADDRESSING = tuple(option.name for option in ADDRESS_OPTIONS)
"""Their names: a plan's `addressing` is made of them."""
AUDIT_ADDRESSING = tuple(option.name for option in ADDRESS_OPTIONS if PROBE in option.commands)
"""The names of those that an audit has too."""
