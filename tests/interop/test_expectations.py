"""Expect: 100-continue against Node, alone and behind HAProxy, in HTTP/1.1 and 2: its counts are ours."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.processes import compare, free_port, installed, server_process

# Node says for each request whether it waited and how long its body was, and refuses to go on with those of /no.
_NODE = """
const [port, file, http] = process.argv.slice(2), fs = require("fs");
const taken = (waited) => (request, response) => {
  let size = 0;
  request.on("data", (piece) => { size += piece.length; });
  request.on("end", () => {
    fs.appendFileSync(file, JSON.stringify([request.url, waited, size, request.headers["transfer-encoding"]]) + "\\n");
    response.end("taken");
  });
};
const server = require(http).createServer(taken(false));
server.on("checkContinue", (request, response) => {
  if (request.url === "/no") {
    fs.appendFileSync(file, JSON.stringify([request.url, true, 0, null]) + "\\n");
    response.writeHead(401, http === "http" ? { Connection: "close" } : {});
    response.end();
    return;
  }
  response.writeContinue();
  taken(true)(request, response);
});
server.listen(port, "127.0.0.1");
"""
_HAPROXY = """
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 10s
frontend f
  bind 127.0.0.1:{port}{speaks}
  default_backend b
backend b
  server node 127.0.0.1:{node}
"""


@pytest.mark.parametrize("behind_haproxy", [False, True])
@pytest.mark.parametrize(
    ("policies", "speaks"), [("persistent,close", ""), ("h2-prior,h2-prior+streams:4,h2-prior+close", " proto h2")]
)
def test_node_counts_the_same(tmp_path: Path, policies: str, speaks: str, behind_haproxy: bool) -> None:
    node, port, account = installed("node", "nodejs"), free_port(), tmp_path / "account"
    front = free_port() if behind_haproxy else port
    module = "http2" if speaks and not behind_haproxy else "http"
    (tmp_path / "server.js").write_text(_NODE)
    (tmp_path / "haproxy.cfg").write_text(_HAPROXY.format(port=front, speaks=speaks, node=port))
    (tmp_path / "urls").write_text(
        '{"url": "/yes", "method": "POST", "body": "0123456789", "chunked": true}\n'
        '{"url": "/no", "method": "POST", "body": "0123456789"}\n{"url": "/get"}\n'
    )
    with ExitStack() as servers:
        servers.enter_context(
            server_process([node, f"{tmp_path}/server.js", f"{port}", f"{account}", module], tmp_path / "node", port)
        )
        if behind_haproxy:
            command = [installed("haproxy", "haproxy"), "-f", f"{tmp_path}/haproxy.cfg"]
            servers.enter_context(server_process(command, tmp_path / "front", front))
        summary = compare(
            f"http://127.0.0.1:{front}/", tmp_path / "run", "--urls", f"{tmp_path}/urls", "--expect-continue",
            "--users", "2", "--policies", policies,
        )  # fmt: skip
    log = [json.loads(line) for line in account.read_text().splitlines()]
    assert {(url, waited, size) for url, waited, size, _ in log} == {
        ("/yes", True, 10), ("/no", True, 0), ("/get", False, 0),
    }  # fmt: skip
    if module == "http":
        assert {coding for url, _, _, coding in log if url == "/yes"} == {"chunked"}
    counts = {name: sum(one["continues"][name] for one in summary["policies"].values())
              for name in ("asked", "received", "timed_out", "refused")}  # fmt: skip
    took = {path: sum(url == path for url, *_ in log) for path in ("/yes", "/no")}
    assert counts == {
        "asked": took["/yes"] + took["/no"], "received": took["/yes"], "timed_out": 0, "refused": took["/no"],
    }  # fmt: skip
    for one in summary["policies"].values():
        assert one["errors"] == {}
        assert one["statuses"].keys() == {"200", "401"}
