"""`python -m tests.support.laboratory --rtt 20ms COMMAND`: runs a command in the client's namespace, by hand.

The embedded target runs in the server's namespace; `URL` in the command stands for its URL. Needs root.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from loadgen.model.units import parse_duration_ns
from tests.support.laboratory.network import missing, network

_PORT = "8090"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.laboratory", description=__doc__)
    parser.add_argument("--rtt", type=parse_duration_ns, default="20ms", help="round-trip time to the target")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if problem := missing():
        parser.error(problem)
    with network() as joined:
        address = joined.address(options.rtt)
        with joined.server.entered():
            target = subprocess.Popen(
                [sys.executable, "-m", "loadgen", "target", "--host", address, "--port", _PORT, "--until-eof"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        with target, joined.client.entered():
            assert target.stdout is not None
            url = target.stdout.readline().strip()
            return subprocess.run([url if part == "URL" else part for part in options.command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
