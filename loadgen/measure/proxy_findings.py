"""Warnings about the proxy between client and target, from what was found of it before the load. Measures nothing."""

from __future__ import annotations

from typing import Any


def proxy_warnings(environment: dict[str, Any]) -> list[dict[str, str]]:
    """What the run's proxy does that it must not, as {code, message}; nothing where there was none."""
    proxy = environment.get("proxy")
    if not isinstance(proxy, dict):
        return []
    hops = proxy.get("hop_by_hop")
    if not isinstance(hops, dict):
        return []
    passed = []
    if hops.get("forwarded"):
        passed.append(f"{', '.join(map(str, hops['forwarded']))} of the request")
    if hops.get("response_removed") is False:
        passed.append("a field that the response's Connection named")
    if not passed:
        return []
    message = (
        f"the proxy {proxy.get('address')} passed on what is for one hop alone: {' and '.join(passed)}; a proxy "
        "has to remove it (RFC 9110 §7.6.1), else the next one takes it for said of its own connection"
    )
    return [{"code": "hop_by_hop_forwarded", "message": message}]
