"""Against independent servers and clients: our counts and times beside nginx's and curl's."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.processes import Nginx, compare

pytestmark = pytest.mark.peer


def test_nginx_counts_the_same_connections(nginx: Nginx, tmp_path: Path) -> None:
    summary = compare(nginx.http, tmp_path / "run", "--users", "8")
    log = nginx.log()
    policies = summary["policies"]
    assert len({line[0] for line in log}) == sum(one["connections"]["opened"] for one in policies.values())
    for name, option in (("persistent", "keep-alive"), ("close", "close")):
        mine = [line for line in log if line[2] == option]
        connections = policies[name]["connections"]
        assert len({line[0] for line in mine}) == connections["opened"]
        assert len(mine) == connections["exchanges_with_warmup"]
    assert policies["persistent"]["connections"]["opened"] == policies["persistent"]["connections"]["ideal"]


def test_nginx_sees_the_handshakes_we_count(nginx: Nginx, tmp_path: Path) -> None:
    summary = compare(
        *(nginx.https, tmp_path / "run", "--users", "3", "--cacert", str(nginx.ca_file)),
        *("--policies", "persistent,close,close-resume"),
    )
    log = nginx.log()
    resumed = {line[0] for line in log if line[3] == "r"}
    full = {line[0] for line in log} - resumed
    counts = [one["connections"] for one in summary["policies"].values()]
    assert len(resumed) == sum(one["tls_resumed"] for one in counts) > 10
    assert len(full) == sum(one["tls_full"] for one in counts) > 10
    assert summary["policies"]["close"]["connections"]["tls_resumed"] == 0


CURL_TIMES = ("time_namelookup", "time_connect", "time_appconnect", "time_starttransfer")


@pytest.fixture
def one_core() -> Iterator[None]:
    """Everything on one core: waking another core costs a virtual machine more than what is compared here."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


def curl_phases_us(url: str, requests: int) -> dict[str, list[float]]:
    """connect, tls, and from there to the first byte, as curl sees them, each request on a new connection.

    curl makes a TLS context anew for each connection and counts that as handshake; --insecure keeps it from reading the
    authorities each time too.
    """
    form = " ".join(f"%{{{name}}}" for name in CURL_TIMES) + "\\n"
    command = ["curl", "-s", "-w", form, "-H", "Connection: close", "--curves", "X25519", "--insecure"]
    for _ in range(requests):
        command += ["-o", "/dev/null", url]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    found: dict[str, list[float]] = {"connect": [], "tls": [], "wait": []}
    for line in out.splitlines()[2:]:  # the first ones also load the certificates
        looked_up, connected, secured, first = (float(value) * 1e6 for value in line.split())
        found["connect"].append(connected - looked_up)
        found["tls"].append(secured - connected)
        found["wait"].append(first - max(connected, secured))
    return found


@pytest.mark.alone  # it measures time
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_phases_match_curls(one_core: None, nginx: Nginx, tmp_path: Path, scheme: str) -> None:
    """At one user each undisturbed phase takes what curl says it takes, to 100 µs; the two are measured in turns.

    Whatever else a machine does only ever adds to a phase, and it does so in stretches that last longer than a turn:
    the medians of one and the same command differ by more than the bar. So the fastest tenth of each is compared.
    """
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    url = nginx.http if scheme == "http" else nginx.https
    ours: dict[str, list[float]] = {"connect": [], "tls": [], "wait": []}
    theirs: dict[str, list[float]] = {"connect": [], "tls": [], "wait": []}
    for turn in range(6):
        folder = tmp_path / f"run{turn}"
        compare(url, folder, "--users", "1", "--policies", "close", "--insecure")
        with np.load(folder / "samples.npz") as samples:
            for phase, values in ours.items():
                column = samples[phase] + (samples["send"] if phase == "wait" else 0)  # curl has one figure for both
                values += (column[samples[phase] >= 0] / 1000).tolist()
        for phase, values in curl_phases_us(url, 100).items():
            theirs[phase] += values
    assert bool(ours["tls"]) == (scheme == "https")
    for phase, values in ours.items():
        if values:
            mine, curls = np.quantile(values, 0.1), np.quantile(theirs[phase], 0.1)
            assert abs(mine - curls) < 100, f"{phase}: loadgen {mine:.0f} µs, curl {curls:.0f} µs"
