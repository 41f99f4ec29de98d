"""Every request is accounted for: any mixture of hostile behaviours, under any load, on both sides.

started == requests + errors + unfinished, connections opened == accepted, requests sent == received.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.hostile import http1_bodies, http1_connections, http1_heads, http1_lenient
from tests.support.hostile.behaviour import FIN, RST, SILENCE, Endless, Row, Script, Tls
from tests.support.hostile.check import check_accounts, run_row

_DEPTH = 3
_SHORT = ("--block", "30ms", "--timeout", "300ms")


def _scripts() -> list[Script]:
    """What answers a request in one of the tables, where it takes no long time."""
    rows = [row for table in (http1_heads, http1_bodies, http1_connections, http1_lenient) for row in table.ROWS]
    scripts = [script for row in rows if not row.options for script in row.answers]
    return [one for one in scripts if not any(step is SILENCE or isinstance(step, Endless) for step in one)]


_SCRIPTS = _scripts()
_mixtures = st.lists(st.sampled_from(_SCRIPTS), min_size=1, max_size=12)
_closed_loops = st.tuples(
    st.lists(
        st.sampled_from(
            ("persistent", "close", "recycle:2", "abandon", "ignore-close", "gap:2ms", "lifetime:20ms",
             "http10-keepalive", "pool:1", "pool:2:lifo", "pipeline:3", "pipeline:2+recycle:3")
        ),
        min_size=1, max_size=4, unique=True,
    ),
    st.integers(1, 5).map(lambda users: ("--users", str(users))),
)  # fmt: skip
_open_loops = st.tuples(
    st.lists(
        st.sampled_from(("persistent", "close", "recycle:2", "ignore-close")), min_size=1, max_size=3, unique=True
    ),
    st.sampled_from((50, 400)).map(
        lambda rate: ("--rate", str(rate), "--arrivals", "poisson", "--max-connections", "3")
    ),
)


_rows = st.builds(
    lambda scripts, opening, tls: Row("mixed", "RFC 9112 §9.3", scripts, opening=opening, tls=tls, protocol="mixed"),
    _mixtures,
    st.sampled_from(((), (FIN,), (RST,))),
    st.sampled_from((None, None, Tls(), Tls(max_version="TLSv1_2"))),
)


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(_rows, _closed_loops | _open_loops, st.none() | st.floats(0.001, 0.1))
def test_no_request_is_lost(row: Row, load: tuple[list[str], tuple[str, ...]], interrupt_s: float | None) -> None:
    policies, options = load
    with tempfile.TemporaryDirectory() as folder:
        run, account = run_row(row, Path(folder), ",".join(policies), *options, *_SHORT, interrupt_s=interrupt_s)
    check_accounts(run, account, _DEPTH)
