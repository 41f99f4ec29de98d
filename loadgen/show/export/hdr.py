"""`latency.hlog`: the latencies of each block as a histogram, in the log format 1.3 of HdrHistogram, tagged by policy.

A log's interval is a block. Values are nanoseconds; the log's own `Interval_Max` is in milliseconds, as is the custom.
Of a long run, of which a share of the samples is kept, the histograms are of that share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TextIO

import numpy as np

from loadgen.model.records import ABSENT
from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.export.hdr_encoding import encode
from loadgen.show.export.sample_rows import samples_of

_COLUMNS = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
_NO_TAG = re.compile(r"[,\s]")  # what would end a tag


def _write(run: RunData, stream: TextIO) -> None:
    started = run.summary["environment"]["started"]
    stream.write("#[Logged by loadgen; latency in nanoseconds, a tag is a policy, an interval a block]\n")
    stream.write("#[Histogram log format version 1.3]\n")
    stream.write(f"#[StartTime: {datetime.fromisoformat(started).timestamp():.3f} (seconds since epoch), {started}]\n")
    stream.write(_COLUMNS)
    stream.writelines(_lines(run))


def _lines(run: RunData) -> Iterator[str]:
    """A line for each block that has complete requests, in the order in which the blocks ran."""
    samples = samples_of(run)
    complete = samples.of(samples.columns["error"] == ABSENT)
    latency, block_of = complete.latency_ns(), complete.block_of()
    order = np.argsort(block_of, kind="stable")
    bounds = np.searchsorted(block_of[order], np.arange(len(samples.blocks) + 1))
    # A block with samples has begun its window.
    begun_ns = {at: samples.blocks[at]["window_begun_ns"] for at in np.unique(block_of).tolist()}
    first_ns = min(begun_ns.values(), default=0)
    for at in sorted(begun_ns, key=begun_ns.__getitem__):
        block = samples.blocks[at]
        chosen = latency[order[bounds[at] : bounds[at + 1]]]
        begin_s = (begun_ns[at] - first_ns) / NS_PER_S
        times = f"{begin_s:.3f},{block['window_ns'] / NS_PER_S:.3f},{int(np.max(chosen)) / NS_PER_MS:.6f}"
        yield f"Tag={_NO_TAG.sub('_', block['policy'])},{times},{encode(chosen)}\n"


HDR = Exporter(
    name="hdr",
    file_name="latency.hlog",
    title="histograms of latency",
    help="A log of HdrHistogram, a histogram a block, tagged by policy.",
    written=Written.ON_REQUEST,
    write=_write,
    reads_samples=True,
)
