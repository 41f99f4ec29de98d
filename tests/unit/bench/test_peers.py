"""What the benchmark reads from the output of other load generators."""

from __future__ import annotations

import pytest

from tests.bench import peers

OUTPUTS = {
    "wrk": """Running 2s test @ http://127.0.0.1:8080/
  1 threads and 50 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms    2.11ms  21.55ms   90.70%
    Req/Sec    49.61k     3.62k   55.22k    75.00%
  98765 requests in 2.00s, 16.95MB read
Requests/sec:  49371.10
Transfer/sec:      8.47MB
""",
    "ab": """Concurrency Level:      50
Time taken for tests:   2.006 seconds
Complete requests:      2719
Failed requests:        0
Total transferred:      400722 bytes
""",
    "hey": """Summary:
  Total:	2.0263 secs
  Requests/sec:	1373.9119

Status code distribution:
  [200]	2784 responses
""",
    "oha": """Summary:
  Success rate: 100.00%
  Requests/sec: 30987.2231

Status code distribution:
  [200] 61974 responses
""",
    "k6": """     http_req_waiting...............: avg=1.02ms   min=45.1µs
     http_reqs......................: 41234  20615.917571/s
     iterations.....................: 41234  20615.917571/s
""",
    "h2load": """finished in 2.00s, 44644.50 req/s, 6.47MB/s
requests: 89289 total, 89339 started, 89289 done, 89288 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 89288 2xx, 0 3xx, 0 4xx, 0 5xx
""",
}
COUNTS = {"wrk": 98765, "ab": 2719, "hey": 2784, "oha": 61974, "k6": 41234, "h2load": 89288}


@pytest.mark.parametrize("peer", peers.PEERS)
def test_requests_are_read(peer: str) -> None:
    assert peers.requests(peer, OUTPUTS[peer]) == COUNTS[peer]


@pytest.mark.parametrize("peer", peers.PEERS)
def test_an_output_without_a_count_is_an_error(peer: str) -> None:
    with pytest.raises(ValueError, match=f"{peer} says no number of requests"):
        peers.requests(peer, "unable to connect")


@pytest.mark.parametrize(
    ("peer", "line"),
    [
        ("wrk", "  Non-2xx or 3xx responses: 12\n"),
        ("ab", "Non-2xx responses:      3\n"),
        ("h2load", "requests: 9 total, 9 started, 9 done, 5 succeeded, 4 failed, 4 errored, 0 timeout\n"),
    ],
)
def test_failures_are_no_figures(peer: str, line: str) -> None:
    with pytest.raises(ValueError, match="failures"):
        peers.requests(peer, OUTPUTS[peer] + line if peer != "h2load" else line)


def test_ab_counts_other_lengths_as_failures() -> None:
    with pytest.raises(ValueError, match="ab counted 7 failures"):
        peers.requests("ab", OUTPUTS["ab"].replace("Failed requests:        0", "Failed requests:        7"))


def test_rate_of_wrk() -> None:
    assert peers.wrk_rate_rps(OUTPUTS["wrk"]) == 49371.1
    with pytest.raises(ValueError, match="no rate"):
        peers.wrk_rate_rps("")


@pytest.mark.parametrize("peer", peers.PEERS)
def test_commands_name_the_url_and_differ_by_policy(peer: str) -> None:
    reuse, close = (peers.command(peer, "http://127.0.0.1:1/", close, 50, 2) for close in (False, True))
    assert any("http://127.0.0.1:1/" in word for word in reuse)
    assert (reuse != close) == peers.can(peer, close=True)


def test_h2load_does_not_come_back_from_closes() -> None:
    assert [peer for peer in peers.PEERS if not peers.can(peer, close=True)] == ["h2load"]
