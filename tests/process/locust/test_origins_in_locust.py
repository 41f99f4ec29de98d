"""A SwarmUser's requests to two origins (--urls): what each server's log has is what the run counts of it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.locusts import headless, summary
from tests.support.logging_nginx import nginx
from tests.support.processes import free_port


def test_each_origin_has_the_connections_and_requests_of_its_log(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    (tmp_path / "urls").write_text(f'{{"url": "/a", "weight": 2}}\n{{"url": "http://127.0.0.1:{ports[1]}/b"}}\n')
    site = "".join(f"server {{ listen 127.0.0.1:{port}; location / {{ return 200 hello; }} }} " for port in ports)
    with nginx(tmp_path, site, "$server_port|$connection", *ports):
        reach = ("-H", f"http://127.0.0.1:{ports[0]}", "--urls", f"{tmp_path}/urls", "--json")
        done = headless("compare.py", tmp_path, *reach, "--policies", "persistent,close,pool:2", users=3)
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    lines = [line.split("|") for line in (tmp_path / "access.log").read_text().splitlines()]
    # Of a round that was cut short, on a busy machine, nobody knows which requests were whose.
    cut = found.get("incomplete_rounds", {"exchanges": 0, "connections": 0})
    left_out = {"requests": 0, "connections": 0}
    for place, port in enumerate(ports):
        each = [one["by_origin"][place] for one in found["policies"].values()]
        of_port = [connection for server, connection in lines if server == str(port)]
        left_out["requests"] += len(of_port) - sum(one["answered_with_warmup"] for one in each)
        left_out["connections"] += len(set(of_port)) - sum(one["connections"]["opened"] for one in each)
        assert min(left_out.values()) >= 0
        assert cut["exchanges"] or not any(left_out.values())
        assert each[0]["origin"] == f"http://127.0.0.1:{port}"
    policies = ("persistent", "close", "pool:2")
    counted = {(one["method"], one["name"]): one["num_requests"] for one in json.loads(done.stdout)}
    assert counted.keys() == {("GET", f"/{name} [{policy}]") for name in "ab" for policy in policies}
    for name, port in zip("ab", ports, strict=True):
        mine = [number for (_, entry), number in counted.items() if entry.startswith(f"/{name} ")]
        assert sum(mine) == sum(server == str(port) for server, _ in lines)
    assert left_out == {"requests": cut["exchanges"], "connections": cut["connections"]}
    for one in found["policies"].values():
        assert one["errors"] == {}
        assert sum(origin["requests"] for origin in one["by_origin"]) == one["requests"]
    run = json.loads(next(tmp_path.glob("results/*/run.json")).read_text(encoding="utf-8"))
    assert run["environment"]["origins"].keys() == {f"http://127.0.0.1:{ports[1]}"}
