"""Bad input gets one line on standard error and the contract's exit code, never a traceback."""

from __future__ import annotations

import json
import os
import resource
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import QUICK, loadgen, loadgen_process, read_request, scripted_server
from tests.support.runs import Start
from tests.support.targets import Target

Command = Callable[..., subprocess.CompletedProcess[str]]
USAGE = [
    (["127.0.0.1:80/"], "no scheme"),
    (["//example/"], "no scheme"),
    (["ftp://127.0.0.1/"], "'ftp' is unknown"),
    (["http://127.0.0.1:99999/"], "bad port"),
    (["http://127.0.0.1:x/"], "bad port"),
    (["http:///path"], "no host"),
    (["http://u:p@127.0.0.1/"], "credentials"),
    (["http://127.0.0.1/a b"], "percent-encode"),
    (["http://127.0.0.1/", "--policies", "persistant"], "did you mean 'persistent'"),
    (["http://127.0.0.1/", "--policies", ""], "no policy"),
    (["http://127.0.0.1/", "--policies", "close,close#3"], "wrong number"),
    (["http://127.0.0.1/", "--policies", "close-resume"], "use an https URL"),
    (["http://127.0.0.1/", "--users", "0"], "at least 1"),
    (["http://127.0.0.1/", "--users", "many"], "not a valid int"),
    (["http://127.0.0.1/", "--equivalent", "2"], "'2' is not a percentage; write it like 2%"),
    (["http://127.0.0.1/", "--equivalent", "200%"], "--equivalent is 200%; it must lie between 0.01% and 100%"),
    (["http://127.0.0.1/", "--rounds", "0"], "at least 1"),
    (["http://127.0.0.1/", "--block", "soon"], "not a duration"),
    (["http://127.0.0.1/", "--warmup", "3s"], "must be shorter"),
    (["http://127.0.0.1/", "--duration", "0s"], "--duration is 0 ns; at least 10 ms is needed"),
    (["http://127.0.0.1/", "--duration", "1m", "--max-time", "1m"], "give --until-precision too"),
    (["http://127.0.0.1/", "--until-precision", "0%"], "it must lie between 0.01% and 100%"),
    (["http://127.0.0.1/", "--until-precision", "2%", "--duration", "1m"], "give --max-time instead"),
    (["http://127.0.0.1/", "--timeout", "0"], "at least 1 ms"),
    (["http://127.0.0.1/", "-H", "X: a\r\nY: b"], "smuggle"),
    (["http://127.0.0.1/", "-H", "no colon"], "no colon"),
    (["http://127.0.0.1/", "-H", "Host: a", "-H", "host: b"], "'host' is given twice"),
    (["http://[::1]x:80/"], "only :PORT may stand"),
    (["http://127.0.0.1/", "-H", "bad name: x"], "not a token"),
    (["http://127.0.0.1/", "-H", "Connection: close"], "the connection policy sets it"),
    (["http://127.0.0.1/", "-H", "Upgrade: foo"], "'Upgrade' can't be given: the connection policy sets it"),
    (
        ["http://127.0.0.1/", "-H", "HTTP2-Settings: AAA"],
        "'HTTP2-Settings' can't be given: the connection policy sets it",
    ),
    (["http://127.0.0.1/", "--data", "@/nowhere/at/all"], "No such file"),
    (["http://127.0.0.1/", "-X", "BREW IT"], "'BREW IT' is not a token"),
    (["https://127.0.0.1/", "--cacert", "/nowhere.pem"], "No such file"),
    (["https://127.0.0.1/", "--cacert", __file__], "no PEM certificate"),
    (["https://127.0.0.1/", "--cacert", __file__, "--insecure"], "contradict"),
    (["http://127.0.0.1/", "--tls"], "embedded target"),
    (["http://127.0.0.1/", "--name", "../x"], "folder's name"),
    (["http://127.0.0.1/", "--nonsense"], "nonsense"),
    (["http://127.0.0.1/", "--seed", "-1"], "can't be negative"),
    (["http://127.0.0.1/", "--max-body", "-1"], "can't be negative"),
    (["http://127.0.0.1/", "--data", "@/dev/zero"], "longer than 64 MiB"),
    (["--cacert", __file__], "an authority of its own"),
]


def complains(arguments: list[str], code: int, text: str, cwd: Path, command: Command = loadgen) -> None:
    done = command(*arguments, cwd=cwd)
    assert done.returncode == code, done.stderr
    assert text in done.stderr
    assert done.stderr.startswith("loadgen: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(("arguments", "text"), USAGE, ids=lambda value: " ".join(value)[:60] if value else "")
def test_usage(arguments: list[str], text: str, tmp_path: Path) -> None:
    complains(["compare", *arguments], 2, text, tmp_path)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://no-such-host.invalid/", "dns failed"),
        ("http://127.0.0.1:{closed}/", "connect refused"),
        ("https://127.0.0.1:{plain}/", "tls failed"),
    ],
)
def test_targets_that_cannot_be_had(url: str, text: str, closed_port: int, tmp_path: Path) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with scripted_server(script) as plain:
        complains(["compare", url.format(closed=closed_port, plain=plain), *QUICK], 3, text, tmp_path)
    assert not (tmp_path / "results").exists()


def test_a_silent_target(tmp_path: Path) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while connection.recv(65536):
            pass

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        complains(["compare", url, "--timeout", "150ms", *QUICK], 3, "response timeout", tmp_path, loadgen_process)


@pytest.mark.parametrize(
    ("host", "trust", "text"),
    [("localhost", False, "tls untrusted"), ("127.0.0.2", True, "tls wrong name")],
)
def test_certificates_are_verified(share_target: Start, tmp_path: Path, host: str, trust: bool, text: str) -> None:
    target: Target = share_target("--tls", "--host", "127.0.0.1" if host == "localhost" else "0.0.0.0")
    url = f"https://{host}:{target.port}/"
    trusted = ["--cacert", str(target.ca_file)] if trust else []
    complains(["compare", url, *trusted, *QUICK], 3, text, tmp_path)
    done = loadgen("compare", url, "--insecure", "--users", "1", "--quiet", "--no-charts", *QUICK, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_existing_run_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "summary.json").write_text("mine", encoding="utf-8")
    complains(["compare", "--out", "run"], 2, "never overwritten", tmp_path)
    assert (tmp_path / "run" / "summary.json").read_text(encoding="utf-8") == "mine"


def test_no_permission_to_write(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        complains(["compare", "--out", "/proc/nowhere"], 2, "can't write to", tmp_path)
        return
    (tmp_path / "closed").mkdir(mode=0o500)
    complains(["compare", "--out", "closed/run"], 2, "can't write to", tmp_path)


# Users, policies, further options, what that takes.
NEEDS = [
    (3, "persistent,close", [], 24 + 16 + 3),
    (3, "abandon,recycle:2", ["--tls"], 24 + 16 + 3),
    (60, "persistent,close,pool:5", ["--timeout", "1s"], 24 + 16 + 60),
    (200, "pool:7:fifo", [], 24 + 16 + 7),
    (4, "persistent,recycle:3", ["--processes", "2"], 24 + 16 + 4),
]


@pytest.mark.parametrize(("users", "policies", "more", "needed"), NEEDS)
def test_file_descriptors_are_counted(users: int, policies: str, more: list[str], needed: int, tmp_path: Path) -> None:
    """With as many as are needed a run meets no error; with one less it does not begin."""
    arguments = ["compare", "--users", str(users), "--policies", policies, *QUICK, *more, "--json", "--no-charts"]
    done = with_descriptors(needed - 1, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert f"that takes {needed} file descriptors, and the hard limit is {needed - 1}" in done.stderr
    assert list(tmp_path.iterdir()) == []
    done = with_descriptors(needed, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for policy in json.loads(done.stdout)["policies"].values():
        assert policy["requests"] > 0
        assert policy["errors"] == {}


def with_descriptors(limit: int, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return loadgen_process(
        *arguments, cwd=cwd, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    )


def test_the_soft_limit_is_raised(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 4096))

    done = loadgen_process(
        "compare", "--users", "200", "--quiet", "--no-charts", *QUICK, cwd=tmp_path, preexec_fn=limit
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_report_of_no_run(tmp_path: Path, folder: str) -> None:
    complains(["report", folder], 2, "holds no run", tmp_path)


def test_target_on_a_taken_port(tmp_path: Path) -> None:
    with scripted_server(lambda *_: None) as port:
        done = loadgen_process("target", "--port", str(port), cwd=tmp_path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "Address already in use" in done.stderr


@pytest.mark.parametrize("shown", [[], ["--json", "--no-charts"]])
def test_standard_output_that_is_full(tmp_path: Path, shown: list[str]) -> None:
    done = to_shell(f"compare {' '.join(QUICK)} --users 2 --out run {' '.join(shown)} >/dev/full", tmp_path)
    assert done.returncode == 4
    reason = "can't write to standard output: No space left on device"
    assert done.stderr == f"loadgen: {reason}; the results are saved in run\n"
    assert (tmp_path / "run" / "summary.json").exists()
    assert (tmp_path / "run" / "report.html").exists() == ("--no-charts" not in shown)


@pytest.mark.parametrize(
    "command",
    ["--help", "compare --help", "--version", "compare --dry-run", "locust --list", "target --port 0 --until-eof"],
)
def test_every_kind_of_output_may_fail(tmp_path: Path, command: str) -> None:
    for output, reason in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
        done = to_shell(f"{command} {output} </dev/null", tmp_path)
        assert (done.returncode, done.stderr) == (4, f"loadgen: can't write to standard output: {reason}\n")


def test_output_of_a_report_may_fail(tmp_path: Path) -> None:
    run = ["compare", *QUICK, "--users", "2", "--no-charts", "--out", "run", "--quiet"]
    assert loadgen(*run, cwd=tmp_path).returncode == 0
    done = to_shell("report run >/dev/full", tmp_path)
    assert done.returncode == 4
    assert done.stderr.endswith("; the results are saved in run\n")


def test_an_error_has_its_own_code_where_output_fails_too(closed_port: int, tmp_path: Path) -> None:
    assert to_shell("compare --users 0 >/dev/full", tmp_path).returncode == 2
    assert to_shell(f"compare http://127.0.0.1:{closed_port}/ >&-", tmp_path).returncode == 3


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    run = f"compare {' '.join(QUICK)} --users 2 --no-charts --out"
    for command in (f"{run} one", f"{run} two --json", "compare --dry-run --rounds 2000", "--help"):
        done = to_shell(f"{command} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}", tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "one" / "summary.json").exists()


def test_streams_that_are_closed(tmp_path: Path) -> None:
    done = to_shell(f"compare {' '.join(QUICK)} --users 2 --no-charts --out run --json <&- >&- 2>&-", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")
    assert (tmp_path / "run" / "summary.json").exists()
    quiet = f"compare {' '.join(QUICK)} --users 2 --no-charts --out quiet --quiet"
    assert to_shell(f"{quiet} <&- >&- 2>&-", tmp_path).returncode == 0  # nothing was to be written


@pytest.mark.parametrize("errors", ["2>/dev/full", "2>&-"])
def test_standard_error_that_fails_loses_nothing(errors: str, tmp_path: Path) -> None:
    assert to_shell(f"compare --users 0 {errors}", tmp_path).returncode == 2
    done = to_shell(f"compare {' '.join(QUICK)} --users 2 --no-charts --out run --json {errors}", tmp_path)
    assert (done.returncode, json.loads(done.stdout)["schema"]) == (0, 1)
    assert (tmp_path / "run" / "summary.json").exists()


def to_shell(words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with the streams that the shell gives it."""
    script = f"{shlex.quote(sys.executable)} -m loadgen {words}"
    return subprocess.run(
        ["/bin/bash", "-c", script], capture_output=True, text=True, timeout=120, cwd=cwd, check=False
    )


def test_a_target_that_dies_early_is_named(tmp_path: Path) -> None:
    def script(connection: socket.socket, number: int) -> None:
        if number == 0:  # the preflight's
            read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with scripted_server(script) as port:
        done = loadgen(
            "compare", f"http://127.0.0.1:{port}/", "--users", "2", "--out", "run", "--no-charts", *QUICK, cwd=tmp_path
        )
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "closed_without_response" in line
    assert line.endswith("see run/summary.json")


@pytest.mark.parametrize("command", [["report"], ["sweep", "--resume"], ["compare", "--dry-run", "--plan"]])
def test_a_name_that_is_too_long_for_the_file_system(command: list[str]) -> None:
    done = loadgen(*command, "x" * 300)
    assert done.returncode == 2
    assert done.stderr.startswith("loadgen: ")
    assert done.stderr.count("\n") == 1
