"""The list of hosts that a proxy is not used for (curl(1), --noproxy). Resolves nothing."""

from __future__ import annotations

import ipaddress

from loadgen.model.authority import is_ip_literal

_ALL_HOSTS = "*"


def parse_no_proxy(text: str) -> tuple[str, ...]:
    """Read hosts with commas between them, as curl takes them: `*`, names, addresses, networks as 10.0.0.0/8.

    A name stands for its subdomains too, with or without a dot before it. Raises ValueError with one line for people.
    """
    found = tuple(one.strip().lower() for one in text.split(",") if one.strip())
    for one in found:
        if "://" in one or any(sign in one for sign in " @?#"):
            raise ValueError(f"{one[:60]!r} is no host; give names or addresses alone, with commas between them")
        if "/" in one:
            try:
                ipaddress.ip_network(one.replace("[", "").replace("]", ""), strict=False)
            except ValueError:
                raise ValueError(f"{one[:60]!r} is no network; write it like 10.0.0.0/8") from None
    return found


def covers(entry: str, host: str) -> bool:
    """Whether an entry is for this host (curl(1), --noproxy)."""
    host = host.rstrip(".").lower()
    if entry == _ALL_HOSTS:
        return True
    entry = entry.replace("[", "").replace("]", "")
    if is_ip_literal(host):
        address = ipaddress.ip_address(host)
        if "/" in entry:
            return address in ipaddress.ip_network(entry, strict=False)
        return is_ip_literal(entry) and ipaddress.ip_address(entry) == address
    name = entry.strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))
