"""Other load generators: the command of each for a kind of load, and what its output says. Starts none.

h2load (1.52) never comes back from a server that closes each connection, so it has no `close`. wrk resumes TLS sessions
where the server lets it; the bench's server keeps none.
"""

from __future__ import annotations

import re
from pathlib import Path

K6_SCRIPT = str(Path(__file__).with_name("k6.js"))

PEERS = ("wrk", "ab", "hey", "oha", "k6", "h2load")
_WITHOUT_CLOSE = frozenset({"h2load"})

_REQUESTS = {
    "wrk": re.compile(r"(\d+) requests in"),
    "ab": re.compile(r"Complete requests:\s+(\d+)"),
    "hey": re.compile(r"\[200\]\s+(\d+) responses"),
    "oha": re.compile(r"\[200\]\s+(\d+) responses"),
    "k6": re.compile(r"http_reqs[.:\s]+(\d+)"),
    "h2load": re.compile(r", (\d+) succeeded"),
}
_WRK_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
# Responses other than 200, or none at all, by the tools that say so. hey and oha count by status: see _REQUESTS.
_FAILED = (
    re.compile(r"Non-2xx or 3xx responses: (\d+)"),  # wrk
    re.compile(r"Failed requests:\s+(\d+)"),  # ab
    re.compile(r"Non-2xx responses:\s+(\d+)"),  # ab
    re.compile(r" succeeded, (\d+) failed"),  # h2load
)


def can(peer: str, close: bool) -> bool:
    """The peer can make this kind of load."""
    return not close or peer not in _WITHOUT_CLOSE


def command(peer: str, url: str, close: bool, users: int, seconds: int) -> list[str]:
    """The peer's command line for this number of connections. None of them checks the server's certificate."""
    k6_options = ["--no-usage-report", "--insecure-skip-tls-verify", "--vus", str(users), "--duration", f"{seconds}s"]
    oha_options = ["--no-tui", "--insecure", "-c", str(users), "-z", f"{seconds}s"]
    return {
        "k6": ["k6", "run", *k6_options, *(["--no-connection-reuse"] if close else []), "-e", f"URL={url}", K6_SCRIPT],
        "wrk": ["wrk", "-t1", f"-c{users}", f"-d{seconds}s", *(["-H", "Connection: close"] if close else []), url],
        "ab": ["ab", "-q", f"-c{users}", f"-t{seconds}", "-n10000000", *([] if close else ["-k"]), url],
        "hey": ["hey", "-c", str(users), "-z", f"{seconds}s", *(["-disable-keepalive"] if close else []), url],
        "oha": ["oha", *oha_options, *(["--disable-keepalive"] if close else []), url],
        "h2load": ["h2load", "--h1", "-t1", f"-c{users}", f"-D{seconds}", url],
    }[peer]


def requests(peer: str, output: str) -> int:
    """How many requests were answered with 200, by the peer's own count. Raises ValueError if others were too."""
    failed = [int(found[1]) for pattern in _FAILED if (found := pattern.search(output))]
    if any(failed):
        raise ValueError(f"{peer} counted {sum(failed)} failures:\n{output}")
    found = _REQUESTS[peer].search(output)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{peer} says no number of requests:\n{output}")
    return int(found[1])


def wrk_rate_rps(output: str) -> float:
    """Requests per second, as wrk says them. Raises ValueError."""
    found = _WRK_RATE.search(output)
    if found is None:
        raise ValueError(f"wrk says no rate:\n{output}")
    return float(found[1])
