"""Options of a comparison that real runs of Locust obey, wherever they were said: requests, policies, certificates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from tests.support.client_certificates import client_authority, write_pem
from tests.support.locusts import account, check_sums, command, counts, csv_rows, headless, summary
from tests.support.processes import await_port, free_port


def test_a_web_ui_that_ends_by_itself_has_the_exit_code_of_its_gates(tmp_path: Path) -> None:
    """With workers, and with options from a file and from variables."""
    config = tmp_path / "locust.toml"
    config.write_text(
        "[tool.locust]\nblock = '200ms'\nwarmup = '40ms'\nthink = '2ms'\nsource-ip = ['127.0.0.2', '127.0.0.3']\n"
        "fail-if = ['close.reuse_ratio < 0.5', 'errors > 1%']\nretry-stale = true\ntrailers = true\nautostart = true\n",
        encoding="utf-8",
    )
    said = {"LOCUST_HEADER": '["X-A: 1, 2", "X-B: 3"]', "LOCUST_EXPORT": "junit=gates.xml", "LOCUST_COOKIES": "false"}
    said |= {"LOCUST_DATA": "hello", "LOCUST_METHOD": "PUT"}
    done = subprocess.run(
        [
            *command("compare.py", "--config", str(config), "--autoquit", "0", "--web-port", str(free_port())),
            *("-u", "4", "-r", "4", "-t", "4s", "--processes", "2", "--fail-if", "reuse_ratio < 0.25"),
        ],
        env={**os.environ, **said}, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "loadgen: gate failed: reuse_ratio < 0.25: close: " in done.stderr
    assert "Traceback" not in done.stderr
    found = summary(tmp_path)
    check_sums(found)
    assert counts(found) == account(found)
    plan = found["plan"]
    assert (plan["method"], plan["headers"]) == ("PUT", [["X-A", "1, 2"], ["X-B", "3"]])
    assert (plan["retry_stale"], plan["trailers"], plan["cookies"]) == (True, True, False)
    assert plan["source_ips"] == ["127.0.0.2", "127.0.0.3"]
    assert plan["fail_if"] == ["reuse_ratio < 0.25"]  # the command line wins over the file
    failed = ElementTree.parse(tmp_path / "gates.xml").findall(".//testcase/failure/..")
    assert [one.get("name") for one in failed] == ["reuse_ratio < 0.25"]


@contextmanager
def secure_target(folder: Path) -> Iterator[list[str]]:
    """One that demands a client's certificate; gives what a command needs to reach it."""
    client_authority().cert_pem.write_to_path(str(folder / "clients.pem"))
    port, ca_file = free_port(), folder / "ca.pem"
    line = [sys.executable, "-m", "loadgen", "target", "--port", str(port), "--until-eof", "--tls"]
    process = subprocess.Popen(
        [*line, "--ca-file", str(ca_file), "--client-ca", str(folder / "clients.pem")],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await_port(port)
        yield ["-H", f"https://127.0.0.1:{port}", "--cacert", str(ca_file)]
    finally:
        process.communicate(timeout=20)


def test_several_requests_policies_and_certificates_in_one_run(tmp_path: Path) -> None:
    requests = tmp_path / "shop.jsonl"
    requests.write_text(
        '{"url": "/items/{n}?user={user}", "weight": 3, "name": "item"}\n'
        '{"url": "/cart", "method": "POST", "body": "{\\"id\\": \\"{uuid}\\"}", "name": "cart"}\n',
        encoding="utf-8",
    )
    certificates = [word for name in ("ann", "bob") for word in _flags(tmp_path, name)]
    names = "persistent+max-idle:50ms,honour,pool:2+preopen:2,close+connect-rate:40,recycle:5+tcp-nagle+tcp-linger:0"
    with secure_target(tmp_path) as reach:
        done = headless(
            *("compare.py", tmp_path, *reach, *certificates, "--urls", str(requests), "--policies", names),
            *("--csv", "stats", "--think", "1ms"),
            seconds=5,
        )
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    check_sums(found)
    assert list(found["policies"]) == names.split(",")
    for name, one in found["policies"].items():
        assert one["errors"] == {}, name
        assert one["requests"] > 0, name
        assert one["statuses"] == {"200": one["requests"]}, name
    assert {one["name"] for one in found["policies"]["honour"]["by_name"]} == {"item", "cart"}
    limited = found["policies"]["close+connect-rate:40"]
    assert limited["throughput_rps"] < 60
    assert limited["phases_ns"]["queue"]["mean"] > 10_000_000
    assert found["policies"]["pool:2+preopen:2"]["connections"]["opened"] <= 2 * len(found["blocks"])
    assert any("[honour]" in name for name in csv_rows(tmp_path))
    run = json.loads(next(tmp_path.glob("results/*/run.json")).read_text(encoding="utf-8"))
    assert len(run["plan"]["client_certificates"]) == 2


def _flags(folder: Path, name: str) -> tuple[str, ...]:
    files = write_pem(folder, name)
    return "--cert", str(files.cert), "--key", str(files.key)
