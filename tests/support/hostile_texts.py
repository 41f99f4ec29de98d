"""Texts that a target could send to harm who reads a report, and a summary that has them wherever it has text."""

from __future__ import annotations

import copy
from typing import Any

from tests.support.audit_records import audit_record, finding_record

LEAK = "http://127.0.0.1:{port}/leak"
"""A browser that opens an inert page never fetches this."""
NAME = "--><script>hacked=1</script>"
TERMINAL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x1b[8m\rok\u202egpj\u2028\x00"


def texts(port: int = 9) -> list[str]:
    """Markup, scripts and terminal sequences. port: where a leak would be noticed."""
    leak = LEAK.format(port=port)
    return [
        "<script>window.hacked=1;document.title='hacked';alert(1)</script>",
        f"\"><img src='{leak}' onerror='window.hacked=1'>",
        f"'><svg onload=window.hacked=1><image href='{leak}'/></svg>",
        f"</style><link rel=stylesheet href='{leak}'><style>@import '{leak}';*{{background:url({leak})}}",
        f"</title><meta http-equiv=refresh content='0;url={leak}'>",
        "<a href='javascript:window.hacked=1'>x</a>",
        f"]]>--><iframe src='{leak}'></iframe><base href='{leak}'>",
        f"<form action='{leak}'><button autofocus onfocus='window.hacked=1'>x</form>",
        f"![x]({leak}) [x](javascript:alert(1)) [x]: {leak} `code` | cell |\n| row |\n# head\n<b>bold</b>",
        TERMINAL,
    ]


def without_scripts(page: str) -> str:
    """A report without the scripts that every report has, and without the data that they draw."""
    kept = page
    for begin in ("<script type=application/json id=loadgen-data>", "<script>"):
        while begin in kept:
            before, _, rest = kept.partition(begin)
            kept = before + rest.partition("</script>")[2]
    return kept


def hostile(summary: dict[str, Any], port: int = 9) -> dict[str, Any]:
    """A copy of a summary whose texts that come from a target or a user are all of `texts`, one after another."""
    text = " ".join(texts(port))
    found = copy.deepcopy(summary)
    found["run"] = found["verdict"] = text
    found["plan"]["url"] = f"http://h/{text}"
    found["warnings"] = [{"code": text, "message": one} for one in texts(port)]
    target = found["environment"].setdefault("target", {})
    target.update(
        address=text, port=1, http_version=text, status=200, server=text, keep_alive_timeout_s=None,
        keep_alive_max=None, tls={"version": text, "cipher": text, "group": text},
    )  # fmt: skip
    hop_by_hop = {"removed": [text], "forwarded": [text], "response_removed": True, "via": text, "reason": None}
    found["environment"]["proxy"] = {"address": text, "hop_by_hop": hop_by_hop}
    found["environment"]["audit"] = audit_record(
        {"x": finding_record("violation", group=text, title=text, announced=text, measured=text, advice=text)},
        url=text, server=text,
    )  # fmt: skip
    for key in ("python", "system", "cpu", "clock"):
        found["environment"][key] = text
    # Names of policies stand in tables, charts and their legends. A plan takes none but its own words; a file may.
    policies, name = found["policies"], NAME
    first = next(iter(policies))
    policies[name] = {**policies.pop(first), "errors": {text: 1}}
    named = [(block, "policy") for block in (*found["blocks"], *found.get("latency_slices", ()))]
    named += [(comparison, side) for comparison in found["comparisons"] for side in ("baseline", "candidate")]
    for record, key in named:
        record[key] = name if record[key] == first else record[key]
    return found
