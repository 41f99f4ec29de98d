"""The kinds of messages between the coordinating process and its workers; a local runner sends them to itself."""

# From a worker to the coordinating process
HELLO = "loadgen_hello"  # {version}: a worker has connected
NOTICE = "loadgen_notice"  # {run, observed | warning}: what it observed of the target, or a warning for the report
BLOCK_DONE = "loadgen_block_done"  # {run, round, turn}
SAMPLE_PIECE = "loadgen_sample_piece"  # {run, file: its number, piece: bytes}; an empty piece ends the file
WORKER_DONE = "loadgen_worker_done"  # {run, files, reports}: everything is handed over
WORKER_FAILED = "loadgen_worker_failed"  # {run, message}

# From the coordinating process to a worker
BEGIN_RUN = "loadgen_begin_run"
# {run, plan, class_policies, scenarios, directory, monitors, wants_reports, max_samples}
RUN_BLOCK = "loadgen_run_block"  # {run, round, turn, blocks: {user class: [index, policy]}}
CUT_BLOCK = "loadgen_cut_block"  # {run}: end the block under way now
END_RUN = "loadgen_end_run"  # {run}: hand over the samples
PIECE_RECEIVED = "loadgen_piece_received"  # {run}
WORKER_REFUSED = "loadgen_worker_refused"  # {message}

BLOCK_REPORTS = "loadgen"
"""The key of block reports in Locust's own reports to the master: {run, reports}."""
