"""`loadgen policies`: every part is explained, and any policy has its picture."""

from __future__ import annotations

from loadgen.model.policy import PARTS, parse_policy
from tests.support.runner import run_cli


def test_policies_are_explained() -> None:
    done = run_cli("policies")
    assert (done.code, done.stderr) == (0, "")
    for word in PARTS:
        assert f"\n{word}" in done.stdout
    one = run_cli("policies", "recycle:3+gap:2s").stdout
    assert "\n    connection 1  ==a.....a.....a|\n" in one
    assert "Connection field: keep-alive, and close with the last request of a connection\n" in one
    assert "\n    | the client closes, as it has announced\n" in one
    assert "^" not in one
    assert "gap: not with pipelining (a connection with requests in flight is never idle)" in one
    assert run_cli("policies", "pool").stdout.count("connection 2  ==b") == 1
    wrong = run_cli("policies", "reuse")
    assert (wrong.code, wrong.stdout) == (2, "")
    assert "did you mean 'persistent'?" in wrong.stderr


def test_a_part_s_example_has_the_part() -> None:
    for word, part in PARTS.items():
        assert word in parse_policy(part.example or word).name
