"""A script that uses loadgen from Python: no guard, no output of its own, the same run as the command's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import loadgen

SCRIPT = """
import json, signal, sys, threading
import loadgen
assert "gevent.monkey" not in sys.modules
before = signal.getsignal(signal.SIGINT)
options = dict(users=2, rounds=2, block="200ms", warmup="50ms", no_charts=True)
run = loadgen.compare(policies=["persistent", "close"], out="run", **options)
assert signal.getsignal(signal.SIGINT) is before
again = loadgen.load_run("run")
assert again.summary == run.summary
found = []
thread = threading.Thread(target=lambda: found.append(loadgen.compare(policies="close", **options)))
thread.start()
thread.join()
samples = again.samples
print(json.dumps({
    "samples": {name: samples[name].dtype.kind for name in samples.names},
    "policies": sorted(set(samples["policy"].tolist())),
    "rows": len(samples),
    "handshakes": int((samples["connect_ns"] > 0).sum()),
    "title": again.figure("phases").axes[0].get_title(loc="left"),
    "in_a_thread": len(found[0].samples),
    "folder": str(found[0].directory),
}))
"""


def test_a_script(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    run = loadgen.load_run(tmp_path / "run")
    policies = run.summary["policies"]
    assert found["rows"] == sum(one["started"] for one in policies.values())
    assert found["policies"] == ["close", "persistent"]
    assert found["handshakes"] >= policies["close"]["requests"] > 0
    assert {name for name, kind in found["samples"].items() if kind != "i"} == {"policy", "error", "closed_by"}
    assert found["in_a_thread"] > 0
    assert (tmp_path / found["folder"] / "summary.json").is_file()
    assert not (tmp_path / "run" / "report.html").exists()
