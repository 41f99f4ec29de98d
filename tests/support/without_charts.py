"""As a locustfile beside another: the run's report has no charts, which take most of its time.

As a program: the `loadgen` command that makes such a report.
"""

from __future__ import annotations

import sys
from unittest import mock

import loadgen.swarm.run_folder
from loadgen import cli
from loadgen.show.export import RunData

if __name__ == "__main__":
    with mock.patch.object(RunData, "charts", {}):
        cli.main()
else:
    loadgen.swarm.run_folder.COMMAND = (sys.executable, __file__)
