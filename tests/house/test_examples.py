"""The examples for containers: what they start is understood by the commands, and their parts fit each other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from loadgen.cli.commands import cli

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
COMPOSE = EXAMPLES / "compose.yaml"
KUBERNETES = EXAMPLES / "kubernetes.yaml"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# As locust itself reads its options, with those that loadgen adds; without a locustfile.
_PARSE = """
import json, sys
from locust.argument_parser import get_parser
from loadgen.swarm.options import add_options
parser = get_parser(default_config_files=[])
add_options(parser)
json.dump([vars(parser.parse_args(one)) for one in json.load(sys.stdin)], sys.stdout, default=str)
"""


class Example(NamedTuple):
    """What both say: the arguments of each part, how many workers there are, and under which name a part is found."""

    arguments: dict[str, list[str]]
    workers: int
    names: dict[str, str]
    results: str
    """Where the master's volume is mounted."""


def with_defaults(text: str) -> str:
    """The text as Compose reads it where no variable is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(with_defaults(COMPOSE.read_text(encoding="utf-8")))
    return found


def objects() -> dict[tuple[str, str], dict[str, Any]]:
    """Of Kubernetes, by kind and name."""
    found = yaml.safe_load_all(KUBERNETES.read_text(encoding="utf-8"))
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def pod(kind: str, part: str) -> dict[str, Any]:
    found: dict[str, Any] = objects()[kind, f"loadgen-{part}"]["spec"]["template"]["spec"]
    return found


def of_compose() -> Example:
    services = compose()["services"]
    ((_, results),) = [volume.split(":") for volume in services["master"]["volumes"]]
    return Example(
        {part: one["command"] for part, one in services.items()},
        services["worker"]["deploy"]["replicas"],
        {part: part for part in services},
        results,
    )


def of_kubernetes() -> Example:
    pods = {"target": pod("Deployment", "target"), "master": pod("Job", "master"), "worker": pod("Job", "worker")}
    return Example(
        {part: one["containers"][0]["args"] for part, one in pods.items()},
        objects()["Job", "loadgen-worker"]["spec"]["completions"],
        {name.removeprefix("loadgen-"): name for kind, name in objects() if kind == "Service"},
        pods["master"]["containers"][0]["volumeMounts"][0]["mountPath"],
    )


@pytest.fixture(scope="module", params=[of_compose, of_kubernetes], ids=["compose", "kubernetes"])
def example(request: pytest.FixtureRequest) -> Example:
    found: Example = request.param()
    return found


@pytest.fixture(scope="module")
def locust_options(example: Example) -> dict[str, dict[str, Any]]:
    """What Locust makes of the arguments of master and worker. Importing it here would patch the tests' library."""
    arguments = [example.arguments[part][2:] for part in ("master", "worker")]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    done = subprocess.run(
        [sys.executable, "-c", _PARSE], input=json.dumps(arguments), capture_output=True, text=True, timeout=60,
        check=False, env=variables,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(zip(("master", "worker"), json.loads(done.stdout), strict=True))


def test_the_target_s_options_are_those_of_the_command(example: Example) -> None:
    name, *arguments = example.arguments["target"]
    context = cli.commands[name].make_context(name, arguments)
    assert (context.params["host"], context.params["port"]) == ("0.0.0.0", 8080)


def test_master_and_workers_find_each_other_and_the_target(
    example: Example, locust_options: dict[str, dict[str, Any]]
) -> None:
    master, worker = locust_options["master"], locust_options["worker"]
    assert {tuple(example.arguments[part][:2]) for part in locust_options} == {("locust", "compare")}
    assert (ROOT / "locustfiles" / "compare.py").is_file()
    assert (master["master"], master["headless"], worker["worker"]) == (True, True, True)
    assert master["expect_workers"] == example.workers >= 2
    assert worker["master_host"] == example.names["master"]
    assert worker["master_port"] == master["master_bind_port"] == 5557
    assert master["host"] == f"http://{example.names['target']}:8080"
    assert master["run_time"]
    assert master["num_users"] >= example.workers


def test_results_lie_on_the_volume_where_the_image_s_user_may_write(
    example: Example, locust_options: dict[str, dict[str, Any]]
) -> None:
    assert locust_options["master"]["results"] == example.results
    assert f"mkdir {example.results} && chown loadgen {example.results}" in DOCKERFILE
    user = re.search(r"useradd .*--uid (\d+) loadgen", DOCKERFILE)
    assert user is not None
    for part in ("master", "worker"):
        assert pod("Job", part)["securityContext"]["runAsUser"] == int(user[1])


def test_each_container_has_resources_and_ports_enough() -> None:
    ports = "10000 65535"
    for name, service in compose()["services"].items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert (EXAMPLES / service["build"]["context"] / "Dockerfile").is_file()
        assert service["ulimits"]["nofile"] >= 65536
        assert service["sysctls"] == {"net.ipv4.ip_local_port_range": ports}
        assert "healthcheck" in service or name == "worker"
    for kind, part in (("Deployment", "target"), ("Job", "master"), ("Job", "worker")):
        (container,) = pod(kind, part)["containers"]
        assert container["resources"]["requests"] == container["resources"]["limits"]
        assert "readinessProbe" in container or part == "worker"
    assert pod("Job", "worker")["securityContext"]["sysctls"] == [
        {"name": "net.ipv4.ip_local_port_range", "value": ports}
    ]


def test_a_service_leads_to_a_port_that_is_listened_on() -> None:
    for (kind, name), service in objects().items():
        if kind == "Service":
            part = name.removeprefix("loadgen-")
            selected = pod("Deployment" if part == "target" else "Job", part)
            (port,) = service["spec"]["ports"]
            assert selected["containers"][0]["ports"] == [{"containerPort": port["targetPort"]}]
            assert port["port"] == port["targetPort"]
            owner = objects()["Deployment" if part == "target" else "Job", name]
            assert owner["spec"]["template"]["metadata"]["labels"] == service["spec"]["selector"]
