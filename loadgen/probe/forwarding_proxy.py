"""The probe of a run through a proxy that requests are sent to in absolute-form: does it keep to itself what is for it?

`hop_by_hop.py` asks; here is when to ask, and what to say of the finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from loadgen.model.plan import Plan
from loadgen.model.run_record import HopByHopRecord, RunWarning
from loadgen.model.warning_codes import WarningCode


class ForwardingProxy:
    """The probe of a proxy that requests are sent to in absolute-form."""

    name = "hop_by_hop"
    section: Literal["proxy"] = "proxy"

    def applies(self, plan: Plan) -> bool:
        return plan.used_proxy is not None

    def run(self, plan: Plan) -> HopByHopRecord:
        from loadgen.probe.hop_by_hop import check_hops  # few runs ask, and what sends requests is slow to import

        return check_hops(plan)

    def warnings(self, found: Mapping[str, Any], section: Mapping[str, Any]) -> list[RunWarning]:
        passed = []
        if found.get("forwarded"):
            passed.append(f"{', '.join(map(str, found['forwarded']))} of the request")
        if found.get("response_removed") is False:
            passed.append("a field that the response's Connection named")
        if not passed:
            return []
        message = (
            f"the proxy {section.get('address')} passed on fields that are for one hop alone: {' and '.join(passed)}; "
            "a proxy has to remove them (RFC 9110 §7.6.1), else the next hop applies them to its own connection"
        )
        return [{"code": WarningCode.HOP_BY_HOP_FORWARDED.value, "message": message}]
