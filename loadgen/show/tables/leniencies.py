"""Tables of how responses are written: their deviations from HTTP/1.1."""

from __future__ import annotations

from loadgen.model.leniency import Leniency
from loadgen.model.summary import Summary
from loadgen.show.formatting import ABSENT
from loadgen.show.ordering import policies_in_order
from loadgen.show.tables.table import Row, Table

_LENIENT = ("policy", "deviation", "responses", "of", "rule", "what the server did", "what it should do")
_BY_LABEL = {leniency.label: leniency for leniency in Leniency}


def lenient(summary: Summary) -> Table:
    """Deviations from HTTP/1.1 that were accepted, by policy; no rows where there were none."""
    rows: list[Row] = []
    for name, one in policies_in_order(summary):
        total = f"{one['connections']['exchanges_with_warmup']:,}"
        for label, times in one["lenient"].items():
            known = _BY_LABEL.get(label)
            words = (known.section, known.meaning, known.repair) if known else (ABSENT,) * 3
            rows.append((name, label, f"{times:,}", total, *words))
    return Table(_LENIENT, rows)


def lenient_note(_: Summary) -> str:
    return "A client may accept such responses, so they were measured; others may refuse them. Warm-up included."
