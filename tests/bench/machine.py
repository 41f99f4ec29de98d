"""Where the benchmark runs: one core for the generator, another for nginx; programs run pinned, one at a time."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import await_port, free_port, write_certificates

GENERATOR_CORE, *_, TARGET_CORE = sorted(os.sched_getaffinity(0))
_SEARCH = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"

_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
worker_rlimit_nofile 40000; events {{ worker_connections 30000; }}
http {{
  access_log off; root {folder}/www; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{http} backlog=8192; location / {{ }}
    location /hello {{ return 200 "hello"; }}
    location /distinct {{ add_header X-Request-Id $request_id; return 200 "hello"; }} }}
  server {{ listen 127.0.0.1:{https} ssl backlog=8192; ssl_session_tickets off; ssl_session_cache off;
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


def run_pinned(command: list[str]) -> str:
    """Run a program on the generator's core and return its output. Raises CalledProcessError."""
    done = subprocess.run(
        [find(command[0]) or command[0], *command[1:]],
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
        preexec_fn=lambda: pin(GENERATOR_CORE),
    )
    return done.stdout


def run_counted(command: list[str]) -> tuple[str, float]:
    """Run a program on the generator's core; its output, and the CPU time (s) that it took."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [find(command[0]) or command[0], *command[1:]], stdout=output, preexec_fn=lambda: pin(GENERATOR_CORE)
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        output.seek(0)
        return output.read(), used.ru_utime + used.ru_stime


def loadgen(*arguments: str) -> str:
    """Run our own command on the generator's core."""
    return run_pinned([sys.executable, "-m", "loadgen", *arguments])


class Server:
    """The nginx under load. `plain` serves a file, `hello` five bytes, `distinct` a head that always differs."""

    def __init__(self, folder: Path, http: int, https: int) -> None:
        self.plain = f"http://127.0.0.1:{http}/"
        self.distinct = f"http://127.0.0.1:{http}/distinct"
        self.hello = f"{self.plain}hello"
        self.secure_hello = f"https://127.0.0.1:{https}/hello"
        self.ca_file = str(folder / "ca.pem")


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
        yield Server(folder, http, https)
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def embedded_target() -> Iterator[str]:
    """The embedded target on the target's core: it answers more than one core can ask, where nginx may not. Its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loadgen", "target", "--port", "0", "--until-eof"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: pin(TARGET_CORE),
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate(timeout=20)
