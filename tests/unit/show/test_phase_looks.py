"""A phase that is added to the model needs a look in the charts and words in the verdict."""

from __future__ import annotations

from loadgen.measure.summary import verdict_words
from loadgen.model.records import HANDSHAKE, Phase
from loadgen.show.charts.extra_time import STEPS
from loadgen.show.charts.phase_looks import PHASE_LOOKS


def missing(table: object) -> set[str]:
    """The phases that a table has no row for."""
    assert isinstance(table, dict)
    return {phase.value for phase in set(Phase) - set(table)}


def test_every_phase_has_a_look_of_its_own() -> None:
    assert missing(PHASE_LOOKS) == set()
    assert list(PHASE_LOOKS) == list(Phase), "phases are stacked in the order in which they happen"
    assert len({(look.colour, look.hatch) for look in PHASE_LOOKS.values()}) == len(PHASE_LOOKS)


def test_every_phase_is_one_step_of_the_waterfall() -> None:
    assert sorted(phase.value for step in STEPS for phase in step) == sorted(phase.value for phase in Phase)
    assert all([phase] in STEPS for phase in HANDSHAKE), "what reuse saves is never lumped together"


def test_the_verdict_has_words_for_every_phase() -> None:
    assert missing(verdict_words.PHASE_WORDS) == set()
