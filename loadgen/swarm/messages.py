"""The names of the messages between master and workers; a local runner sends them to itself."""

# To whoever orders the blocks
HELLO = "loadgen_hello"  # {version}: a worker has come
NEWS = "loadgen_news"  # {run, observed | warning}
DONE = "loadgen_done"  # {run, round, turn}: the block is over
PIECE = "loadgen_piece"  # {run, part, piece: bytes}: of a part's file; an empty piece is its end
ENDED = "loadgen_ended"  # {run, parts, reports}: nothing more comes
FAILED = "loadgen_failed"  # {run, message}

# To those who make the load
BEGIN = "loadgen_begin"  # {run, plan, lanes, scenarios, directory, watches, reports, most_samples}
BLOCK = "loadgen_block"  # {run, round, turn, blocks: {lane: [index, policy]}}
STOP = "loadgen_stop"  # {run}: end the block now
END = "loadgen_end"  # {run}: hand over what was measured
PIECE_TAKEN = "loadgen_piece_taken"  # {run}
REFUSED = "loadgen_refused"  # {message}

REPORTS = "loadgen"
"""The key under which block reports travel in Locust's own reports: {run, reports}."""
