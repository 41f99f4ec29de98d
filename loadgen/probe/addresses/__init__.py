"""Probes: addresses and backends. In the order of the table."""

from __future__ import annotations

from loadgen.probe.addresses.address_families import ADDRESS_FAMILIES
from loadgen.probe.addresses.backends import BACKENDS
from loadgen.probe.addresses.backends_of_reused import BACKENDS_OF_REUSED
from loadgen.probe.addresses.published_addresses import PUBLISHED_ADDRESSES
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (PUBLISHED_ADDRESSES, ADDRESS_FAMILIES, BACKENDS, BACKENDS_OF_REUSED)
