"""The options that say where connections go, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.address_value_types import CONNECT_RULES, RESOLVE_RULES
from loadgen.model.option import TO_TARGET, LocustArgument, Option, OptionGroup
from loadgen.model.value_types import Flag

_OWN_PORT = "the embedded target listens on a port of its own"
_CONNECTIONS = OptionGroup.CONNECTIONS

ADDRESS_OPTIONS: tuple[Option, ...] = (
    Option(
        name="connect_to", group=_CONNECTIONS, type=CONNECT_RULES, plan_field="addressing.connect_to", default=(),
        metavar="RULE", commands=TO_TARGET, url_only=_OWN_PORT, locust=LocustArgument(in_form=False),
        help="Connect to HOST:PORT, or unix:PATH, in place of the URL's; curl's HOST1:PORT1:HOST2:PORT2 too.",
    ),
    Option(
        name="resolve", group=_CONNECTIONS, type=RESOLVE_RULES, plan_field="addressing.resolve", default=(),
        metavar="HOST:PORT:ADDR", commands=TO_TARGET, url_only=_OWN_PORT, locust=LocustArgument(in_form=False),
        help="HOST has this address, or these with commas, for connections to PORT; no name is looked up.",
    ),
    Option(
        name="ipv4", group=_CONNECTIONS, short="-4", type=Flag(), plan_field="addressing.ipv4", default=False,
        commands=TO_TARGET, locust=LocustArgument(in_form=False), help="Use a name's IPv4 addresses alone.",
    ),
    Option(
        name="ipv6", group=_CONNECTIONS, short="-6", type=Flag(), plan_field="addressing.ipv6", default=False,
        commands=TO_TARGET, locust=LocustArgument(in_form=False), help="Use a name's IPv6 addresses alone.",
    ),
)  # fmt: skip
ADDRESSING = tuple(option.name for option in ADDRESS_OPTIONS if option.plan_field)
"""The names of those that a plan's `addressing` is made of."""
