"""The options of `loadgen target`, one row each, under the headings of its help. Serves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from loadgen.cli.option_types import HeadedOption, OptionType
from loadgen.model.file_value_types import FilePath
from loadgen.model.tls_value_types import TlsVersions
from loadgen.model.value_types import Choice, Duration, ListOf, Whole
from loadgen.target.behaviour import DECLINABLE, ENCODINGS, EXPECT_ANSWERS

_DURATION, _FILE, _WHOLE = OptionType(Duration()), OptionType(FilePath()), OptionType(Whole())
_NONE = {"type": _DURATION, "default": "0s"}
_IF = {"is_flag": True}

# Heading -> option -> what it is.
_OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "Address": {
        "--host": {"default": "127.0.0.1", "help": "Address to listen on, or unix:PATH."},
        "--port": {"type": _WHOLE, "default": 8080, "help": "Port; 0 for a free one."},
        "--proxy-protocol": {**_IF, "help": "Read a PROXY protocol header first; refuse without."},
    },
    "TLS": {
        "--tls": {**_IF, "help": "Speak https with a throw-away certificate."},
        "--ca-file": {"type": _FILE, "help": "With --tls: where to write the authority's certificate."},
        "--client-ca": {"type": _FILE, "help": "With --tls: demand a certificate that this authority signed."},
        "--tls-version": {"type": OptionType(TlsVersions()), "help": "With --tls: 1.2, 1.3 or 1.2-1.3."},
        "--tickets/--no-tickets": {
            "default": True, "show_default": False, "help": "With --tls: sessions are in tickets, else in memory.",
        },
        "--early-data": {**_IF, "help": "With --tls: take requests with the handshake (0-RTT), none twice."},
    },
    "Responses": {
        "--size": {"type": _WHOLE, "default": 5, "help": "Body of each response in bytes."},
        "--delay": {**_NONE, "help": "Service time of each response."},
        "--decline": {
            "type": OptionType(ListOf(Choice(*DECLINABLE))), "default": (), "show_default": False,
            "metavar": "WORD,...", "help": f"What it is not to do, out of {', '.join(DECLINABLE)}.",
        },
        "--encoding": {
            "type": OptionType(Choice(*ENCODINGS)), "default": ENCODINGS[0], "help": "Content coding of its responses.",
        },
        "--on-expect": {
            "type": OptionType(Choice(*EXPECT_ANSWERS)), "default": EXPECT_ANSWERS[0],
            "help": "Answer to Expect: 100-continue; refuse: 417, and in HTTP/1.1 a close.",
        },
        "--null": {**_IF, "help": "One fixed response to each request, at once, and nothing else."},
    },
    "Connections": {
        "--close-after": {"type": _WHOLE, "default": 0, "help": "Responses per connection; 0: no limit."},
        "--idle-timeout": {**_NONE, "help": "Close when idle; 0: never."},
        "--ignore-close": {**_IF, "help": "Go on although the client asked for close."},
        "--silent": {**_IF, "help": "Announce neither the close after --close-after nor the idle timeout."},
        "--max-streams": {"type": _WHOLE, "default": 100, "help": "HTTP/2: streams at the same time."},
    },
    "Replicas": {
        "--replicas": {
            "type": _WHOLE, "default": 1, "help": "How many servers there are, on as many addresses from --host on.",
        },
        "--last-from": {**_NONE, "help": "When the last replica comes."},
        "--last-until": {**_NONE, "help": "When it goes; 0: never."},
        "--dns-port": {
            "type": _WHOLE, "help": "Answer DNS here too: any name has the replicas' addresses; 0: a free port.",
        },
        "--dns-ttl": {"type": _DURATION, "default": "1s", "help": "The TTL of those answers."},
    },
    "Its end": {"--until-eof": {**_IF, "help": "End when standard input ends."}},
}  # fmt: skip


def with_server_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options."""
    rows = [(heading, flag, values) for heading, options in _OPTIONS.items() for flag, values in options.items()]
    for heading, flag, values in reversed(rows):  # as decorators, the last one first
        shows = "default" in values
        made = click.option(flag, cls=HeadedOption, heading=heading, **{"show_default": shows, **values})
        function = made(function)
    return function
