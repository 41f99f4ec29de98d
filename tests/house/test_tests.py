"""What the tests themselves keep to."""

from __future__ import annotations

from pathlib import Path

from tests.support.sources import imports_of

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "loadgen"


# The modules that no unit test imports by name, and why not; the list is to shrink.
_BY_FRONT = "its room's unit tests import what stands above it"
_BY_SOCKET = (
    "a client on a socket meets the embedded target's protocols: tests/unit/target/test_server, tests/process/target"
)
_BY_LOCUST = "needs Locust, which patches the whole process: tests/process/locust, and a child of tests/unit/swarm"
_TYPES = "types, and no behaviour"
WITHOUT_UNIT_TEST = {
    "cli/target": _BY_SOCKET,
    "drive/slots/context": _TYPES,
    "measure/summary/policy": _BY_FRONT,
    "measure/summary/verdict_amortisation": _BY_FRONT,
    "measure/summary/verdict_differences": _BY_FRONT,
    "model/address_spread": _TYPES,
    "model/balance_summary": _TYPES,
    "model/block_facts": _TYPES,
    "model/connections_summary": _TYPES,
    "model/named_request_summary": _TYPES,
    "model/origin_summary": _TYPES,
    "model/policy_summary": _TYPES,
    "model/route_plan": _TYPES,
    "model/sockets_summary": _TYPES,
    "model/sweep_summary": _TYPES,
    "model/policy/socket_option": _TYPES,
    "model/warning_row": _TYPES,
    "swarm/client_options": _TYPES,
    "swarm/reuse_user": _BY_LOCUST,
    "swarm/swarm_user": _BY_LOCUST,
    "target/connection": _BY_SOCKET,
    "target/http1": _BY_SOCKET,
    "target/http2": _BY_SOCKET,
    "target/websocket": _BY_SOCKET,
}


def test_helpers_live_in_support() -> None:
    """A test file is no library: what two of them need is in tests/support, where its readers look for it."""
    borrowed = [
        f"{path.relative_to(TESTS)} imports {name}"
        for path in sorted(TESTS.rglob("*.py"))
        for name in imports_of(path)
        if ".test_" in name
    ]
    assert borrowed == []


def is_mirrored(module: str) -> bool:
    folder, _, name = module.rpartition("/")
    return (TESTS / "unit" / folder / f"test_{name}.py").exists()


def test_each_module_has_a_unit_test() -> None:
    """Its mirror in tests/unit, or one that imports it or its package's front, itself or by a helper.

    What is only seen from outside, by a command, is slow to test and hard to debug.
    """
    names: set[str] = set()
    for path in TESTS.glob("unit/**/*.py"):
        names |= imports_of(path)
    helpers = {
        TESTS / "support" / f"{name.rsplit('.', 1)[1]}.py" for name in names if name.startswith("tests.support.")
    }
    for path in helpers:
        names |= imports_of(path) if path.exists() else set()
    for front in PACKAGE.rglob("__init__.py"):
        package = ".".join(("loadgen", *front.parent.relative_to(PACKAGE).parts))
        if package != "loadgen" and package in names:
            names |= imports_of(front)
    modules = [path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py")]
    without = {
        module
        for module in modules
        if "__" not in module and f"loadgen.{module.replace('/', '.')}" not in names and not is_mirrored(module)
    }
    assert without - WITHOUT_UNIT_TEST.keys() == set(), "give it a test in tests/unit"
