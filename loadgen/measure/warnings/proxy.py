"""The proxy between client and target: which requests it is sent, and warnings of what it does. Measures nothing."""

from __future__ import annotations

from loadgen.model.plan import Plan
from loadgen.model.policy import ConnectionPolicy
from loadgen.model.run_record import EnvironmentRecord, RunWarning


def is_sent_requests(plan: Plan, policy: ConnectionPolicy) -> bool:
    """The plan's proxy gets this policy's requests itself, in absolute-form: connections and answers are its own."""
    return plan.proxy is not None and not plan.tunnels(policy)


def proxy_warnings(environment: EnvironmentRecord) -> list[RunWarning]:
    """What the run's proxy does that it must not; nothing where there was none."""
    proxy = environment.get("proxy")
    # run.json may have been edited by hand, and by other versions.
    hops = proxy.get("hop_by_hop") if isinstance(proxy, dict) else None
    if not isinstance(proxy, dict) or not isinstance(hops, dict):
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
