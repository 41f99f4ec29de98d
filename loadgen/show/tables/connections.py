"""Tables of connections: what they carried, how they ended, what they were upgraded to, which trailers came."""

from __future__ import annotations

from collections.abc import Callable

from loadgen.measure.labels import ENDING_WORDS, exchange_word, protocol_words
from loadgen.model.connections_summary import ConnectionsSummary
from loadgen.model.policy import HTTP1, WEBSOCKET
from loadgen.model.records import Ending
from loadgen.model.summary import Summary
from loadgen.model.units import plain_number
from loadgen.show.formatting import ABSENT, duration, url_of
from loadgen.show.ordering import policies_in_order
from loadgen.show.tables.table import Row, Table, filled_columns

_CONNECTIONS = (
    "policy", "requests", "requests per connection", "closed by client", "closed by server", "TLS full", "TLS resumed",
)  # fmt: skip
_UPGRADES = (
    "policy", "protocol", "connections", "upgraded", "declined", "one upgrade, mean", "on each connection",
    "one exchange, p50", "an upgrade in exchanges",
)  # fmt: skip
_TRAILERS = ("policy", "asked for", "responses with trailers", "of", "fields")


def connections(summary: Summary) -> Table:
    """What connections carried, by policy, and which side closed them."""
    rows: list[Row] = []
    for name, one in policies_in_order(summary):
        found = one["connections"]
        rows.append(
            (
                name,
                f"{one['requests']:,}",
                plain_number(found["requests_per_connection"], 4),
                f"{found['closed_by']['client']:,}",
                f"{found['closed_by']['server']:,}",
                f"{found['tls_full']:,}",
                f"{found['tls_resumed']:,}",
            )
        )
    return Table(_CONNECTIONS, rows)


def endings(summary: Summary) -> Table:
    """How connections ended. What a run does not have, as retries, has no column."""
    policies = policies_in_order(summary)
    columns = {"policy": [name for name, _ in policies]}
    columns |= {title: [text(one["connections"]) for _, one in policies] for title, text in _ENDINGS.items()}
    return filled_columns(columns, _ALWAYS, {ABSENT, "0"})


def endings_note(summary: Summary) -> str:
    """What the endings in the table mean."""
    found = {label for one in summary["policies"].values() for label in one["connections"]["endings"]}
    text = "; ".join(f"{_plain(one.label)}: {ENDING_WORDS[one]}" for one in Ending if one.label in found)
    return text.replace("`", "")


def _early_data(connections: ConnectionsSummary) -> str:
    found = connections.get("early_data")
    if not found or not found["accepted"] + found["rejected"]:
        return ABSENT
    return f"{found['accepted']:,} accepted, {found['rejected']:,} rejected, {found['replayed']:,} of these replayed"


def _proxy_tls(connections: ConnectionsSummary) -> str:
    full, resumed = connections.get("proxy_full_handshakes", 0), connections.get("proxy_resumed_handshakes", 0)
    return f"{full:,} full, {resumed:,} resumed" if full or resumed else ABSENT


def _announced(connections: ConnectionsSummary) -> str:
    announced = connections["server_announced"]
    timeout_s, limit = announced["keep_alive_timeout_s"], announced["keep_alive_max"]
    words = [f"timeout {timeout_s:,g} s"] if timeout_s is not None else []
    words += [f"max {limit:,}"] if limit is not None else []
    return ", ".join(words) or ABSENT


def _after_close(connections: ConnectionsSummary) -> str:
    counts = connections["after_close"]
    return f"{counts['tried']:,}, of these {counts['answered']:,} answered" if counts["tried"] else "0"


def _idle_statuses(connections: ConnectionsSummary) -> str:
    found = connections["idle_statuses"].items()
    return ", ".join(f"{status if int(status) else 'not known'}: {count:,}" for status, count in found) or ABSENT


def _endings(connections: ConnectionsSummary) -> str:
    return ", ".join(f"{count:,} {_plain(label)}" for label, count in connections["endings"].items()) or ABSENT


def _plain(label: str) -> str:
    return label.replace("_", " ")


_ENDINGS: dict[str, Callable[[ConnectionsSummary], str]] = {
    "how connections ended": _endings,
    "status sent on idle connections": _idle_statuses,
    "Keep-Alive of the server": _announced,
    "early data": _early_data,
    "TLS with the proxy": _proxy_tls,
    "requests sent once more": lambda one: f"{one['retried']:,}",
    "requests sent after an announced close": _after_close,
}
_ALWAYS = ("policy", "how connections ended")


def upgrades(summary: Summary) -> Table:
    """Connections that speak another protocol than HTTP/1.1, or should; no rows where none should."""
    rows: list[Row] = []
    for name, one in policies_in_order(summary):
        connections, cost, protocol = one["connections"], one["upgrade"], one["protocol"]
        if protocol == HTTP1 or cost is None:
            continue
        rows.append(
            (
                name,
                protocol_words(protocol, url_of(summary["plan"], one).startswith("https:")),
                f"{connections['opened']:,}",
                f"{connections['upgraded']:,}",
                f"{connections['upgrade_declined']:,}",
                duration(cost["mean_ns"]),
                _carried(connections["requests_per_connection"], exchange_word(protocol)),
                duration(cost["exchange_p50_ns"]),
                ABSENT if cost["exchanges"] is None else f"{cost['exchanges']:,.1f}",
            )
        )
    return Table(_UPGRADES, rows)


def _carried(mean: float, word: str) -> str:
    """How much a connection carried: 1 message, 12.5 messages."""
    return f"{plain_number(mean, 4)} {word}{'' if mean == 1 else 's'}"


def trailers(summary: Summary) -> Table:
    """Trailer sections by policy; no rows where none was asked for and none came."""
    policies = policies_in_order(summary)
    if not any(one["trailers"]["asked"] or one["trailers"]["responses"] for _, one in policies):
        return Table(_TRAILERS, [])
    return Table(
        _TRAILERS,
        [
            (
                name,
                "yes" if found["asked"] else ABSENT if one["protocol"] == WEBSOCKET else "no",
                f"{found['responses']:,}",
                f"{one['connections']['exchanges_with_warmup']:,}",
                ", ".join(f"{field} ({times:,})" for field, times in found["fields"].items()) or ABSENT,
            )
            for name, one in policies
            if (found := one["trailers"])
        ],
    )


def trailers_note(summary: Summary) -> str:
    """Whether the target sent trailer sections where it was asked for them, and only there."""
    found = {name: one["trailers"] for name, one in policies_in_order(summary)}
    sent = [name for name, one in found.items() if one["asked"] and one["responses"]]
    never = [name for name, one in found.items() if one["asked"] and not one["responses"]]
    unasked = [name for name, one in found.items() if not one["asked"] and one["responses"]]
    sentences = []
    if sent:
        sentences.append(f"Asked with TE: trailers, the target sent trailer sections ({', '.join(sent)}).")
    if never:
        sentences.append(f"Asked with TE: trailers, the target never sent any ({', '.join(never)}); it need not.")
    if unasked:
        sentences.append(
            f"The target sent some without being asked ({', '.join(unasked)}): it may, where nothing is lost by a "
            "client that drops them (RFC 9110 §6.5.1)."
        )
    return " ".join([*sentences, "Warm-up included."])
