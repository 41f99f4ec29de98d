"""Connections that speak something else than HTTP/1.1: what they are called, what became of them, what that costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from loadgen.measure.data.downsampling import add_each
from loadgen.measure.stats.policy_samples import PolicySamples, quantile
from loadgen.model.policy import H2, H2_PRIOR, H2C_UPGRADE, HTTP1, HTTP2, WEBSOCKET
from loadgen.model.records import Phase

_EXCHANGE = (Phase.SEND, Phase.WAIT, Phase.RECEIVE)


def protocol_words(protocol: str, is_tls: bool) -> str:
    """How a table names what a policy's connections speak. `h2` is negotiated over TLS alone (RFC 9113 §3.2)."""
    return {
        HTTP1: "HTTP/1.1",
        WEBSOCKET: "WebSocket",
        H2C_UPGRADE: "HTTP/2 by upgrade (h2c)",
        H2: "HTTP/2 by ALPN" if is_tls else "HTTP/2, prior knowledge (in clear)",
        H2_PRIOR: "HTTP/2, prior knowledge",
    }[protocol]


def exchange_word(protocol: str) -> str:
    """What a connection of this protocol carries: requests, messages, or streams."""
    return "message" if protocol == WEBSOCKET else "stream" if protocol in HTTP2 else "request"


def upgrade_cost(blocks: list[dict[str, Any]], measured: PolicySamples, protocol: str) -> dict[str, Any] | None:
    """A policy's `upgrade` in the summary (ns); None for HTTP/1.1, values are None where nothing tells them.

    mean_ns: of one upgrade that came about, warm-up included: connections that live long have theirs there.
    exchange_p50_ns: the median of send + wait + receive, of requests on connections that had served one before where
    there are such. exchanges: how many such medians one upgrade costs.
    """
    if protocol == HTTP1:
        return None
    paid = add_each(block.get("upgrades") or {} for block in blocks)
    mean_ns = round(paid["ns"] / paid["count"]) if paid.get("count") else None
    exchanges, later = measured.valid.sum_ns(*_EXCHANGE), measured.valid.columns["nth_on_connection"] > 0
    exchanges = np.sort(exchanges[later] if later.any() else exchanges)
    p50_ns = quantile(exchanges, 0.5) if len(exchanges) else None
    ratio = mean_ns / p50_ns if mean_ns is not None and p50_ns else None
    return {"mean_ns": mean_ns, "exchange_p50_ns": p50_ns, "exchanges": ratio}


def went_on_in_http1(one: dict[str, Any]) -> str:
    """What has to be said with the name of a policy whose upgrades were declined: empty where none was."""
    connections = one["connections"]
    if not connections["upgrade_declined"]:
        return ""
    return "declined in part" if connections["upgraded"] else "declined: HTTP/1.1"


def protocol_warnings(one: dict[str, Any], protocol: str) -> Iterator[tuple[str, str]]:
    """What a reader must know of a policy's upgrades, as (code, message). one: the policy's part of the summary."""
    connections = one["connections"]
    declined, opened = connections["upgrade_declined"], connections["opened"]
    if declined:
        partly = "partly " if connections["upgraded"] else ""
        yield (
            "upgrade_declined",
            f"the server declined HTTP/2 on {declined:,} of {opened:,} connections, their requests went on in "
            f"HTTP/1.1: this policy's figures are {partly}those of HTTP/1.1",
        )
    if one["not_echoed"]:
        answers = connections["exchanges_with_warmup"]
        yield (
            "not_echoed",
            f"{one['not_echoed']:,} of {answers:,} answers differ from the message before them: the first message that "
            "comes is taken for the answer, so if the server also sends some unasked, the times of this policy say "
            "little",
        )
    if connections["server_ignored_close"] and protocol == WEBSOCKET:
        yield (
            "server_ignored_close",
            f"on {connections['server_ignored_close']:,} connections the server did not answer our Close frame in time "
            "(RFC 6455 §5.5.1), so the client closed without it",
        )
