"""Warnings about connections that should speak another protocol than HTTP/1.1. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.policy import WEBSOCKET
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.units import count
from loadgen.model.warning_codes import WarningCode


def protocol_warnings(summary: PolicySummary, protocol: str) -> Iterator[tuple[WarningCode, str]]:
    """Warnings about the upgrades of a policy. protocol: the one that it asks for."""
    connections = summary["connections"]
    declined, opened = connections["upgrade_declined"], connections["opened"]
    if declined:
        partly = "partly " if connections["upgraded"] else ""
        yield (
            WarningCode.UPGRADE_DECLINED,
            f"the server declined HTTP/2 on {declined:,} of {count(opened, 'connection')}, so their requests went on "
            f"in HTTP/1.1: this policy's figures are {partly}those of HTTP/1.1",
        )
    if summary["not_echoed"]:
        answers = connections["exchanges_with_warmup"]
        yield (
            WarningCode.NOT_ECHOED,
            f"{summary['not_echoed']:,} of {count(answers, 'answer')} did not echo the message before; the first "
            "message that comes is taken as the answer, so if the server also sends messages unasked, the times of "
            "this policy mean little",
        )
    if connections["server_ignored_close"] and protocol == WEBSOCKET:
        yield (
            WarningCode.SERVER_IGNORED_CLOSE,
            f"on {count(connections['server_ignored_close'], 'connection')} the server did not answer our Close frame "
            "in time (RFC 6455 §5.5.1), so the client closed without it",
        )
