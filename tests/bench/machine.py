"""Where the benchmark runs: one core for the generator, another for nginx; programs run pinned, one at a time."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.processes import await_port, free_port, write_certificates

_CORES = sorted(os.sched_getaffinity(0))
GENERATOR_CORE, TARGET_CORE = _CORES[0], _CORES[-1]
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_SEARCH = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"

_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
worker_rlimit_nofile 40000; events {{ worker_connections 30000; }}
http {{
  access_log off; root {folder}/www; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{http} backlog=8192; listen unix:{folder}/socket; location / {{ }}
    location /hello {{ return 200 "hello"; }}
    location /distinct {{ add_header X-Request-Id $request_id; return 200 "hello"; }} }}
  server {{ listen 127.0.0.1:{https} ssl backlog=8192; ssl_session_tickets off; ssl_session_cache off;
    ssl_prefer_server_ciphers on; ssl_ecdh_curve X25519;
    location /hello {{ return 200 "hello"; }}
    ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem; }}
}}
"""


def find(program: str) -> str | None:
    """The program's path, or None where it is not installed."""
    return shutil.which(program, path=_SEARCH)


def pin(core: int) -> None:
    """Bind this process to one core; to be called in a child before it becomes something else."""
    os.sched_setaffinity(0, {core})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run_pinned(command: list[str], env: Mapping[str, str] | None = None) -> str:
    """Run a program on the generator's core and return its output; env: what it gets beside our own environment.

    Raises CalledProcessError.
    """
    done = subprocess.run(
        [find(command[0]) or command[0], *command[1:]],
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
        env={**os.environ, **(env or {})},
        preexec_fn=lambda: pin(GENERATOR_CORE),
    )
    return done.stdout


class Finished(NamedTuple):
    """What a program printed, and the CPU time and the time that it took (s), from its start to its end."""

    output: str
    cpu_s: float
    seconds: float


def run_counted(command: list[str], timeout_s: float = 60) -> Finished:
    """Run a program on the generator's core. Raises CalledProcessError, also for one that was killed at the timeout."""
    with tempfile.TemporaryFile("w+") as output:
        begun = time.monotonic()
        process = subprocess.Popen(
            [find(command[0]) or command[0], *command[1:]],
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: pin(GENERATOR_CORE),
        )
        watchdog = threading.Timer(timeout_s, process.kill)
        watchdog.start()
        _, status, used = os.wait4(process.pid, 0)
        watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        output.seek(0)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, output.read())
        return Finished(output.read(), used.ru_utime + used.ru_stime, seconds)


def cpu_s(pid: int) -> float:
    """The CPU time (s) of a process and its children, to the tick (10 ms)."""
    process = Path("/proc") / str(pid)
    children = (process / "task" / str(pid) / "children").read_text(encoding="ascii").split()
    fields = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S + sum(cpu_s(int(child)) for child in children)


def loadgen(*arguments: str) -> str:
    """Run our own command on the generator's core."""
    return run_pinned([sys.executable, "-m", "loadgen", *arguments])


class Server:
    """The nginx under load. `plain` serves a file, `hello` five bytes, `distinct` a head that always differs."""

    def __init__(self, folder: Path, http: int, https: int, pid: int) -> None:
        self.port = http
        self.pid = pid
        self.plain = f"http://127.0.0.1:{http}/"
        self.distinct = f"http://127.0.0.1:{http}/distinct"
        self.hello = f"{self.plain}hello"
        self.secure_hello = f"https://127.0.0.1:{https}/hello"
        self.socket_file = str(folder / "socket")
        self.ca_file = str(folder / "ca.pem")


class Embedded(NamedTuple):
    """A running embedded target."""

    url: str
    pid: int


@contextmanager
def nginx(folder: Path) -> Iterator[Server]:
    """nginx on the target's core. Raises SystemExit where it is not installed."""
    program = find("nginx")
    if program is None:
        raise SystemExit("the benchmark needs nginx (Debian: nginx-light)")
    (folder / "www").mkdir(mode=0o755)
    (folder / "www" / "index.html").write_text("hello", encoding="utf-8")
    folder.chmod(0o755)
    write_certificates(folder)
    http, https = free_port(), free_port()
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, http=http, https=https), encoding="utf-8")
    process = subprocess.Popen([program, "-c", str(folder / "nginx.conf")], preexec_fn=lambda: pin(TARGET_CORE))
    try:
        await_port(http)
        yield Server(folder, http, https, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def embedded_target(*options: str) -> Iterator[Embedded]:
    """The embedded target on the target's core: it answers more than one core can ask, where nginx may not."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loadgen", "target", "--port", "0", "--until-eof", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: pin(TARGET_CORE),
    )
    assert process.stdout is not None
    try:
        yield Embedded(process.stdout.readline().strip(), process.pid)
    finally:
        process.communicate(timeout=20)
