"""The table of leniencies: a bit each, a whole row each; and how responses are counted by them."""

from __future__ import annotations

from loadgen.model.leniency import Leniency, LeniencyCounts, add_leniencies


def test_every_row_is_whole_and_a_bit_of_its_own() -> None:
    assert [int(one) for one in Leniency] == [1 << place for place in range(len(Leniency))]
    for one in Leniency:
        assert one.section.startswith("RFC 9")
        assert one.meaning
        assert one.repair


def test_responses_are_counted_by_label() -> None:
    counts = LeniencyCounts()
    for notes in (Leniency.BARE_LF, Leniency.BARE_LF | Leniency.OBS_FOLD, Leniency.BARE_LF):
        counts.note(notes)
    assert counts.take() == {"obs_fold": 1, "bare_lf": 3}
    assert counts.take() == {}
    assert add_leniencies([{"bare_lf": 1, "new": 2}, None, {"obs_fold": 1, "bare_lf": 1}]) == {
        "obs_fold": 1, "bare_lf": 2, "new": 2,
    }  # fmt: skip
