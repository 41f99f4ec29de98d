"""Where requests go: who may name several targets."""

from __future__ import annotations

from loadgen.model.option import COMPARE, PROBE, SWEEP
from loadgen.model.options import options_of
from loadgen.model.target_options import TARGET_OPTIONS


def test_only_a_comparison_has_several_targets() -> None:
    found = {
        command: [one for one in options_of(command) if one in _of(command)] for command in (COMPARE, SWEEP, PROBE)
    }
    assert {command: [one.name for one in options] for command, options in found.items()} == {
        COMPARE: ["url", "target", "urls"], SWEEP: ["url", "urls"], PROBE: ["url"]
    }  # fmt: skip
    # `sweep` takes several URLs too, to say in a line of its own that it has one target.
    assert [found[command][0].is_many for command in (COMPARE, SWEEP, PROBE)] == [True, True, False]


def _of(command: str) -> list[object]:
    return [option.of(command) for option in TARGET_OPTIONS]
