"""The report's tables: headings and rows of text for each subject. Knows no HTML."""

from __future__ import annotations

from typing import Any

from loadgen.measure.labels import exchange_word, plain_number, protocol_words
from loadgen.model.policy import HTTP1, WEBSOCKET
from loadgen.model.units import format_duration
from loadgen.show.text import duration, in_order, with_interval

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]

_DIFFERENCE = (
    "candidate", "baseline", "p50 difference", "p50 ratio", "throughput ratio", "handshake", "residual",
)  # fmt: skip
_GENERATOR = (
    "policy", "requests", "requests per connection", "closed by client", "closed by server", "TLS full", "TLS resumed",
    "CPU per request", "lag p99",
)  # fmt: skip
_ARRIVALS = ("policy", "offered", "due", "never started", "late p50", "late p99", "late max")
_ENDINGS = (
    "policy", "server announced", "stale, sent once more", "sent after a close", "of these answered",
    "how connections ended",
)  # fmt: skip
_SOCKETS = (
    "policy", "TIME_WAIT peak", "added by client", "added by server", "ports left", "SYNs sent again",
    "listen overflows", "TCP rtt p50", "cwnd p50", "TCP segments sent again",
)  # fmt: skip
_UPGRADES = (
    "policy", "protocol", "connections", "upgraded", "declined", "one upgrade, mean", "on each connection",
    "one exchange, p50", "an upgrade in exchanges",
)  # fmt: skip
_TRAILERS = ("policy", "asked for", "responses with trailers", "of", "fields")
_SERVER = ("policy", "CPU per request", "CPU share of a core", "memory", "open sockets", "sockets per request")


def differences(summary: dict[str, Any]) -> Table:
    """Each comparison with its intervals."""
    return _DIFFERENCE, [
        (
            one["candidate"],
            one["baseline"],
            with_interval(one["latency_p50_delta_ns"], one["latency_p50_delta_ci95"], format_duration),
            with_interval(one["latency_p50_ratio"], one["latency_p50_ratio_ci95"], "{:.2f}".format),
            "–"
            if one["throughput_ratio"] is None
            else with_interval(one["throughput_ratio"], one["throughput_ratio_ci95"], "{:.3f}".format),
            format_duration(one["handshake_mean_ns"]),
            format_duration(one["residual_mean_ns"]),
        )
        for one in summary["comparisons"]
    ]


def generator(summary: dict[str, Any]) -> Table:
    """Connections by policy, and what the generator spent."""
    table: list[tuple[str, ...]] = []
    for name, one in _policies(summary):
        connections = one["connections"]
        table.append(
            (
                name,
                f"{one['requests']:,}",
                plain_number(connections["requests_per_connection"], 4),
                f"{connections['closed_by']['client']:,}",
                f"{connections['closed_by']['server']:,}",
                f"{connections['tls_full']:,}",
                f"{connections['tls_resumed']:,}",
                duration(one["generator"]["cpu_ns_per_request"]),
                duration(one["generator"]["lag_p99_ns"]),
            )
        )
    return _GENERATOR, table


def arrivals(summary: dict[str, Any]) -> Table:
    """How the offered load was met; no rows in a closed loop."""
    return _ARRIVALS, [
        (
            name,
            f"{plain_number(found['rate_rps'])}/s",
            f"{found['due']:,}",
            f"{found['unstarted']:,}",
            *(duration(found[key]) for key in ("late_p50_ns", "late_p99_ns", "late_max_ns")),
        )
        for name, one in _policies(summary)
        if (found := one["arrivals"])
    ]


def endings(summary: dict[str, Any]) -> Table:
    """What the server announced, and how connections came to their end."""
    table: list[tuple[str, ...]] = []
    for name, one in _policies(summary):
        connections = one["connections"]
        said, after = connections["server_announced"], connections["after_close"]
        timeout_s, most = said["keep_alive_timeout_s"], said["keep_alive_max"]
        words = [f"timeout {timeout_s:,g} s"] if timeout_s is not None else []
        words += [f"max {most:,}"] if most is not None else []
        table.append(
            (
                name,
                ", ".join(words) or "–",
                f"{connections['retried']:,}",
                f"{after['tried']:,}",
                f"{after['answered']:,}",
                ", ".join(f"{count:,} {label.replace('_', ' ')}" for label, count in connections["endings"].items())
                or "–",
            )
        )
    return _ENDINGS, table


def upgrades(summary: dict[str, Any]) -> Table:
    """Connections that speak something else than HTTP/1.1, or should; no rows where none should."""
    is_tls = summary["plan"]["url"].startswith("https:")
    table: list[tuple[str, ...]] = []
    for name, one in _policies(summary):
        connections, cost, protocol = one["connections"], one["upgrade"], one["protocol"]
        if protocol == HTTP1:
            continue
        table.append(
            (
                name,
                protocol_words(protocol, is_tls),
                f"{connections['opened']:,}",
                f"{connections['upgraded']:,}",
                f"{connections['upgrade_declined']:,}",
                duration(cost["mean_ns"]),
                _carried(connections["requests_per_connection"], exchange_word(protocol)),
                duration(cost["exchange_p50_ns"]),
                "–" if cost["exchanges"] is None else f"{cost['exchanges']:,.1f}",
            )
        )
    return _UPGRADES, table


def trailers(summary: dict[str, Any]) -> Table:
    """Trailer sections by policy; no rows where none was asked for and none came."""
    policies = _policies(summary)
    if not any(one["trailers"]["asked"] or one["trailers"]["responses"] for _, one in policies):
        return _TRAILERS, []
    return _TRAILERS, [
        (
            name,
            "yes" if found["asked"] else "–" if one["protocol"] == WEBSOCKET else "no",
            f"{found['responses']:,}",
            f"{one['connections']['exchanges_with_warmup']:,}",
            ", ".join(f"{field} ({times:,})" for field, times in found["fields"].items()) or "–",
        )
        for name, one in policies
        if (found := one["trailers"])
    ]


def said_of_trailers(summary: dict[str, Any]) -> str:
    """In a sentence whether the target sent what it was asked for, and only then."""
    found = {name: one["trailers"] for name, one in _policies(summary)}
    sent = [name for name, one in found.items() if one["asked"] and one["responses"]]
    never = [name for name, one in found.items() if one["asked"] and not one["responses"]]
    unasked = [name for name, one in found.items() if not one["asked"] and one["responses"]]
    said = []
    if sent:
        said.append(f"Asked with TE: trailers, the target sent trailer sections ({', '.join(sent)}).")
    if never:
        said.append(f"Asked with TE: trailers, the target never sent any ({', '.join(never)}); it need not.")
    if unasked:
        said.append(
            f"The target sent some without being asked ({', '.join(unasked)}): it may, where nothing is lost by a "
            "client that drops them (RFC 9110 §6.5.1)."
        )
    return " ".join([*said, "Warm-up included."])


def sockets(summary: dict[str, Any]) -> Table:
    """What the kernel counted; no rows where it told nothing."""
    table: list[tuple[str, ...]] = []
    for name, one in _policies(summary):
        found = one["sockets"]
        if all(value is None for value in found.values()):
            continue
        ports = _count(found["ports_left"])
        table.append(
            (
                name,
                *(_count(found[key]) for key in ("time_wait_peak", "time_wait_client", "time_wait_server")),
                f"{ports} of {found['ports_range']:,}" if found["ports_range"] else ports,
                *(_count(found[key]) for key in ("syn_retransmits", "listen_overflows")),
                duration(found["tcp_rtt_ns_p50"]),
                *(_count(found[key]) for key in ("tcp_cwnd_p50", "tcp_retransmits")),
            )
        )
    return _SOCKETS, table


def server(summary: dict[str, Any]) -> Table:
    """What the requests cost the server; no rows where it was not watched."""
    return _SERVER, [
        (
            name,
            duration(found["cpu_ns_per_request"]),
            "–" if found["cpu_share"] is None else f"{found['cpu_share']:.1%}",
            "–" if found["rss_bytes"] is None else f"{found['rss_bytes'] / 1e6:,.1f} MB",
            _count(found["sockets"]),
            "–" if found["sockets_per_request"] is None else plain_number(found["sockets_per_request"], 4),
        )
        for name, one in _policies(summary)
        if (found := one["server"])
    ]


def _carried(mean: float, word: str) -> str:
    """How much a connection carried: 1 message, 12.5 messages."""
    return f"{plain_number(mean, 4)} {word}{'' if mean == 1 else 's'}"


def _policies(summary: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, summary["policies"][name]) for name in in_order(summary)]


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
